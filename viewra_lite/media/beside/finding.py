"""The sidecars of a title: values and pictures, by the names of our columns.

Nothing here asks the store: files and folders of the title are given, and whether a folder has
only files of this title, so that "poster.jpg" and "movie.nfo" in it are this title's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..names.kinds import stem_of
from ..models import Album, Episode, Movie, Season, Track, TVShow
from .disk import Disk, Listing
from .folders import LYRICS, NFO
from .nfo.reader import Kind, Nfo
from .queries import FileBeside
from .subtitles import FOLDERS, Subtitle, subtitles_in, subtitles_of

_PICTURES = ("poster_path", "backdrop_path", "logo_path", "thumb_path")
_SHARED = "title sort_title original_title overview year runtime genres cast rating tagline".split()
COLUMNS: dict[Any, tuple[str, ...]] = {
    Movie: (
        *_SHARED,
        *("content_rating", "release_date", "director", "tmdb_id", "imdb_id"),
        *_PICTURES,
    ),
    TVShow: (
        *_SHARED,
        *("content_rating", "first_air_date", "last_air_date", "status", "network", "creators"),
        *("tmdb_id", "tvdb_id", "imdb_id"),
        *_PICTURES,
    ),
    Season: ("title", "overview", "air_date", "tmdb_id", "tvdb_id", "poster_path"),
    Episode: (
        *("title", "overview", "air_date", "runtime", "rating", "director", "cast"),
        *("tmdb_id", "tvdb_id", "imdb_id", "still_path"),
    ),
    Album: (
        *("title", "album_artist", "release_date", "original_date", "year", "genres", "label"),
        *("album_type", "is_compilation", "musicbrainz_id", "cover_path"),
    ),
    Track: ("lyrics",),
}
"""The columns that files beside the media may fill."""

Values = dict[str, Any]
IsAlone = Callable[[str], bool]


class Numbered(NamedTuple):
    """An episode of a file."""

    season: int
    number: int | None


def of_movie(disk: Disk, folders: Sequence[str], files: Sequence[str], is_alone: IsAlone) -> Values:
    """Return the sidecar values of a movie; files are its paths, the best first."""
    listings = _listings(disk, files)
    alone = [disk.listing(folder) for folder in folders if is_alone(folder)]
    nfos = [path for at, stem in listings if (path := at.find(stem + NFO))]
    for at in alone:
        some = [name for name in at.files if name.lower().endswith(NFO)]
        nfos += [path for path in (at.find("movie.nfo"),) if path]
        nfos += [at.path(name) for name in some[:1] if len(some) == 1]
    pictures = _merged(
        *(_paths(at, at.pictures.own("movie", stem)) for at, stem in listings),
        *(_paths(at, at.pictures.generic("movie")) for at in alone),
    )
    return _with(_said(disk, nfos, "movie"), pictures)


def of_show(disk: Disk, folders: Sequence[str], is_alone: IsAlone) -> Values:
    """Return the sidecar values of a show."""
    some = [disk.listing(folder) for folder in folders if is_alone(folder)]
    nfos = [path for at in some if (path := at.find("tvshow.nfo"))]
    pictures = _merged(*(_paths(at, at.pictures.generic("show")) for at in some))
    return _with(_said(disk, nfos, "show"), pictures)


def titles_of_seasons(disk: Disk, folders: Sequence[str], is_alone: IsAlone) -> Mapping[int, str]:
    """Return the titles that a show's nfo gives its seasons, by number."""
    paths = [disk.listing(folder).find("tvshow.nfo") for folder in folders if is_alone(folder)]
    return _first(disk, [path for path in paths if path], "show").season_titles


def of_season(
    disk: Disk, shows: Sequence[str], folder: str | None, number: int, title: str | None
) -> Values:
    """Return the sidecar values of a season, in its own folder and in its show's."""
    own = None if folder is None else disk.listing(folder)
    nfos = [path for path in (own and own.find("season.nfo"),) if path]
    listings = [disk.listing(show) for show in shows]
    pictures = _merged(
        _paths(own, own.pictures.generic("season")) if own else {},
        *(
            {"poster_path": at.path(name)}
            for at in listings
            if (name := at.pictures.seasons().get(number))
        ),
    )
    values = _with(_said(disk, nfos, "season"), pictures)
    return {**({"title": title} if title else {}), **values}


