"""Which album a music file is of: what is one album, and what is two.

An unequal MusicBrainz id keeps apart, an equal one joins. A year tells apart where both have one
and the folders differ; no year is no proof. Tracks of one title in one folder that name no album
artist are one album, of various artists where those of the tracks differ. Two albums of one name
have their id, year or folder in their identity, so that a fresh scan gives them the same.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...database.transactions.database import Database
from ..files import versions
from ..files.works import Works
from ..identities import UNKNOWN_ALBUM, album_identity, album_name, track_identity
from ..models import Album, MediaFile, MediaLibrary, Track
from ..names.facts import TrackName
from ..names.keys import fold, sort_title
from ..names.tracks import album_folder
from ..probing.tags import TagFacts

VARIOUS_ARTISTS = "Various Artists"


@dataclass(frozen=True, slots=True)
class _Said:
    """What a file says of its album."""

    title: str | None
    artist: str | None
    is_cover: bool
    """The artist is the album's; else only the track's is known."""
    year: int | None
    musicbrainz_id: str | None
    folder: str

    @property
    def base(self) -> str:
        return album_identity(self.title or UNKNOWN_ALBUM, self.artist)


class Albums:
    """The albums of one library, inside one writer; finish() ends each batch."""

    def __init__(
        self, db: Database, library: MediaLibrary, works: Works, touched: dict[str, set[str]]
    ) -> None:
        self._db = db
        self._library = library
        self._works = works
        self._touched = touched
        self._changed: set[str] = set()
        self._names: set[str] = set()
        self._said: dict[str, _Said] = {}
        self._successors: dict[str, str] = {}
        self._folders: dict[str, set[str]] = {}

    def of(self, file: MediaFile, name: TrackName, tags: TagFacts | None) -> Album:
        """Return the album of a file; made if it is new."""
        said = _Said(
            name.album,
            name.album_artist or name.artist,
            name.album_artist is not None,
            name.year,
            getattr(tags, "musicbrainz_album_id", None),
            album_folder(file.path),
        )
        album = self._found(said)
        if album is None:
            album = self._new(said, tags)
        else:
            _fill(album, said)
        self._note(album, said)
        self._folders.setdefault(album.id, set()).add(said.folder)
        self._changed.add(album.id)
        return album

    def _note(self, album: Album, said: _Said) -> None:
        """Remember names that may rename an album; those with an album artist count first."""
        if said.base != album_name(album.identity) or (said.is_cover and _is_loose(album)):
            self._said[album.id] = min(said, self._said.get(album.id, said), key=_weight)

    def left(self, album_id: str, successor_id: str | None = None) -> None:
        """Note that a track has left an album, perhaps for another one."""
        self._changed.add(album_id)
        if successor_id not in (None, album_id):
            self._successors[album_id] = str(successor_id)

    def finish(self) -> None:
        """Count and name anew every album that changed; one without tracks goes."""
        for album_id in sorted(self._changed):
            self._settle(album_id)
        for base in sorted(self._names):
            self._tell_apart(base)
        for noted in (self._changed, self._names, self._said, self._successors, self._folders):
            noted.clear()

    # One or two?

    def _found(self, said: _Said) -> Album | None:
        of_library = Album.library == self._library.id
        if said.title is None:
            found: Album | None = Album.get_or_none(of_library, Album.identity == said.base)
            return found
        alike = list(
            Album.select()
            .where(of_library, _called(said.base) | (Album.sort_title == sort_title(said.title)))
            .order_by(Album.identity)
        )
        if said.musicbrainz_id is not None:
            has_id = Album.musicbrainz_id == said.musicbrainz_id
            same = [one for one in alike if one.musicbrainz_id == said.musicbrainz_id]
            same = same or list(Album.select().where(of_library, has_id).order_by(Album.identity))
            if same:
                return same[0]
            alike = [one for one in alike if one.musicbrainz_id is None]
        return self._in_folder(said, alike) or self._elsewhere(said, alike)

    def _in_folder(self, said: _Said, alike: list[Album]) -> Album | None:
        """Return the album of a title in a folder, unless it is another artist's."""
        self._load_folders(alike)
        here = [
            one
            for one in alike
            if said.folder in self._folders[one.id] and _title(one.identity) == _title(said.base)
        ]
        of_artist = [one for one in here if album_name(one.identity) == said.base]
        others = [one for one in here if _is_loose(one) or not said.is_cover]
        return next(iter(of_artist + others), None)

    def _elsewhere(self, said: _Said, alike: list[Album]) -> Album | None:
        """Return the album in other folders that nothing tells from the file's, if it is one."""
        fits = [
            one
            for one in alike
            if album_name(one.identity) == said.base
            and not (one.year and said.year and one.year != said.year)
        ]
        same_year = [one for one in fits if one.year and one.year == said.year]
        fits = same_year or fits
        return fits[0] if len(fits) == 1 else None

    def _load_folders(self, albums: Iterable[Album]) -> None:
        new = [album.id for album in albums if album.id not in self._folders]
        self._folders.update((id, set()) for id in new)
        if new:
            rows = Track.select(Track, MediaFile).join(MediaFile).where(Track.album.in_(new))
            for track in rows:
                self._folders[track.album_id].add(album_folder(track.media_file.path))

    # Rows

    def _new(self, said: _Said, tags: TagFacts | None) -> Album:
        now = self._db.now()
        id, title = self._db.new_id(), said.title or UNKNOWN_ALBUM
        of_library = Album.library == self._library.id
        is_taken = Album.select().where(of_library, Album.identity == said.base).exists()
        album: Album = Album.create(
            id=id,
            library=self._library.id,
            identity=f"{said.base}:{id}" if is_taken else said.base,  # until the batch ends
            title=title,
            sort_title=sort_title(title),
            album_artist=said.artist,
            year=said.year,
            artists=[said.artist] if said.is_cover else None,
            genres=[tags.genre] if tags and tags.genre else None,
            musicbrainz_id=said.musicbrainz_id,
            created_at=now,
            updated_at=now,
        )
        self._touched["album"].add(id)
        self._names.add(said.base)
        return album

    def _settle(self, album_id: str) -> None:
        """Give a renamed album its tracks back, its name and its counts."""
        album = Album.get_or_none(Album.id == album_id)
        if album is None:
            return
        if not _tracks(album_id):
            successor = Album.get_or_none(Album.id == self._successors.get(album_id))
            now = self._db.now()
            if successor is not None and versions.is_new(successor, self._library, now):
                self._succeed(album, successor)
            elif not versions.is_curated(album):
                Album.delete().where(Album.id == album_id).execute()
                self._names.add(album_name(album.identity))
                return
        self._rename(Album.get_by_id(album_id), self._said.get(album_id))
        _count(album_id)

    def _succeed(self, album: Album, successor: Album) -> None:
        """Give a renamed album what was made anew under its new name."""
        Track.update(album=album.id).where(Track.album == successor.id).execute()
        Album.delete().where(Album.id == successor.id).execute()
        if successor.id in self._said:
            self._said[album.id] = self._said[successor.id]
        changes: dict[str, Any] = {"identity": successor.identity, "library": self._library.id}
        if not _is_edited(album):
            changes.update(_named(album, successor.title, successor.album_artist))
            if not _has_own_artists(album):
                changes["artists"] = successor.artists
        changes["musicbrainz_id"] = successor.musicbrainz_id or album.musicbrainz_id
        changes["year"] = album.year or successor.year
        self._update(album, changes)
        self._names.update(album_name(one.identity) for one in (album, successor))

    def _rename(self, album: Album, said: _Said | None) -> None:
        """Let an album be called what its files say, where that is another name than it has."""
        tracks = _tracks(album.id)
        if not tracks or (said is None and album.album_artist != VARIOUS_ARTISTS):
            return
        title = _new_title(album, tracks, said)
        artist, artists = _new_artist(album, tracks, said)
        before, base = album_name(album.identity), album_identity(title, artist)
        changes: dict[str, Any] = {}
        if not _is_edited(album) and (title, artist, artists) != (
            album.title,
            album.album_artist,
            album.artists,
        ):
            changes.update(_named(album, title, artist), artists=artists)
        if base != before:
            changes["identity"] = f"{base}:{album.id}"  # until the batch ends
            self._names.update((before, base))
        if changes:
            self._update(album, changes)

    def _update(self, album: Album, changes: dict[str, Any]) -> None:
        Album.update(**changes, updated_at=self._db.now()).where(Album.id == album.id).execute()
        self._touched["album"].add(album.id)
        self._touched["track"].update(track.id for track in _tracks(album.id))

    # Identities

    def _tell_apart(self, base: str) -> None:
        """Give the albums of one name identities of their own, one album just the name."""
        albums = list(Album.select().where(Album.library == self._library.id, _called(base)))
        wanted = {album.id: base for album in albums}
        if len(albums) > 1:
            self._load_folders(albums)
            wanted = _distinct({album.id: self._mark(album) for album in albums}, base)
        for album in sorted(albums, key=lambda one: wanted[one.id] == base):
            if album.identity != wanted[album.id]:
                self._identify(album, wanted[album.id])

    def _mark(self, album: Album) -> str:
        """Return what tells an album from others of its name."""
        folder = min(self._folders[album.id], default="")
        inside = fold(os.path.relpath(folder, self._library.path)) if folder else ""
        return str(album.musicbrainz_id or album.year or inside or album.id)

    def _identify(self, album: Album, identity: str) -> None:
        Album.update(identity=identity).where(Album.id == album.id).execute()
        for track in _tracks(album.id):
            key = track_identity(identity, track.disc_number, track.track_number, track.title)
            self._works.rename("track", self._library.id, track.work_id, key)


