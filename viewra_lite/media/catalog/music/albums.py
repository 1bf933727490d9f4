"""Albums: matching a music file to its album, and naming the album after its files.

Equal MusicBrainz ids mean one album, unequal ones two. Two different years mean two albums if the
folders differ too; a missing year proves nothing. Tracks of one album title in one folder without
an album artist are one album, of various artists if those of the tracks differ. Albums of one name
have their id, year or folder in their identity, so that a fresh scan gives them the same one.

Over several scans one thing depends on the order. Tracks with neither year nor id, in a folder of
their own, join the only album of their name, and are one more album if there are several. Later
scans change neither, as nothing says which of them is right.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any

from peewee import Tuple

from ....database.transactions.database import Database
from ...files import versions
from ...files.works import Works
from ...identities import UNKNOWN_ALBUM, album_identity, album_name, track_identities
from ...models import Album, MediaFile, MediaLibrary, Track
from ...names.facts import VARIOUS_ARTISTS, TrackName
from ...names.keys import fold, sort_title
from ...names.tracks import album_folder
from ...probing.tags import TagFacts
from .album_names import (
    AlbumInfo,
    has_own_artists,
    is_loose,
    new_artist,
    new_title,
    title_in,
    weight,
)
from .counts import Totals
from .readings import album_reading, disc_titles, with_names
from .. import sources
from ..cleared import known
from ..sources import Speaker


class Albums:
    """The albums of one library, inside one writer; finish() ends each batch."""

    def __init__(
        self, db: Database, library: MediaLibrary, works: Works, dirty_ids: dict[str, set[str]]
    ) -> None:
        self._db = db
        self._library = library
        self._works = works
        self._dirty_ids = dirty_ids
        self._changed: set[str] = set()
        self._names: set[str] = set()
        self._infos: dict[str, AlbumInfo] = {}
        self._moved_to: dict[str, str] = {}
        self._folders: dict[str, set[str]] = {}
        self._totals: dict[str, Totals] = defaultdict(Totals)

    def of(self, file: MediaFile, name: TrackName, tags: TagFacts | None) -> Album:
        """Return the album of a file, inserting it if needed."""
        info = AlbumInfo(
            name.album,
            name.album_artist or name.artist,
            name.album_artist is not None,
            name.year,
            getattr(tags, "musicbrainz_album_id", None),
            album_folder(file.path),
            _artists(name, tags),
        )
        album = self._found(info)
        if album is None:
            album = self._new(info, name, tags)
        else:
            self._read_album(album, file, name, tags, info)
        self._totals[album.id].note(name, tags)
        self._note(album, info)
        self._folders.setdefault(album.id, set()).add(info.folder)
        self._changed.add(album.id)
        return album

    def _note(self, album: Album, info: AlbumInfo) -> None:
        """Remember a name that may rename an album; one with an album artist is preferred."""
        if info.base != album_name(album.identity) or (info.is_cover and is_loose(album)):
            self._infos[album.id] = min(info, self._infos.get(album.id, info), key=weight)

    def left(self, album_id: str, new_id: str | None = None) -> None:
        """Note that a track has left an album, possibly for another one."""
        self._changed.add(album_id)
        if new_id not in (None, album_id):
            self._moved_to[album_id] = str(new_id)

    def finish(self) -> None:
        """Update the counts and names of changed albums; delete those without tracks."""
        for album_id in sorted(self._changed):
            self._finish_album(album_id)
        for base in sorted(self._names):
            self._distinguish(base)
        noted: tuple[Any, ...] = (self._changed, self._names, self._infos, self._moved_to)
        for one in (*noted, self._folders, self._totals):
            one.clear()

    # Matching

    def _found(self, info: AlbumInfo) -> Album | None:
        of_library = Album.library == self._library.id
        if info.title is None:
            found: Album | None = Album.get_or_none(of_library, Album.identity == info.base)
            return found
        alike = list(
            Album.select()
            .where(of_library, _called(info.base) | (Album.sort_title == sort_title(info.title)))
            .order_by(Album.identity)
        )
        if info.musicbrainz_id is not None:
            has_id = Album.musicbrainz_id == info.musicbrainz_id
            same = [one for one in alike if one.musicbrainz_id == info.musicbrainz_id]
            same = same or list(Album.select().where(of_library, has_id).order_by(Album.identity))
            if same:
                return same[0]
            alike = [
                one for one in alike if known(one, "musicbrainz_id") in (None, info.musicbrainz_id)
            ]
        return self._in_folder(info, alike) or self._elsewhere(info, alike)

    def _in_folder(self, info: AlbumInfo, alike: list[Album]) -> Album | None:
        """Return the album of a title in a folder, unless it is another artist's."""
        self._load_folders(alike)
        here = [
            one
            for one in alike
            if info.folder in self._folders[one.id]
            and title_in(one.identity) == title_in(info.base)
        ]
        of_artist = [one for one in here if album_name(one.identity) == info.base]
        others = [one for one in here if is_loose(one) or not info.is_cover]
        if not of_artist and info.artist == VARIOUS_ARTISTS:
            joined = self._elsewhere(info, alike)  # rather than an artist's part of it here
            others = [joined] if joined is not None else others
        return next(iter(of_artist + others), None)

    def _elsewhere(self, info: AlbumInfo, alike: list[Album]) -> Album | None:
        """Return the only album in other folders that does not differ from the file's, or None."""
        fits = [
            one
            for one in alike
            if self._name(one) == info.base
            and not (known(one, "year") and info.year and known(one, "year") != info.year)
        ]
        same_year = [one for one in fits if one.year and one.year == info.year]
        fits = same_year or fits
        return fits[0] if len(fits) == 1 else None

    def _name(self, album: Album) -> str:
        """Return an album's name and artist, as they will be if this batch makes it a sampler."""
        noted = self._infos.get(album.id)
        is_sampler = noted is not None and noted.is_cover and noted.artist == VARIOUS_ARTISTS
        return noted.base if noted is not None and is_sampler else album_name(album.identity)

    def _load_folders(self, albums: Iterable[Album]) -> None:
        new = [album.id for album in albums if album.id not in self._folders]
        self._folders.update((id, set()) for id in new)
        if new:
            rows = Track.select(Track, MediaFile).join(MediaFile).where(Track.album.in_(new))
            for track in rows:
                self._folders[track.album_id].add(album_folder(track.media_file.path))

    # Rows

    def _new(self, info: AlbumInfo, name: TrackName, tags: TagFacts | None) -> Album:
        now = self._db.now()
        id, title = self._db.new_id(), info.title or UNKNOWN_ALBUM
        of_library = Album.library == self._library.id
        is_taken = Album.select().where(of_library, Album.identity == info.base).exists()
        names = {
            **disc_titles(None, name, tags).get(sources.TAGS, {}),
            "title": title,
            "album_artist": info.artist,
            "artists": list(info.artists) if info.is_cover else None,
        }
        album: Album = Album.create(
            id=id,
            library=self._library.id,
            identity=f"{info.base}:{id}" if is_taken else info.base,  # until the batch ends
            created_at=now,
            updated_at=now,
            **sources.of_new_row(Album, with_names(album_reading(name, tags), names)),
        )
        self._dirty_ids["album"].add(id)
        self._names.add(info.base)
        return album

    def _read_album(
        self, album: Album, file: MediaFile, name: TrackName, tags: TagFacts | None, info: AlbumInfo
    ) -> None:
        """Give a known album what a file says of it; its first track decides."""
        read = album_reading(name, tags)
        if info.title is not None and info.base == album_name(album.identity):
            names: dict[str, Any] = {"title": info.title}  # perhaps spelled otherwise
            if info.is_cover:
                names["album_artist"] = info.artist
            if info.is_cover and info.artist != VARIOUS_ARTISTS:
                names["artists"] = list(info.artists)
            read = with_names(read, names)
        first = _set(album, sources.changes(album, disc_titles(album, name, tags)))
        decides = cache(lambda: _is_first(album, file, name))
        speaker = Speaker(decides, lambda: self._others(album, file))
        changes = {**first, **sources.changes(album, read, speaker, _implied(album))}
        if changes.keys() <= {"sources"}:
            if changes:
                Album.update(**changes).where(Album.id == album.id).execute()
            return
        self._update(album, changes)
        self._names.add(album_name(album.identity))

    def _others(self, album: Album, file: MediaFile) -> list[str]:
        """Return the paths of the album's other files."""
        tracks = Track.select(Track, MediaFile).join(MediaFile).where(Track.album == album.id)
        return [track.media_file.path for track in tracks if track.media_file_id != file.id]

    def _finish_album(self, album_id: str) -> None:
        """Update an album's name and counts; merge it if renamed, delete it if empty."""
        album = Album.get_or_none(Album.id == album_id)
        if album is None:
            return
        if not _tracks(album_id):
            new_album = Album.get_or_none(Album.id == self._moved_to.get(album_id))
            if new_album is not None and self._is_renamed(new_album):
                self._merge_renamed(album, new_album)
            elif not sources.is_curated(album):
                Album.delete().where(Album.id == album_id).execute()
                self._names.add(album_name(album.identity))
                return
        album = Album.get_by_id(album_id)
        self._rename(album, self._infos.get(album_id))
        counts = self._totals[album_id].counted(album, _tracks(album_id))
        Album.update(**counts).where(Album.id == album_id).execute()

    def _is_renamed(self, new_album: Album) -> bool:
        """Whether an album is new in this scan, or has only tracks that are older than itself.

        Ids are in the order of time. An album that a person has written about stays.
        """
        if versions.is_new(new_album, self._library, self._db.now()):
            return True
        own = [track.id for track in _tracks(new_album.id) if track.id > new_album.id]
        return not own and not sources.is_curated(new_album) and not _is_edited(new_album)

    def _merge_renamed(self, album: Album, new_album: Album) -> None:
        """Merge the row under an album's new name into the album, which is renamed."""
        Track.update(album=album.id).where(Track.album == new_album.id).execute()
        Album.delete().where(Album.id == new_album.id).execute()
        if new_album.id in self._infos:
            self._infos[album.id] = self._infos[new_album.id]
        self._totals[album.id] = self._totals[new_album.id]
        read = {sources.TAGS: {}, **sources.read_of(new_album)}
        changes = sources.changes(album, read, implied=_implied(album))
        changes.update(identity=new_album.identity, library=self._library.id)
        self._names.update(album_name(one.identity) for one in (album, new_album))
        self._update(album, changes)

    def _rename(self, album: Album, info: AlbumInfo | None) -> None:
        """Rename an album if its files have another name."""
        tracks = _tracks(album.id)
        if not tracks or (info is None and album.album_artist != VARIOUS_ARTISTS):
            return
        title = new_title(album, tracks, info)
        artist, artists = new_artist(album, tracks, info)
        before, base = album_name(album.identity), album_identity(title, artist)
        names: dict[str, Any] = {"title": title, "album_artist": artist, "artists": artists}
        if VARIOUS_ARTISTS in (artist, album.album_artist):
            names["is_compilation"] = True if artist == VARIOUS_ARTISTS else None
        read = {sources.NAME: {}, sources.TAGS: names}
        changes = sources.changes(album, read, implied=_implied(album))
        if base != before:
            changes["identity"] = f"{base}:{album.id}"  # until the batch ends
            self._names.update((before, base))
        if changes:
            self._update(album, changes)

    def _update(self, album: Album, changes: dict[str, Any]) -> None:
        _set(album, changes)
        Album.update(**changes, updated_at=self._db.now()).where(Album.id == album.id).execute()
        self._dirty_ids["album"].add(album.id)
        self._dirty_ids["track"].update(track.id for track in _tracks(album.id))

    # Identities

    def _distinguish(self, base: str) -> None:
        """Give albums of one name different identities; a single album's is just the name."""
        albums = list(Album.select().where(Album.library == self._library.id, _called(base)))
        identities = {album.id: base for album in albums}
        if len(albums) > 1:
            self._load_folders(albums)
            identities = _distinct({album.id: self._qualifier(album) for album in albums}, base)
        for album in sorted(albums, key=lambda one: identities[one.id] == base):
            if album.identity != identities[album.id]:
                self._identify(album, identities[album.id])

    def _qualifier(self, album: Album) -> str:
        """Return the value that distinguishes an album from others of its name."""
        folder = min(self._folders[album.id], default="")
        inside = fold(os.path.relpath(folder, self._library.path)) if folder else ""
        return str(album.musicbrainz_id or album.year or inside or album.id)

    def _identify(self, album: Album, identity: str) -> None:
        Album.update(identity=identity).where(Album.id == album.id).execute()
        tracks = _tracks(album.id)
        for track, key in zip(tracks, track_identities(identity, tracks)):
            self._works.rename("track", self._library.id, track.work_id, key)


