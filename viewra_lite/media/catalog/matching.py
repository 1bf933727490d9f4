"""Matching: the movie or show of a library that a name belongs to.

    known                    movie                                show
    an equal external id     one                                  one
    an unequal one           two                                  two
    title and year equal     one, in any folder                   one
    both years, not equal    two                                  two
    one year                 one in the same folder, else two     one in the same folder, else two
    no year                  one in the same folder, else two     one

The folder of a show is the one below the library's; the library's own folder proves nothing. Two
rows of which one has replaced the other are merged at the end of a scan: Catalog.rename_into(). Two
that one file matches, one by id and one by name, are joined unless an id or a year differs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from ...database.transactions.database import Database
from .. import queries
from ..files import versions
from ..identities import movie_identity, show_identity
from ..models import Episode, MediaFile, MediaLibrary, Movie, TVShow
from ..names.facts import EpisodeName, MovieName
from ..names.films.parts import film_folder
from ..names.keys import LONGEST_KEY, fold
from .cleared import known

_IDS = ("tmdb_id", "imdb_id", "tvdb_id")
_ANY_YEAR = "~"  # after every digit and "#"


def movies_of(
    db: Database, library: MediaLibrary, file: MediaFile, name: MovieName
) -> tuple[list[Movie], str]:
    """Return the movie of a file, if known, and the identity of a new one.

    Several rows, the oldest first, are one movie that was found as two.
    """
    identity = movie_identity(name.title, name.year)
    if name.year is None and not _has_ids(name):
        identity += _beside(_folder(library, file.path), name.title)
    alike = _alike(db, Movie, library, movie_identity(name.title, None))
    found = _by_ids(Movie, library, name)
    named = _exact(_without(alike, found), identity, name)
    if named is None:
        here = _folder(library, file.path)
        named = _only(
            row
            for row in _compatible(_without(alike, found), name, name.year)
            if here and here in {_folder(library, one.path) for one in versions.files_of(db, row)}
        )
    rows = _one(found, named)
    others = _without(alike, rows)
    return rows, _free(others, identity, name, _folder(library, file.path))


def shows_of(
    db: Database, library: MediaLibrary, file: MediaFile, name: EpisodeName
) -> tuple[list[TVShow], str]:
    """Return the show of a file, if known, and the identity of a new one.

    Several rows, the oldest first, are one show that was found as two.
    """
    identity = show_identity(name.show, name.show_year)
    alike = _alike(db, TVShow, library, show_identity(name.show, None))
    found = _by_ids(TVShow, library, name)
    named = _exact(_without(alike, found), identity, name)
    if named is None:
        here = _top_folder(library, file.path)
        named = _only(
            row
            for row in _compatible(_without(alike, found), name, name.show_year)
            if here and here == _top_folder_of(library, row)
        )
    rows = _one(found, named)
    others = _without(alike, rows)
    return rows, _free(others, identity, name, _top_folder(library, file.path))


def of_equal_ids(row: Any) -> list[Any]:
    """Return a row and those of its library with an equal external id, the oldest first.

    A row with another id that is unequal is left out.
    """
    model, rows = type(row), [row]
    for column in _IDS:
        value = getattr(row, column, None)
        if value is None:
            continue
        same = (model.library == row.library_id) & (getattr(model, column) == value)
        for other in model.select().where(same).order_by(model.id):
            if all(other.id != one.id and not _is_another(other, one) for one in rows):
                rows.append(other)
    return sorted(rows, key=attrgetter("id"))


def own_identity(row: Movie, name: MovieName, identity: str) -> str:
    """Return the identity of a movie under the new name of its files.

    It needs no mark to be distinguished from itself.
    """
    plain = movie_identity(name.title, name.year)
    is_own = row.identity == plain and (name.year is not None or _has_ids(name))
    return plain if is_own else identity


def same_episode(show: TVShow, episode: Episode) -> Any:
    """Return the condition for the same episode of another show: its number, else its title."""
    is_numbered = episode.episode_number is not None
    column = Episode.episode_number if is_numbered else Episode.title
    return (
        (Episode.show == show.id)
        & (Episode.season_number == episode.season_number)
        & (Episode.episode_number.is_null(not is_numbered))
        & (column == (episode.episode_number if is_numbered else episode.title))
    )


def alike(db: Database, model: Any, library: MediaLibrary, row: Any) -> list[Any]:
    """Return the other rows of a title that differ from a row neither in year nor in id."""
    title = row.identity.split(":")[1]
    kind = "movie" if model is Movie else "show"
    others = _compatible(_alike(db, model, library, f"{kind}:{title}:"), row, row.year)
    return [other for other in others if other.id != row.id]


def _alike(db: Database, model: Any, library: MediaLibrary, stem: str) -> list[Any]:
    """Return the rows whose files have this title, of any year, by identity."""
    statement = queries.movies_between if model is Movie else queries.shows_between
    return db.all(statement, library.id, stem, stem + _ANY_YEAR)


def _by_ids(model: Any, library: MediaLibrary, name: object) -> list[Any]:
    """Return the rows with an external id of a name."""
    rows: dict[str, Any] = {}
    for column in _IDS:
        value = getattr(name, column, None)
        if value is not None and column in model._meta.fields:
            row = model.get_or_none(model.library == library.id, getattr(model, column) == value)
            if row is not None:
                rows.setdefault(row.id, row)
    return list(rows.values())


def _one(found: list[Any], named: Any) -> list[Any]:
    """Return the rows that a file shows to be one, the oldest first.

    A row with another id or year than the first is left out: the name of a file may be wrong.
    """
    rows: list[Any] = []
    for row in found if named is None else [*found, named]:
        if all(_compatible([row], one, known(one, "year")) and row.id != one.id for one in rows):
            rows.append(row)
    return sorted(rows, key=attrgetter("id"))


def _only(rows: Iterable[Any]) -> Any:
    """Return a row if it is the only one."""
    some = list(rows)
    return some[0] if len(some) == 1 else None


def _without(rows: list[Any], others: list[Any]) -> list[Any]:
    ids = {row.id for row in others}
    return [row for row in rows if row.id not in ids]


def _exact(alike: list[Any], identity: str, name: object) -> Any:
    return next(
        (row for row in alike if row.identity == identity and not _is_another(row, name)), None
    )


def _compatible(alike: list[Any], name: object, year: int | None) -> list[Any]:
    """Return the rows that differ from a name neither in id nor in year."""
    return [
        row
        for row in alike
        if not _is_another(row, name) and (year is None or known(row, "year") in (None, year))
    ]


def _is_another(row: object, name: object) -> bool:
    """Whether an external id differs."""
    return any(
        None not in (known(row, column), known(name, column))
        and known(row, column) != known(name, column)
        for column in _IDS
    )


def _has_ids(name: object) -> bool:
    return any(getattr(name, column, None) is not None for column in _IDS)


def _free(alike: list[Any], identity: str, name: object, folder: str) -> str:
    """Return an identity that no other row of the library has."""
    if all(row.identity != identity for row in alike):
        return identity
    ids = [f"{column}{getattr(name, column)}" for column in _IDS if getattr(name, column, None)]
    return f"{identity}#{ids[0] if ids else _key(folder)}"


def _folder(library: MediaLibrary, path: str) -> str:
    """Return the folder of a film below the library's, "" for the library's own."""
    return film_folder(os.path.dirname(os.path.relpath(path, library.path)))


def _beside(folder: str, title: str) -> str:
    """Return the folders around a film's own, which distinguish films without a year."""
    *above, own = folder.split(os.sep)
    around = os.sep.join(above) if fold(own).startswith(fold(title)) else folder
    return f"#{_key(around)}" if around else ""


