"""Checks of what plugins answer: known facts have the type of their column, others are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ...database.checks import (
    LONGEST_ID,
    LONGEST_TITLE,
    checked_number,
    checked_text,
    checked_title,
    refused,
)
from ...database.orm.fields import DateField, JSONField, checked_value, dumps
from ...errors import InvalidValueError
from ...media.models import Album, Episode, Movie, Season, Track, TVShow

# Columns that identify a row, or that only a scan knows.
_STRUCTURE = frozenset(
    (
        "id",
        "library",
        "media_file",
        "work",
        "show",
        "season",
        "album",
        "identity",
        "cleared",
        "sources",
        "created_at",
        "updated_at",
        "season_number",
        "episode_number",
        "episode_number_end",
        "disc_number",
        "track_number",
        "duration",
        "disc_count",
        "track_count",
    )
)
_TITLES = frozenset(("title", "sort_title", "original_title", "album_artist", "artist"))
_OBJECTS = frozenset(("disc_titles",))
_RANGES = {"year": 9999, "original_year": 9999, "runtime": 200_000, "rating": 10}
_NESTED: dict[str, dict[str, Any]] = {
    "movie": {},
    "episode": {"show": TVShow, "season": Season},
    "track": {"album": Album},
}
_MODELS: dict[str, Any] = {"movie": Movie, "episode": Episode, "track": Track}
_EPISODES = "episodes"


def known_facts(model: Any) -> dict[str, Any]:
    """Return the columns of a model that a plugin can answer, by name."""
    return {name: field for name, field in model._meta.fields.items() if name not in _STRUCTURE}


def checked_facts(kind: str, facts: object) -> dict[str, Any] | None:
    """Return facts as they are stored; raises InvalidValueError, which names the wrong one."""
    if facts is None:
        return None
    found = _mapping("facts", facts)
    if kind in _MODELS:
        found = _checked("facts", found, _MODELS[kind], _NESTED[kind])
        if kind == "episode" and found.get(_EPISODES) is not None:
            found[_EPISODES] = _checked_episodes(found[_EPISODES])
    for name, value in found.items():
        _check_json(f"facts.{name}", {name: value})
    return found or None


def _checked_episodes(value: object) -> list[dict[str, Any]]:
    path = f"facts.{_EPISODES}"
    if not isinstance(value, (list, tuple)):
        raise refused(path, "a list of facts, in the order of the item's episode_ids", value)
    return [
        _checked(f"{path}[{n}]", _mapping(f"{path}[{n}]", one), Episode, {})
        for n, one in enumerate(value)
    ]


def _mapping(path: str, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        expected = "a mapping, or None if nothing is known" if path == "facts" else "a mapping"
        raise refused(path, expected, value)
    for name in value:
        if not isinstance(name, str):
            raise refused(f"each name in {path}", "text", name)
    return dict(value)


def _checked(
    path: str, facts: dict[str, Any], model: Any, nested: Mapping[str, Any]
) -> dict[str, Any]:
    known = known_facts(model)
    found = {}
    for name, value in facts.items():
        here = f"{path}.{name}"
        if value is not None and name in nested:
            value = _checked(here, _mapping(here, value), nested[name], {})
        elif value is not None and name in known:
            value = _checked_fact(here, name, known[name], value)
        found[name] = value
    return found


def _checked_fact(path: str, name: str, field: Any, value: Any) -> Any:
    if isinstance(field, DateField):
        return _checked_date(path, value)
    if isinstance(field, JSONField):
        expected = dict if name in _OBJECTS else (list, tuple)
        if not isinstance(value, expected):
            raise refused(path, "a mapping" if name in _OBJECTS else "a list", value)
        return value
    if name in _RANGES:
        checked_number(path, value, 0, _RANGES[name])
    if name == "title":
        return checked_title(path, value)
    try:
        value = checked_value(field, value)
    except InvalidValueError as exc:
        raise InvalidValueError(str(exc).replace(field.name, path, 1)) from None
    if isinstance(value, str) and (name in _TITLES or name.endswith("_id")):
        checked_text(path, value, longest=LONGEST_TITLE if name in _TITLES else LONGEST_ID)
    return value


def _checked_date(path: str, value: object) -> str:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            value = str(value)
    elif type(value) is date:
        return value.isoformat()
    raise refused(path, "a date, or its text as in 1922-03-04", value)


def _check_json(path: str, value: object) -> None:
    try:
        checked_text(path, dumps(value))
    except InvalidValueError as exc:
        reason = str(exc)
        raise InvalidValueError(
            reason if reason.startswith(path) else f"{path}: {reason}"
        ) from None
