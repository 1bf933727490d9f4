"""Locks of fields: what a person has decided stays until it is unlocked."""

from __future__ import annotations

from ...database.checks import checked_choice
from ...database.transactions.database import Database
from ...media.catalog import answered
from .applying import Applying


def lock(db: Database, kind: str, id: str, field: str) -> None:
    """Lock a field with its value."""
    _check(kind, field)
    with db.writer():
        answered.lock(db, kind, id, field)


def unlock(db: Database, applying: Applying, kind: str, id: str, field: str) -> None:
    """Unlock a field; it takes the value of the next source."""
    _check(kind, field)
    with db.writer():
        answered.unlock(db, kind, id, field)
        applying.merge(kind, id)


def _check(kind: str, field: str) -> None:
    checked_choice("kind", kind, tuple(answered.MODELS))
    checked_choice("field", field, answered.fields_of(kind))