def _weight(said: _Said) -> tuple[Any, ...]:
    """Sort what names the album's artist first, then "Album" before "Album (disc two)"."""
    return not said.is_cover, _length(said.title or ""), said.artist or ""


def _length(title: str) -> tuple[int, str]:
    return len(title), title


def _called(base: str) -> Any:
    """Select the albums of one name: those with a mark as well."""
    marked = (Album.identity >= base + ":") & (Album.identity < base + ";")
    return (Album.identity == base) | marked


def _title(identity: str) -> str:
    return album_name(identity).rpartition(":")[2]


def _is_loose(album: Album) -> bool:
    """Whether an album's artist may follow from those of its tracks: no file has named it yet."""
    return album.artists is None or album.album_artist == VARIOUS_ARTISTS


def _has_own_artists(album: Album) -> bool:
    """Whether a person has listed an album's artists."""
    return not _is_loose(album) and album.artists != [album.album_artist]


def _named(album: Album, title: str, artist: str | None) -> dict[str, Any]:
    """Return the values of another name; an order that a person has chosen stays."""
    follows = album.sort_title == sort_title(album.title)
    return {
        "title": title,
        "album_artist": artist,
        "sort_title": sort_title(title) if follows else album.sort_title,
    }


def _is_edited(album: Album) -> bool:
    """Whether a person has given the album another name than its files have."""
    return album_identity(album.title, album.album_artist) != album_name(album.identity)


