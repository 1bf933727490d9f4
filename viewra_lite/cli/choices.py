"""Resolves arguments: a library by id, name or path, and an id by a unique prefix."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, TypeVar

from .complaints import UsageError

if TYPE_CHECKING:
    from ..media.models import MediaLibrary
    from ..store import Store

_T = TypeVar("_T")
_SHORTEST = 8  # characters of an id
_MOST_NAMED = 5


def short_ids(ids: Collection[str]) -> dict[str, str]:
    """Return the shortest unique prefix of each id, of at least eight characters."""
    ordered = ["", *sorted(ids), ""]
    return {
        id: id[: max(_SHORTEST, 1 + _shared(id, before), 1 + _shared(id, after))]
        for before, id, after in zip(ordered, ordered[1:], ordered[2:])
    }


def _shared(one: str, other: str) -> int:
    return len(os.path.commonprefix((one, other)))


def whole_id(text: str, ids: Collection[str], noun: str, where: str) -> str:
    """Return the id that equals a text or begins with it; `where` is the command that lists them.

    Raises NotFoundError, and UsageError with the candidates if there are several.
    """
    found = [id for id in ids if id == text] or [id for id in ids if text and id.startswith(text)]
    return _only(text, found, found, noun, where)


def chosen_library(store: Store, text: str, where: str) -> MediaLibrary:
    """Return a library by its id, its name, its path, or a prefix of its id.

    Case is ignored if no name matches exactly. Raises the errors of whole_id().
    """
    libraries = store.media.libraries()
    found = matching_libraries(libraries, text)
    short = short_ids([library.id for library in libraries])
    candidates = [f"{short[one.id]} ({one.name}, {one.path})" for one in found]
    return _only(text, found, candidates, "library", where)


def matching_libraries(libraries: Sequence[MediaLibrary], text: str) -> list[MediaLibrary]:
    """Return every library that a text may refer to."""
    if not text:
        return []
    path = os.path.abspath(text)
    return (
        [one for one in libraries if text in (one.id, one.name) or one.path == path]
        or [one for one in libraries if one.name.casefold() == text.casefold()]
        or [one for one in libraries if one.id.startswith(text)]
    )


def _only(text: str, found: Sequence[_T], candidates: Sequence[str], noun: str, where: str) -> _T:
    from ..errors import NotFoundError

    if not found:
        raise NotFoundError(f"no {noun} {text!r}: {where} lists them")
    if len(found) > 1:
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        raise UsageError(
            f"{text!r} matches more than one {noun}: {', '.join(candidates[:_MOST_NAMED])}{more}"
        )
    return found[0]
