"""Drift: how the tables of a store differ from those that its migrations make.

The scripts that were applied run on an empty database, and its catalogue is compared with that of
the store: an undamaged store of the same history has exactly these tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import TransactionError
from ..backend import Column, Table, Tables
from ..findings import Finding
from ..orm.peewee_import import import_schema_migrator
from .history import HISTORY_PREFIX, history

if TYPE_CHECKING:
    from ..transactions.database import Database
    from .scripts import Migrated, Script

ID = "schema"
_MOST_NAMED = 10
# Tables of a program that copies the store, of what adoption keeps beside the store, of plugins,
# and the histories of modules that are not loaded.
_KNOWN = ("_litestream_", "adopted_", "plugin_", "viewra_migrations_")
_UNDO = "undo the change, or restore a backup from before it"


def drift(db: Database, modules: Sequence[Migrated], applied: Sequence[Script]) -> list[Finding]:
    """Return the differences, in the order of the tables' names."""
    if db.in_transaction:
        raise TransactionError("drift() inside a reader() or writer(): leave that block first")
    engine = of_engine(db.backend.engine)
    with db.reader():
        found: Tables = engine.tables(db.backend.database.connection())
    failed: list[Finding] = []
    expected: Tables = engine.made(db.backend, lambda empty: failed.extend(_run(empty, applied)))
    lost = tuple(f"{name}_" for name in expected if _is_lost(name, expected, found))
    findings = failed + [
        finding
        for name in sorted(expected)
        if name in found or not name.startswith(lost)
        for finding in _compared(name, expected[name], found.get(name))
    ]
    tables = {each.name: [model._meta.table_name for model in each.models] for each in modules}
    migrated = {script.module for script in applied}
    for each in modules:
        if each.migrations and each.name not in migrated:
            findings += _lost_history(
                each.name, [name for name in tables[each.name] if name in found]
            )
    known = {name for names in tables.values() for name in names}
    unknown = [name for name in found if name not in expected and name not in known]
    return findings + _unknown([name for name in unknown if not name.startswith(_KNOWN)])


def _lost_history(module: str, found: Sequence[str]) -> list[Finding]:
    if not found:
        return []
    text = f"the history {HISTORY_PREFIX}{module} is missing or empty, but {found[0]} is here"
    return [Finding(ID, "error", text, "restore a backup")]


def _is_lost(name: str, expected: Tables, found: Tables) -> bool:
    """Whether a virtual table is gone, and with it the tables that it consists of."""
    kind = found[name].kind if name in found else ""
    return expected[name].kind == "virtual table" != kind


def of_engine(engine: str) -> Any:
    """Return the module that reads the catalogue of an engine."""
    if engine == "postgres":
        from ..postgres.health import catalogue as postgres

        return postgres
    from ..sqlite.health import catalogue as sqlite

    return sqlite


def _run(database: Any, scripts: Sequence[Script]) -> Iterator[Finding]:
    """Run scripts on an empty database; a finding says which one cannot."""
    migrator = import_schema_migrator().from_database(database)
    for script in scripts:
        try:
            with database.atomic():
                history(database, script.module).create_table()
                module = script.load()
                if hasattr(module, "up"):  # else it changes rows only
                    module.up(migrator, database)
        except Exception as exc:  # of a script of another package
            text = f"{script.module} {script.name} does not run on an empty database: {exc}"
            remedy = f"repair the script: the tables of {script.module} cannot be compared"
            yield Finding(ID, "warning", text, remedy)


def _compared(name: str, expected: Table, found: Table | None) -> Iterator[Finding]:
    """Yield the differences of one table."""
    if found is None:
        yield Finding(ID, "error", f"the {expected.kind} {name} is missing", "restore a backup")
        return
    if found.kind != expected.kind:
        text = f"{name} is a {found.kind} and should be a {expected.kind}"
        yield Finding(ID, "error", text, _UNDO)
        return
    for option in sorted(found.options ^ expected.options):
        verb = "has" if option in found.options else "does not have"
        yield Finding(ID, "error", f"the table {name} {verb} the option {option}", _UNDO)
    yield from _columns(name, expected.columns, found.columns)
    yield from _constraints(name, expected.constraints, found.constraints)
    yield from _parts("index", name, expected.indexes, found.indexes, _severity_of_index)
    yield from _parts("trigger", name, expected.triggers, found.triggers, _severity_of_trigger)


def _columns(
    table: str, expected: Mapping[str, Column], found: Mapping[str, Column]
) -> Iterator[Finding]:
    for name, column in expected.items():
        if name not in found:
            yield Finding(ID, "error", f"the column {table}.{name} is missing", "restore a backup")
        elif found[name] != column:
            yield Finding(ID, "error", f"{table}.{name} {_change(column, found[name])}", _UNDO)
    for name in found.keys() - expected.keys():
        column = found[name]
        is_harmless = column.is_nullable or column.default is not None
        text = f"{table}.{name} ({column.type}) is not a column of this version"
        if is_harmless:
            yield Finding(ID, "info", text)
        else:
            yield Finding(ID, "error", f"{text}, and needs a value in each new row", _UNDO)


def _change(expected: Column, found: Column) -> str:
    """Return how a column has changed, as the rest of a sentence."""
    changes = []
    if found.type != expected.type:
        changes.append(f"is of type {found.type} and should be {expected.type}")
    if found.is_nullable != expected.is_nullable:
        changes.append("accepts NULL" if found.is_nullable else "does not accept NULL any more")
    if found.default != expected.default:
        changes.append(f"has the default {found.default} and should have {expected.default}")
    if not changes:
        changes.append(f"is defined as {found.definition!r} and should be {expected.definition!r}")
    return ", ".join(changes)


def _constraints(table: str, expected: Sequence[str], found: Sequence[str]) -> Iterator[Finding]:
    missing, added = Counter(expected) - Counter(found), Counter(found) - Counter(expected)
    for text in missing:
        yield Finding(ID, "error", f"the table {table} lost the constraint {text}", _UNDO)
    for text in added:
        yield Finding(
            ID, "error", f"the table {table} has a constraint of another program: {text}", _UNDO
        )


def _parts(
    kind: str,
    table: str,
    expected: Mapping[str, str],
    found: Mapping[str, str],
    severity_of: Callable[[str], Any],
) -> Iterator[Finding]:
    for name, text in expected.items():
        if name not in found:
            what = f"the {kind} {name} of {table} is missing"
            yield Finding(ID, "error", what, f"create it again: {text}")
        elif found[name] != text:
            what = f"the {kind} {name} of {table} is {found[name]!r} and should be {text!r}"
            yield Finding(ID, "error", what, "drop it, and create it again")
    for name in found.keys() - expected.keys():
        what = f"the {kind} {name} of {table} is not of this version: {found[name]}"
        severity = severity_of(found[name])
        yield Finding(ID, severity, what, "" if severity == "info" else f"drop the {kind}")


def _severity_of_index(text: str) -> str:
    """Return how bad an index of another program is: a unique one refuses rows of ours."""
    return "error" if text.lower().startswith("create unique ") else "info"


def _severity_of_trigger(text: str) -> str:
    """Return how bad a trigger of another program is: it runs within our transactions."""
    return "warning"


def _unknown(names: Sequence[str]) -> list[Finding]:
    if not names:
        return []
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    listed = ", ".join(sorted(names)[:_MOST_NAMED])
    text = f"tables of other programs, or of modules that are not loaded: {listed}{more}"
    return [Finding(ID, "info", text)]