def of_episode(
    disk: Disk, files: Sequence[tuple[str, Sequence[Numbered]]], own: Numbered
) -> Values:
    """Return the sidecar values of an episode; files are its paths with the episodes of each."""
    found: list[Values] = []
    for path, episodes in files:
        ((at, stem),) = _listings(disk, [path])
        nfo = at.find(stem + NFO)
        said = None if nfo is None else _of_number(disk, nfo, episodes, own)
        found.append(_with(said, _paths(at, at.pictures.own("episode", stem))))
    return _merged(*found)


def of_album(disk: Disk, folders: Sequence[str], is_alone: IsAlone) -> Values:
    """Return the sidecar values of an album, in the first of its folders that has any."""
    some = [disk.listing(folder) for folder in folders if is_alone(folder)]
    nfos = [path for at in some if (path := at.find("album.nfo"))]
    pictures = _merged(*(_paths(at, at.pictures.generic("album")) for at in some))
    return _with(_said(disk, nfos, "album"), pictures)


def of_track(disk: Disk, files: Sequence[str]) -> Values:
    """Return the lyrics beside a track."""
    for at, stem in _listings(disk, files):
        path = at.find(stem + LYRICS)
        lyrics = None if path is None else disk.lyrics(path)
        if lyrics:
            return {"lyrics": lyrics}
    return {}


def subtitles(disk: Disk, video: FileBeside, files: Sequence[FileBeside]) -> list[Subtitle]:
    """Return the subtitles beside a video, with their paths as names; files are its folder's."""
    at, stem = disk.listing(os.path.dirname(video.path)), _stem(video.path)
    stems = [_stem(file.path) for file in files]
    is_only = not video.is_extra and sum(not file.is_extra for file in files) == 1
    found = _at(at, subtitles_of(stem, stems, at.subtitles, is_only=is_only))
    for name in at.folders:
        if name.lower() in FOLDERS:
            found += _subtitles_inside(disk, disk.listing(at.path(name)), stem, stems, is_only)
    return found


def _subtitles_inside(
    disk: Disk, inside: Listing, stem: str, stems: Sequence[str], is_only: bool
) -> list[Subtitle]:
    """Return the subtitles of a video in a folder of subtitles, and in one of its name there."""
    if is_only:
        found = _at(inside, subtitles_in(inside.subtitles))
    else:
        found = _at(inside, subtitles_of(stem, stems, inside.subtitles, is_only=False))
    for name in inside.folders:
        if name.lower() == stem.lower():
            deepest = disk.listing(inside.path(name))
            found += _at(deepest, subtitles_in(deepest.subtitles))
    return found


# Parts


def _stem(path: str) -> str:
    return stem_of(os.path.basename(path))


def _listings(disk: Disk, paths: Iterable[str]) -> list[tuple[Listing, str]]:
    return [(disk.listing(os.path.dirname(path)), _stem(path)) for path in paths]


def _at(listing: Listing, some: list[Subtitle]) -> list[Subtitle]:
    return [one._replace(name=listing.path(one.name)) for one in some]


def _paths(listing: Listing, names: dict[str, str]) -> Values:
    return {column: listing.path(name) for column, name in names.items()}


def _merged(*some: Values) -> Values:
    """Return the values of several, the first of each column."""
    return {name: value for one in reversed(some) for name, value in one.items()}


def _first(disk: Disk, paths: Iterable[str], kind: Kind) -> Nfo:
    titles = (disk.nfo(path).of(kind) for path in paths)
    return next((title for title in titles if title is not None), Nfo(kind))


def _said(disk: Disk, paths: Sequence[str], kind: Kind) -> Nfo:
    """Return the first title of a kind in some nfo files, with the ids of addresses in them."""
    found = _first(disk, paths, kind)
    links = [link for path in paths if (link := disk.nfo(path).of("link")) is not None]
    ids = _merged(*(link.values for link in links if link.of in (None, kind)))
    if kind not in ("movie", "show"):
        ids = {}
    return replace(found, values={**ids, **found.values})


def _of_number(disk: Disk, path: str, episodes: Sequence[Numbered], own: Numbered) -> Nfo | None:
    """Return the title of an episode among those of its file's nfo: by number, else by order."""
    titles = [title for title in disk.nfo(path).titles if title.kind == "episode"]
    for title in titles:
        if (title.season, title.episode) == (own.season, own.number):
            return title
    if len(titles) == len(episodes) and own in episodes:
        return titles[list(episodes).index(own)]
    return None


def _with(nfo: Nfo | None, pictures: Values) -> Values:
    """Return the values of a title; a picture on disk is preferred to an address."""
    return pictures if nfo is None else {**nfo.values, **nfo.pictures, **pictures}
