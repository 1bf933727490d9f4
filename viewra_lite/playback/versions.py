"""Which files are the same thing to watch, and what that thing is.

Files of one identity (another quality, another library, one that was removed) are versions of the
same movie, episode or track: who has watched one has watched all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from ..database.sessions import Sessions
from ..media.models import Episode, MediaFile, Movie, Track, TVShow
from . import queries


class Versions:
    """Files by id, with every other version of what they are; a handful of statements for all."""

    def __init__(self, sessions: Sessions, ids: Collection[str]) -> None:
        wanted = list(dict.fromkeys(ids))
        files: list[MediaFile] = sessions.all(queries.files_by_ids, wanted)
        self.files = {file.id: file for file in files}
        self.identities: dict[str, str | None] = {file.id: file.identity for file in files}
        self.removed_names: dict[str, str] = {}
        unknown = [id for id in wanted if id not in self.files]
        if unknown:
            for removed in sessions.all(queries.removed_by_ids, unknown):
                self.identities[removed.id] = removed.identity
                self.removed_names[removed.id] = removed.filename
        self._ids: dict[str, set[str]] = defaultdict(set)
        self._alike: dict[str, list[MediaFile]] = defaultdict(list)
        named = list({name for name in self.identities.values() if name})
        if named:
            self._load(sessions, named)

    def _load(self, sessions: Sessions, identities: list[str]) -> None:
        for file in sessions.all(queries.files_alike, identities):
            self._alike[file.identity].append(file)
            self._ids[file.identity].add(file.id)
        for removed in sessions.all(queries.removed_alike, identities):
            self._ids[removed.identity].add(removed.id)

    def ids_of(self, id: str) -> set[str]:
        """Return the ids of all versions of a file, those removed and itself included."""
        return self._ids.get(self.identities.get(id) or "", set()) | {id}

    def of(self, id: str) -> list[MediaFile]:
        """Return the versions of a file that are known now, the best one first; itself included."""
        versions = self._alike.get(self.identities.get(id) or "")
        if versions is None:
            return [self.files[id]] if id in self.files else []
        return sorted(versions, key=_rank, reverse=True)

    def is_music(self, id: str) -> bool:
        """Whether a file is music, as far as is known."""
        return is_music(self.files.get(id)) or (self.identities.get(id) or "").startswith("track:")

    def playable(self, id: str) -> MediaFile | None:
        """Return the file itself where it is on disk, else its best version that is, or None."""
        own = self.files.get(id)
        candidates = [own] if own is not None else []
        for file in (*candidates, *self.of(id)):
            if file.status == "present":
                return file
        return None


def _rank(file: MediaFile) -> tuple[bool, bool, int, int, str]:
    return (
        file.status == "present", file.error is None, file.height or 0, file.size or 0, file.id
    )


def is_music(file: MediaFile | None) -> bool:
    """Whether a file is music, as far as is known: it has thresholds of its own."""
    return file is not None and names_music(file.identity, file.mime_type)


def names_music(identity: str | None, mime_type: str | None) -> bool:
    """Whether a file's identity or type say that it is music."""
    return (identity or "").startswith("track:") or (mime_type or "").startswith("audio/")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a file is: a movie, episodes of a show, a track, or nothing that is known."""

    kind: str
    """movie, episode, track or other."""
    title: str
    """What it is called in a list: Dune (2021), Dark S01E02 Lies, Gould - Aria."""
    top_title: str
    """What it is counted under: the show, else the title."""
    movie: Movie | None = None
    episodes: list[Episode] = field(default_factory=list)
    """In order; several where the file holds several. Each has its `show`."""
    track: Track | None = None

    @property
    def show(self) -> TVShow | None:
        """The show, where it is an episode."""
        return self.episodes[0].show if self.episodes else None


def subjects(sessions: Sessions, versions: Versions) -> dict[str, Subject]:
    """Return what each file of a set is, by id; removed files by what their versions are."""
    # The file's own first: another version may lie in another library.
    files = {
        id: sorted(versions.of(id), key=lambda file: bool(file.id != id))
        for id in versions.identities
    }
    every = {file.id for alike in files.values() for file in alike}
    if not every:
        return {}
    movies = _movies(sessions, versions, files, every)
    episodes: dict[str, list[Episode]] = defaultdict(list)
    tracks: dict[str, Track] = {}
    kinds = {(name or "").partition(":")[0] for name in versions.identities.values()}
    if kinds - {"movie", "track"}:
        for episode in sessions.all(queries.episodes_of_files, list(every)):
            episodes[episode.media_file_id].append(episode)
    if kinds - {"movie", "episode"}:
        for track in sessions.all(queries.tracks_of_files, list(every)):
            tracks[track.media_file_id] = track
    return {
        id: _subject(alike, movies.get(id), _first(alike, episodes) or [], _first(alike, tracks))
        for id, alike in files.items() if alike
    }


def subject_of(sessions: Sessions, id: str) -> Subject:
    """Return what one file is."""
    versions = Versions(sessions, [id])
    known = subjects(sessions, versions).get(id)
    if known is None:
        name = _title_of_name(versions.removed_names.get(id, id))
        known = Subject("other", name, name)
    return known


def _movies(
    sessions: Sessions, versions: Versions, files: dict[str, list[MediaFile]], every: set[str]
) -> dict[str, Movie]:
    """Return the movie of each file: named as the file is, or that has the file as its best."""
    named = {id: _movie_identity(name) for id, name in versions.identities.items()}
    by_file = {row.media_file_id: row for row in sessions.all(queries.movies_of_files, list(every))}
    wanted = {name for name in named.values() if name}
    by_name: dict[tuple[str, str], Movie] = {}
    if wanted:
        libraries = {file.library_id for alike in files.values() for file in alike}
        for row in sessions.all(queries.movies_named, list(libraries), list(wanted)):
            by_name[row.library_id, row.identity] = row
    found = {}
    for id, alike in files.items():
        for file in alike:
            movie = by_file.get(file.id) or by_name.get((file.library_id, named[id]))
            if movie is not None:
                found[id] = movie
                break
    return found


def _movie_identity(identity: str | None) -> str:
    """Return a movie's identity out of its file's: movie:dune:1984:cd1 is a part of one."""
    parts = (identity or "").split(":")
    return ":".join(parts[:3]) if parts[0] == "movie" else ""


def _first(files: Iterable[MediaFile], found: dict[str, Any]) -> Any:
    return next((found[file.id] for file in files if file.id in found), None)


def _subject(
    files: list[MediaFile], movie: Movie | None, episodes: list[Episode], track: Track | None
) -> Subject:
    if movie is not None:
        title = f"{movie.title} ({movie.year})" if movie.year else movie.title
        return Subject("movie", title, title, movie=movie)
    if episodes:
        show = episodes[0].show
        return Subject("episode", _episode_title(show, episodes), show.title, episodes=episodes)
    if track is not None:
        artist = track.artist or track.album.album_artist
        title = f"{artist} - {track.title}" if artist else track.title
        return Subject("track", title, title, track=track)
    title = _title_of_name(files[0].filename)
    return Subject("track" if is_music(files[0]) else "other", title, title)


def _title_of_name(filename: str) -> str:
    name = filename.rpartition(".")[0] or filename
    # Not as stored: a name that is not UTF-8 is no text.
    return name.encode("utf-8", "replace").decode("utf-8")


def _episode_title(show: TVShow, episodes: list[Episode]) -> str:
    first, last = episodes[0], episodes[-1]
    number = f"S{first.season_number:02}E{first.episode_number:02}"
    if last is not first:
        number += f"-E{last.episode_number:02}"
    return " ".join(filter(None, (show.title, number, first.title)))