def _called(base: str) -> Any:
    """Select the albums of one name, with or without a qualifier."""
    marked = (Album.identity >= base + ":") & (Album.identity < base + ";")
    return (Album.identity == base) | marked


def _is_edited(album: Album) -> bool:
    """Whether a person has renamed the album."""
    return album_identity(album.title, album.album_artist) != album_name(album.identity)


def _implied(album: Album) -> tuple[str, ...]:
    """Return the columns that are those of an album's files, unless a person has changed them."""
    if _is_edited(album):
        return ()
    return ("title", "album_artist", *(() if has_own_artists(album) else ("artists",)))


def _is_first(album: Album, file: MediaFile, name: TrackName) -> bool:
    """Whether no other track of an album comes before a file's, or came before its earlier one."""
    others = Track.select().where(
        Track.album == album.id, Track.media_file.is_null() | (Track.media_file != file.id)
    )
    places = [(name.disc or 1, name.track or 0, name.title)]
    for own in Track.select().where(Track.album == album.id, Track.media_file == file.id):
        places.append((own.disc_number, own.track_number, own.title))
    order = Tuple(Track.disc_number, Track.track_number, Track.title)
    return not others.where(order < Tuple(*min(places))).exists()


def _tracks(album_id: str) -> list[Track]:
    return list(
        Track.select()
        .where(Track.album == album_id)
        .order_by(Track.disc_number, Track.track_number, Track.title, Track.id)
    )


def _distinct(qualifiers: dict[str, str], base: str) -> dict[str, str]:
    """Return identities with these qualifiers; albums of one qualifier get their ids as well."""
    counts: dict[str, int] = defaultdict(int)
    for qualifier in qualifiers.values():
        counts[qualifier] += 1
    return {
        id: f"{base}:{qualifier}" if counts[qualifier] == 1 else f"{base}:{qualifier}:{id}"
        for id, qualifier in qualifiers.items()
    }


def _artists(name: TrackName, tags: TagFacts | None) -> tuple[str, ...]:
    """Return the artists of a file's album, one by one."""
    if tags is not None and tags.album_artist is not None:
        if name.album_artist == tags.album_artist:
            return tags.album_artists
    return (name.album_artist,) if name.album_artist else ()


def _set(row: Any, changes: dict[str, Any]) -> dict[str, Any]:
    for column, value in changes.items():
        setattr(row, column, value)
    return changes
