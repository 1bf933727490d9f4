"""Albums and tracks of the catalog."""

from __future__ import annotations

from typing import Any

from ....database.transactions.database import Database
from ... import queries
from ...files import versions
from ...files.works import Works
from ...identities import track_identity
from ...models import Album, MediaFile, MediaLibrary, Track
from ...names.facts import VARIOUS_ARTISTS, TrackName
from ...names.keys import fold
from ...probing.tags import TagFacts
from .. import events, sources
from .albums import Albums
from .readings import track_reading
from ..sources import Read, Speaker


# What scans wrote anew before they remembered it.
_IMPLIED = ("title", "disc_number", "track_number", "duration")


class Music:
    """The albums of one library, inside one writer; finish() ends each batch."""

    def __init__(
        self, db: Database, library: MediaLibrary, works: Works, dirty_ids: dict[str, set[str]]
    ) -> None:
        self._db = db
        self._library = library
        self._works = works
        self._dirty_ids = dirty_ids
        self._albums = Albums(db, library, works, dirty_ids)

    def place(self, file: MediaFile, name: TrackName, tags: TagFacts | None) -> None:
        """Link a file to its track, inserting it if needed, and to no other."""
        album, read = self._albums.of(file, name, tags), track_reading(file, name, tags)
        numbers = (name.disc or 1, name.track or 0)
        alike = self._db.all(queries.tracks_alike, album.id, *numbers, name.title)
        track = self._own(file, name, alike)
        if track is None:
            keys = self._keys(album, name, alike)
            track = self._renamed_track(file, album, keys[0])
            track = track or self._new_track(file, album, read, keys)
        self._read_track(track, file, read)
        self._works.link(file.id, {track.work_id: 0})
        self.leave(file, track.id, album.id)

    def _read_track(self, track: Track, file: MediaFile, read: Read) -> None:
        """Give a known track what a file says of it; the best file decides."""
        best = sources.best_file(self._db, track, file)
        is_best = best == file.id
        changes: dict[str, Any] = {} if best == track.media_file_id else {"media_file": best}
        speaker = Speaker(lambda: is_best, lambda: versions.other_paths(self._db, track, file))
        changes.update(sources.changes(track, read, speaker, _IMPLIED))
        if not changes.keys() <= {"media_file", "sources"}:
            self._dirty_ids["track"].add(track.id)
        if changes:
            Track.update(**changes).where(Track.id == track.id).execute()

    def _own(self, file: MediaFile, name: TrackName, alike: list[Track]) -> Track | None:
        """Return the track that a file is of those of its numbers and title."""
        artist = fold(name.artist or "")
        of_artist = [track for track in alike if fold(track.artist or "") == artist]
        if of_artist or not alike:
            return next(iter(of_artist), None)
        works = self._works.parts_of(file.id)
        was = [track for track in alike if track.work_id in works]
        same = [track for track in alike if not self._is_another(track, file, name)]
        return next(iter(was + same), None)

    def _is_another(self, track: Track, file: MediaFile, name: TrackName) -> bool:
        """Whether another artist plays a track, and both files name no one album artist."""
        known = self._db.one(queries.file_by_id, track.media_file_id)
        if known is None or not (track.artist and name.artist):
            return False
        return known.identity != file.identity or name.album_artist == VARIOUS_ARTISTS

    def _keys(self, album: Album, name: TrackName, alike: list[Track]) -> tuple[str, str]:
        """Return what names the work of a new track, and what did if it came back.

        Of tracks by several artists each has its artist in it.
        """
        numbers = (album.identity, name.disc or 1, name.track or 0, name.title)
        for track in alike:
            key = track_identity(*numbers, track.artist)
            self._works.rename("track", self._library.id, track.work_id, key)
        plain, marked = track_identity(*numbers), track_identity(*numbers, name.artist)
        return (marked, plain) if alike else (plain, marked)

    def _renamed_track(self, file: MediaFile, album: Album, key: str) -> Track | None:
        """Move the file's track to its new name and album; return it, or None."""
        track: Track | None = self._db.one(queries.tracks_of_file, file.id)
        if track is None or versions.other_version(self._db, track, file) is not None:
            return None
        self._works.rename("track", self._library.id, track.work_id, key)
        if track.album_id != album.id:
            Track.update(album=album.id).where(Track.id == track.id).execute()
            self._dirty_ids["track"].add(track.id)
        self._albums.left(track.album_id, album.id)
        return track

    def leave(self, file: MediaFile, placed: str, album_id: str | None = None) -> None:
        """Take a file out of all tracks but one; album_id is the album it has moved to.

        They get another version; one without is deleted, unless it is curated.
        """
        for old in self._db.all(queries.tracks_of_file, file.id):
            if old.id == placed:
                continue
            other = versions.other_version(self._db, old, file)
            if other is not None or sources.is_curated(old):
                Track.update(media_file=other and other.id).where(Track.id == old.id).execute()
            else:
                events.delete(self._db, [old])
            self._albums.left(old.album_id, album_id)

    def finish(self) -> None:
        """Update every changed album; delete those without tracks."""
        self._albums.finish()

    def _new_track(self, file: MediaFile, album: Album, read: Read, keys: tuple[str, str]) -> Track:
        track = Track.create(
            id=self._db.new_id(),
            album=album.id,
            media_file=file.id,
            work=self._works.of_new_row("track", self._library.id, *keys),
            **sources.of_new_row(Track, read),
        )
        events.added(self._db, track)
        self._dirty_ids["track"].add(track.id)
        return track
