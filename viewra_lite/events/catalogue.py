"""The events that a listener can ask for, and the facts of each."""

from __future__ import annotations

_SESSION = ("session_id", "user_id", "media_file_id")
_TRANSCODE = ("transcode_session_id", "media_file_id")

EVENTS: dict[str, tuple[str, ...]] = {
    "library.added": ("library_id",),
    "library.updated": ("library_id",),
    "library.removed": ("library_id",),
    "scan.started": ("library_id", "folder"),
    "scan.finished": ("library_id", "folder", "phase"),
    "file.added": ("media_file_id",),
    "file.updated": ("media_file_id",),
    "file.moved": ("media_file_id", "old_path"),
    "file.missing": ("media_file_id",),
    "file.removed": ("media_file_id", "library_id", "path"),
    "movie.added": ("movie_id",),
    "movie.updated": ("movie_id",),
    "movie.removed": ("movie_id", "library_id"),
    "episode.added": ("episode_id",),
    "episode.updated": ("episode_id",),
    "episode.removed": ("episode_id", "show_id"),
    "track.added": ("track_id",),
    "track.updated": ("track_id",),
    "track.removed": ("track_id", "album_id"),
    "metadata.applied": ("media_file_id",),
    "session.started": _SESSION,
    "session.stopped": (*_SESSION, "state", "position", "completed"),
    "session.expired": (*_SESSION, "position", "completed"),
    "progress.completed": ("user_id", "media_file_id"),
    "transcode.completed": _TRANSCODE,
    "transcode.failed": _TRANSCODE,
}

PATHS = frozenset(("folder", "old_path", "path"))
