"""The table of maintenance: the chores, when they are due, and how they went."""

from __future__ import annotations

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import DoubleField, IntegerField, SQL, TextField

from ..database.orm.fields import TimestampField
from ..database.orm.models import StoreModel


class Chore(StoreModel):
    """Chores: when each is due, and how its last run went."""

    name = TextField(primary_key=True, help_text="backup, vacuum, media.tidy, ...")
    due_at = TimestampField(help_text="next run, UTC")
    last_run_at = TimestampField(null=True, help_text="begin of the last run that ended, UTC")
    seconds = DoubleField(null=True, help_text="length of that run")
    done = TextField(null=True, help_text="what the last run that succeeded did")
    error = TextField(null=True, help_text="why the last run failed; NULL if it did not")
    failures = IntegerField(
        default=0, constraints=[SQL("DEFAULT 0")], help_text="failed runs since the last good one"
    )

    class Meta:
        table_name = "maintenance_chores"


MODELS = (Chore,)
