"""The table of changes."""

from __future__ import annotations

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import BigAutoField, TextField

from ..database.orm.fields import JSONField, TimestampField
from ..database.orm.models import StoreModel


class Change(StoreModel):
    """Events of the last 30 days, in the order of their commits."""

    id = BigAutoField(help_text="ascending; a rolled-back transaction may leave a gap")
    event = TextField(help_text="movie.added, session.stopped, ...")
    facts = JSONField(help_text="JSON object: the ids, and what can no longer be looked up")
    created_at = TimestampField(help_text="UTC")

    class Meta:
        table_name = "changes"


MODELS = (Change,)
