"""What an album is called: what its files say of it, and whose it is by its tracks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...identities import UNKNOWN_ALBUM, album_identity, album_name
from ...models import Album, MediaFile, Track
from ...names.facts import VARIOUS_ARTISTS
from ...names.keys import fold


@dataclass(frozen=True, slots=True)
class AlbumInfo:
    """The album of a file, by its tags and its name."""

    title: str | None
    artist: str | None
    is_cover: bool
    """Whether the artist is the album's and not just the track's."""
    year: int | None
    musicbrainz_id: str | None
    folder: str
    artists: tuple[str, ...]
    """Of the album, one by one."""

    @property
    def base(self) -> str:
        """Return the identity of an album of this name and artist."""
        return album_identity(self.title or UNKNOWN_ALBUM, self.artist)


def weight(info: AlbumInfo) -> tuple[Any, ...]:
    """Sort names with an album artist first, then "Album" before "Album (disc two)"."""
    return not info.is_cover, _length(info.title or ""), info.artist or ""


def _length(title: str) -> tuple[int, str]:
    return len(title), title


def new_title(album: Album, tracks: Sequence[Track], info: AlbumInfo | None) -> str:
    """Return an album's title: a new one if no file has the old one any longer."""
    title, own = str(album.title), title_in(album.identity)
    if info is None or info.title is None:
        return title
    is_current = any(own == one[2] for one in _identities(tracks))
    return min(title, info.title, key=_length) if is_current else info.title


def new_artist(
    album: Album, tracks: Sequence[Track], info: AlbumInfo | None
) -> tuple[str | None, list[str] | None]:
    """Return an album's artist and artists, from its files or from its tracks."""
    names_it = _names_it(album, tracks)
    if info is not None and info.is_cover and (album.artists is None or not names_it):
        artist, artists = info.artist, list(info.artists)
    elif names_it and album.artists is not None:
        artist, artists = album.album_artist, album.artists
    else:
        return _artist_of_tracks(album, tracks, info)
    if artist == VARIOUS_ARTISTS:
        return artist, _each(tracks) or [artist]
    return artist, artists


def _artist_of_tracks(
    album: Album, tracks: Sequence[Track], info: AlbumInfo | None
) -> tuple[str | None, list[str] | None]:
    """Return the artist of all tracks, else the one its folder is named after, else various.

    Tracks whose lists of artists begin with the same one are that artist's.
    """
    shown = _by_key(track.artist for track in tracks)
    if len(shown) < 2:
        return next(iter(shown.values()), album.album_artist), None
    leads = _by_key(next(iter(_artists(track)), None) for track in tracks)
    if len(leads) == 1:
        return next(iter(leads.values())), None
    above = fold(os.path.basename(os.path.dirname(info.folder))) if info else ""
    if above in shown:
        return shown[above], [shown[above]]
    return VARIOUS_ARTISTS, _each(tracks)


def _each(tracks: Sequence[Track]) -> list[str]:
    """Return all artists of some tracks, sorted."""
    return sorted(_by_key(name for track in tracks for name in _artists(track)).values())


def _artists(track: Track) -> list[str]:
    if isinstance(track.artists, list):
        return [name for name in track.artists if isinstance(name, str)]
    return [track.artist] if track.artist else []


def _by_key(names: Iterable[str | None]) -> dict[str, str]:
    return {fold(name): str(name) for name in names if name}


def _names_it(album: Album, tracks: Sequence[Track]) -> bool:
    own = album.identity.split(":")[1]
    return any(own == one[1] for one in _identities(tracks))


def _identities(tracks: Sequence[Track]) -> list[list[str]]:
    """Return the identities of the tracks' files, split: "track", artist, album, disc, ..."""
    ids = [track.media_file_id for track in tracks if track.media_file_id is not None]
    found = [str(file.identity) for file in MediaFile.select().where(MediaFile.id.in_(ids))]
    return [identity.split(":") for identity in found if identity.count(":") > 2]


def is_loose(album: Album) -> bool:
    """Whether an album's artist is derived from its tracks, because no file names it."""
    return album.artists is None or album.album_artist == VARIOUS_ARTISTS


def has_own_artists(album: Album) -> bool:
    """Whether a person has set an album's artists."""
    return not is_loose(album) and album.artists != [album.album_artist]


def title_in(identity: str) -> str:
    """Return the folded title in an album's identity."""
    return album_name(identity).rpartition(":")[2]