def _key(folder: str) -> str:
    """Return a folder as part of an identity; of a long one the end, which differs the most."""
    return "/".join(map(fold, folder.split(os.sep)))[-LONGEST_KEY:]


def _top_folder(library: MediaLibrary, path: str) -> str:
    return _folder(library, path).split(os.sep)[0]


def _top_folder_of(library: MediaLibrary, show: TVShow) -> str | None:
    file = _files_of(library, show).order_by(MediaFile.path).first()
    return None if file is None else _top_folder(library, file.path)


def names_show(library: MediaLibrary, show: TVShow, file: MediaFile) -> bool:
    """Whether a file names its show: the first one, and those in the same folder."""
    first = _files_of(library, show).order_by(MediaFile.path).first()
    top = _top_folder(library, file.path)
    is_beside = first is not None and top != "" and top == _top_folder(library, first.path)
    return first is None or first.id == file.id or is_beside


def other_paths(library: MediaLibrary, show: TVShow, file: MediaFile) -> list[str]:
    """Return the paths of the other present files of a show."""
    others = _files_of(library, show).where(MediaFile.id != file.id, MediaFile.status == "present")
    return [other.path for other in others]


def _files_of(library: MediaLibrary, show: TVShow) -> Any:
    return (
        MediaFile.select(MediaFile.id, MediaFile.path)
        .join(Episode, on=(Episode.media_file == MediaFile.id))
        .where(Episode.show == show.id, MediaFile.library == library.id)
    )
