"""Folders of small files to scan, and what a store says of them afterwards."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tests.support.media import write_video
from viewra_lite import FileFacts, ScanResult, Store
from viewra_lite.media.models import Episode, MediaFile, Movie, RemovedFile, Season, Track, TVShow
from viewra_lite.playback.models import UserMediaProgress

NOON = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)


def clip(path: Path, seed: int = 0, width: int = 64) -> Path:
    """Write a tiny sound video; another seed is another content of the same size."""
    return write_video(path, seconds=0.2, width=width, height=width, audio=False, seed=seed)


def seed_movies(folder: Path, *names: str) -> None:
    """Write a clip by each name, each with another content."""
    for number, name in enumerate(names):
        clip(folder / name, seed=number)


FOUR = ("Alien (1979).mkv", "Brazil (1985).mkv", "Contact (1997).mkv", "Dune (1984).mkv")


def blob(path: Path, content: str = "") -> Path:
    """Write a file that only looks like media: it is recorded with an error, and has a content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content or path.name)
    return path


def facts(path: Path | str, **known: Any) -> FileFacts:
    """Return what walking would tell of a file, and more."""
    told = os.stat(path)
    return FileFacts(str(path), told.st_size, told.st_mtime_ns, **known)


def counts(result: ScanResult) -> dict[str, int]:
    """Return a result's numbers that are not 0."""
    names = ("added", "updated", "moved", "removed", "unchanged", "missing", "errors")
    return {name: getattr(result, name) for name in names if getattr(result, name)}


def ids(store: Store, library_id: str) -> dict[str, str]:
    """Return the ids of the present files of a library, by path below its root."""
    root = store.media.library(library_id).path
    return {
        os.path.relpath(file.path, root): file.id
        for file in every_file(store, library_id)
        if file.status == "present"
    }


def every_file(store: Store, library_id: str) -> list[MediaFile]:
    """Return all files of a library, page by page."""
    files: list[MediaFile] = []
    after = None
    while True:
        page = store.media.files(library_id, limit=1000, after=after)
        files += page.items
        if page.next is None:
            return files
        after = page.next


def watched(store: Store, file_id: str, position: float = 42.0) -> None:
    """Let somebody have watched a file."""
    with store.writer():
        UserMediaProgress.insert(
            user_id="ann", media_file_id=file_id, position=position, updated_at=NOON
        ).execute()


def progress_by_path(store: Store) -> dict[str, float]:
    """Return who watched what, joined to the files that are known now."""
    with store.reader():
        rows = (
            UserMediaProgress.select(UserMediaProgress.position, MediaFile.path)
            .join(MediaFile, on=(MediaFile.id == UserMediaProgress.media_file_id))
            .where(MediaFile.status == "present")
            .tuples()
        )
        return {Path(path).name: position for position, path in rows}


def told(store: Store) -> dict[str, Any]:
    """Return everything that a store says of media, without ids and times: two may be compared."""
    with store.reader():
        names = {file.id: file.path for file in MediaFile.select()}
        shows = {show.id: show.title for show in TVShow.select()}
        return {
            "files": sorted(
                (f.path, f.size, f.status, f.probe_state, f.fingerprint, f.identity, f.error)
                for f in MediaFile.select()
            ),
            "movies": sorted((m.title, m.year, names.get(m.media_file_id)) for m in Movie.select()),
            "seasons": sorted((shows[s.show_id], s.season_number) for s in Season.select()),
            "episodes": sorted(
                (shows[e.show_id], e.season_number, e.episode_number, names.get(e.media_file_id))
                for e in Episode.select()
            ),
            "tracks": sorted((t.title, names.get(t.media_file_id)) for t in Track.select()),
            "removed": RemovedFile.select().count(),
        }
