"""What the verbs of the media room may be called with."""

from __future__ import annotations

from typing import Any

from ..database.fields import checked_value
from ..errors import InvalidValueError, NotFoundError
from .models import MediaLibrary


def checked_title(title: Any) -> str:
    """Return a title; raises InvalidValueError unless it is text that is not blank."""
    if not isinstance(title, str) or not title.strip():
        raise InvalidValueError(f"title must be text, not {title!r}")
    return checked_text("title", title)


def checked_text(name: str, value: Any) -> str:
    """Return text; raises InvalidValueError for what no engine could compare with a column."""
    try:
        return str(checked_value(MediaLibrary.name, value))
    except InvalidValueError as exc:
        raise InvalidValueError(f"{name} must be text, not {value!r}") from exc


def known_id(noun: str, id: Any) -> str:
    """Return an id; raises NotFoundError for what cannot be one."""
    try:
        return checked_text("id", id)
    except InvalidValueError as exc:
        raise NotFoundError(f"there is no {noun} {id!r}") from exc
