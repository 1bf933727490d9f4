"""Resolves a title or an id on the command line."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from ...complaints import UsageError
from ...remedies import command

if TYPE_CHECKING:
    from ....media.models import MediaLibrary
    from ....store import Store

MOVIE, SHOW, EPISODE, FILE = "movie", "show", "episode", "file"

_NUMBERED = re.compile(r"(.+?)\s+S(\d{1,4})E(\d{1,4})(?:\s.*)?", re.IGNORECASE)
_WITH_YEAR = re.compile(r"(.+?)\s*\((\d{4})\)\s*")
_MOST_NAMED = 5


class Chosen(NamedTuple):
    """A movie, a show, an episode or a file."""

    kind: str
    id: str
    name: str
    media_file_id: str | None


def chosen(
    args: Namespace,
    store: Store,
    text: str,
    *,
    kinds: Sequence[str],
    library: MediaLibrary | None = None,
) -> Chosen:
    """Return what an id, a title ("Dune (1984)", "Dark S01E02") or a file's path names.

    Case, accents and punctuation of a title are ignored. Raises NotFoundError, and UsageError with
    the candidates if there are several.
    """
    found = _by_id(store, text, kinds) or _by_path(store, text, kinds)
    candidates = [found] if found else _by_title(store, text, kinds, library)
    if len(candidates) == 1:
        return candidates[0]
    nouns = " or ".join(kinds)
    if not candidates:
        from ....errors import NotFoundError

        raise NotFoundError(f"no {nouns} {text!r}: {command(args, 'search', text)} finds titles")
    named = [f"{one.kind} {one.name}: {one.id}" for one in candidates[:_MOST_NAMED]]
    more = len(candidates) - _MOST_NAMED
    rest = f"; and {more} more" if more > 0 else ""
    raise UsageError(f"{text!r} names several: give an id ({'; '.join(named)}{rest})")


def episode_name(season: int, episode: int | None) -> str:
    """Return S01E02."""
    return f"S{season:02d}E{episode:02d}" if episode is not None else f"S{season:02d}"


def _name(title: str, year: int | None) -> str:
    return f"{title} ({year})" if year else title


def _by_id(store: Store, text: str, kinds: Sequence[str]) -> Chosen | None:
    from ....errors import InvalidValueError, NotFoundError

    for kind in kinds:
        with suppress(NotFoundError, InvalidValueError):  # an id of another kind, or a title
            return _READ[kind](store, text)
    return None


def _movie(store: Store, id: str) -> Chosen:
    movie = store.media.movie(id)
    return Chosen(MOVIE, id, _name(movie.title, movie.year), movie.media_file_id)


def _show(store: Store, id: str) -> Chosen:
    show = store.media.show(id)
    return Chosen(SHOW, id, _name(show.title, show.year), None)


def _episode(store: Store, id: str) -> Chosen:
    return _of_episode(store.media.episode(id))


def _of_episode(episode: Any) -> Chosen:
    number = episode_name(episode.season.season_number, episode.episode_number)
    return Chosen(EPISODE, episode.id, f"{episode.show.title} {number}", episode.media_file_id)


def _file(store: Store, id: str) -> Chosen:
    file = store.media.file(id)
    return Chosen(FILE, id, file.path, id)


_READ: dict[str, Callable[[Store, str], Chosen]] = {
    MOVIE: _movie,
    SHOW: _show,
    EPISODE: _episode,
    FILE: _file,
}


def _by_path(store: Store, text: str, kinds: Sequence[str]) -> Chosen | None:
    import os

    if FILE not in kinds or os.sep not in text:
        return None
    for library in store.media.libraries():
        file = store.media.find_file(library.id, os.path.abspath(text))
        if file is not None:
            return Chosen(FILE, file.id, file.path, file.id)
    return None


def _by_title(
    store: Store, text: str, kinds: Sequence[str], library: MediaLibrary | None
) -> list[Chosen]:
    from ....media.search.words import title_key

    numbered = _NUMBERED.fullmatch(text)
    if numbered and EPISODE in kinds:
        title, year = _with_year(numbered.group(1))
        number = int(numbered.group(2)), int(numbered.group(3))
        episode = store.media.find_episode(title, *number, year=year)
        if episode is not None:
            return [_episode(store, episode.id)]
    found: dict[str, Chosen] = {}
    for title, year in {(text, None), _with_year(text)}:
        for hit in store.media.search(title, limit=1000):
            if (
                hit.kind in kinds
                and title_key(hit.title) == title_key(title)
                and year in (None, hit.year)
                and (library is None or library.id == hit.library_id)
            ):
                found[hit.id] = _READ[hit.kind](store, hit.id)
    return list(found.values())


def _with_year(text: str) -> tuple[str, int | None]:
    match = _WITH_YEAR.fullmatch(text)
    return (match.group(1), int(match.group(2))) if match else (text, None)
