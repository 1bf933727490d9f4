"""The history of migrations: a table for each module, with a row for each script that was begun."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import peewee

from ...errors import MigrationError, NewerSchemaError
from ..orm.fields import TimestampField
from .scripts import Script

HISTORY_PREFIX = "viewra_migrations_"
COMMAND = "viewra-lite migrate"


class Entry(NamedTuple):
    """What the history says of a script."""

    checksum: str | None
    applied: Any
    """An aware datetime: when it was applied, or its schema part if it is unfinished."""
    unfinished: str | None
    """Of a script that runs in chunks and has not ended: its Position, as JSON."""


class Position(NamedTuple):
    """How far a script that runs in chunks is."""

    chunks: int
    after: Any
    """What its last chunk returned; None before the first."""


Applied = Mapping[str, Mapping[str, Entry]]
"""By module, then by name."""


def history(database: peewee.Database, module: str) -> Any:
    """Return the model of a module's history table, bound to the database."""

    class History(peewee.Model):
        """Migrations of this module that were applied."""

        name = peewee.TextField(primary_key=True, help_text="file name without .py")
        checksum = peewee.TextField(null=True, help_text="SHA-256 of its source")
        applied = TimestampField(help_text="UTC")
        unfinished = peewee.TextField(
            null=True, help_text="JSON; where it continues, if it runs in chunks and has not ended"
        )

        class Meta:
            table_name = HISTORY_PREFIX + module

    History._meta.set_database(database)
    return History


def applied_scripts(database: Any, modules: Iterable[str]) -> Applied:
    """Return the history of the modules; call it inside a transaction."""
    tables = set(database.get_tables())
    histories = " UNION ALL ".join(
        f"SELECT '{module}', name, checksum, applied, unfinished FROM {HISTORY_PREFIX}{module}"
        for module in modules
        if HISTORY_PREFIX + module in tables
    )
    lines = database.execute_sql(histories).fetchall() if histories else ()
    applied: dict[str, dict[str, Entry]] = {}
    for module, name, checksum, moment, unfinished in lines:
        moment = TimestampField().python_value(moment)
        applied.setdefault(module, {})[name] = Entry(checksum, moment, unfinished)
    return applied


def pending(module: str, known: Sequence[Script], applied: Mapping[str, Entry]) -> list[Script]:
    """Return the scripts that have not ended; raises if the history does not match the scripts."""
    names = {script.name for script in known}
    unknown = sorted(set(applied) - names)
    if unknown:
        raise NewerSchemaError(
            f"the store's {module} tables were migrated by {', '.join(unknown)}, which this "
            f"version does not have: upgrade viewra_lite, or the package of the module {module}. "
            "Nothing was changed"
        )
    missing = [script for script in known if script.name not in applied]
    latest = max((s.number for s in known if s.name in applied), default=-1)
    late = [script.name for script in missing if script.number < latest]
    if late:
        raise MigrationError(
            f"module {module}: {', '.join(late)} has a lower number than a script that was "
            "applied: give it the next number"
        )
    _refuse_edited(module, known, applied)
    return [one for one in known if one.name not in applied or applied[one.name].unfinished]


def _refuse_edited(module: str, known: Sequence[Script], applied: Mapping[str, Entry]) -> None:
    for script in known:
        entry = applied.get(script.name)
        # An unfinished one may have failed: it has to be corrected to end.
        if entry is None or entry.unfinished or not (entry.checksum and script.checksum):
            continue
        if entry.checksum != script.checksum:
            raise MigrationError(
                f"module {module}: {script.name} was edited after it had been applied: restore it, "
                "and put the change into a new script"
            )


def too_long(script: Script, seconds: float) -> MigrationError:
    """Return the error for a script that did not end while a store was opened."""
    return MigrationError(
        f"{script.module} {script.name} has more rows to change than fit into the {seconds:.0f} s "
        f"that opening a store may take: run {COMMAND}, which shows its progress and continues "
        "where it stopped"
    )


def position_of(unfinished: str) -> Position:
    """Return the position that a history stores."""
    return Position(*json.loads(unfinished))


def position_text(position: Position) -> str:
    """Return a position as JSON; raises MigrationError for what JSON cannot hold."""
    try:
        return json.dumps(position, allow_nan=False)
    except (TypeError, ValueError) as exc:
        raise MigrationError(f"chunk() must return text, a number or None: {exc}") from exc