def _fill(album: Album, said: _Said) -> None:
    """Give an album the id and the year that it lacks."""
    lacking = {
        name: getattr(said, name)
        for name in ("musicbrainz_id", "year")
        if getattr(album, name) is None and getattr(said, name) is not None
    }
    if lacking:
        Album.update(**lacking).where(Album.id == album.id).execute()


def _tracks(album_id: str) -> list[Track]:
    return list(
        Track.select()
        .where(Track.album == album_id)
        .order_by(Track.disc_number, Track.track_number, Track.title, Track.id)
    )


def _identities(tracks: Sequence[Track]) -> list[list[str]]:
    """Return what the tracks' files say: "track", artist and album, disc, number and title."""
    ids = [track.media_file_id for track in tracks if track.media_file_id is not None]
    said = [str(file.identity) for file in MediaFile.select().where(MediaFile.id.in_(ids))]
    return [identity.split(":") for identity in said if identity.count(":") > 2]


def _new_title(album: Album, tracks: Sequence[Track], said: _Said | None) -> str:
    """Return the title of an album: another one where no file has the old one any more."""
    title, own = str(album.title), _title(album.identity)
    if said is None or said.title is None:
        return title
    is_said = any(own == one[2] for one in _identities(tracks))
    return min(title, said.title, key=_length) if is_said else said.title


def _new_artist(
    album: Album, tracks: Sequence[Track], said: _Said | None
) -> tuple[str | None, list[str] | None]:
    """Return an album's artist and artists, as its files name them or its tracks have them."""
    names_it = _names_it(album, tracks)
    found = {fold(track.artist): str(track.artist) for track in tracks if track.artist}
    if said is not None and said.is_cover and (album.artists is None or not names_it):
        artist = said.artist
    elif names_it and album.artists is not None:
        artist = album.album_artist
    else:
        return _artist_of_tracks(album, found, said)
    if artist == VARIOUS_ARTISTS:
        return artist, sorted(found.values()) or [artist]
    return artist, album.artists if _has_own_artists(album) else [str(artist)]


def _artist_of_tracks(
    album: Album, found: dict[str, str], said: _Said | None
) -> tuple[str | None, list[str] | None]:
    """Return the artist of all tracks, else the one whose folder it is, else various ones."""
    if len(found) < 2:
        return next(iter(found.values()), album.album_artist), None
    above = fold(os.path.basename(os.path.dirname(said.folder))) if said else ""
    if above in found:
        return found[above], [found[above]]
    return VARIOUS_ARTISTS, sorted(found.values())


def _names_it(album: Album, tracks: Sequence[Track]) -> bool:
    own = album.identity.split(":")[1]
    return any(own == one[1] for one in _identities(tracks))


def _distinct(marks: dict[str, str], base: str) -> dict[str, str]:
    """Return identities with these marks; albums of one mark get their ids as well."""
    counts: dict[str, int] = defaultdict(int)
    for mark in marks.values():
        counts[mark] += 1
    return {
        id: f"{base}:{mark}" if counts[mark] == 1 else f"{base}:{mark}:{id}"
        for id, mark in marks.items()
    }


def _count(album_id: str) -> None:
    """Set an album's counts and length from its tracks."""
    tracks = _tracks(album_id)
    Album.update(
        track_count=len(tracks),
        disc_count=max((track.disc_number for track in tracks), default=0),
        duration=sum(track.duration or 0.0 for track in tracks),
    ).where(Album.id == album_id).execute()
