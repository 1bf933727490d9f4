"""Adopts a SQLite database that was made by hand from the specification's SQL.

Such a database has tables of ours and no history of migrations. In one transaction its tables
are set aside, ours are made by the migrations, every row is copied over (rows, values) and the
old tables go. Where that fails the database is as it was.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..database.backend import Connection
from ..database.migrations.migrator import HISTORY_PREFIX, LOCK_WAIT_S, Migrator
from ..database.orm.fields import timestamp_text
from ..database.transactions.database import Database
from ..errors import MigrationError, ViewraError
from ..media.search import indexing
from ..built_in import BuiltIn
from .rows import Rows, quoted

_log = logging.getLogger("viewra_lite.adoption")

_ASIDE = "adopting_"
_DERIVED = ("search_documents",)  # made again from the rest

# A column of each table of the specification that another program's table would hardly have.
_MARKS = {
    "media_files": "library_id",
    "media_libraries": "scan_interval",
    "movies": "media_file_id",
    "playback_history": "duration_watched",
    "playback_sessions": "media_file_id",
    "plugin_metadata": "plugin_id",
    "plugins": "capabilities",
    "transcode_cache": "content_hash",
    "transcode_sessions": "content_hash",
    "user_media_progress": "media_file_id",
}


def is_adoptable(connection: Connection) -> bool:
    """Whether a database has tables of the specification, and no other tables by their names."""
    rows = connection.execute(
        "SELECT lower(t.name), max(lower(c.name) = m.value) FROM sqlite_master t "
        "JOIN json_each(?) m ON m.key = lower(t.name) JOIN pragma_table_info(t.name) c "
        "WHERE t.type IN ('table', 'view') GROUP BY t.name",
        (json.dumps(_MARKS),),
    ).fetchall()
    return bool(rows) and all(marked for _, marked in rows)


def adopt(db: Database, migrator: Migrator, modules: Sequence[BuiltIn]) -> list[str]:
    """Bring tables that were made by hand into a store; return their names, mostly none.

    One look at the catalogue, without a lock, where there is nothing to do. Processes that start
    together take turns. Raises MigrationError, which names the row that is in the way, and
    StoreBusyError while another program writes.
    """
    if db.backend.engine != "sqlite" or not _found(db, modules):
        return []
    with db.exclusive("migrate", wait_s=LOCK_WAIT_S):
        found = _found(db, modules)
        if found:
            with _unchecked_writer(db):
                _adopt(db, migrator, modules, found)
            db.backend.mark_as_store()
            _log.info("adopted tables that were made by hand: %s", ", ".join(sorted(found)))
    return sorted(found)


def _found(db: Database, modules: Sequence[BuiltIn]) -> dict[str, str]:
    """Return our names of the tables that were made by hand, with their names as written."""
    with db.reader():
        connection = db.backend.database.connection()
        rows = connection.execute(
            "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')"
        )
        names = {name.lower(): (name, kind) for name, kind in rows}
        found = {
            table: names[table]
            for module in modules
            if not _has_history(connection, names, module)
            for table in (model._meta.table_name for model in module.models)
            if table in names
        }
    views = [table for table, (_, kind) in found.items() if kind == "view"]
    if views:
        raise MigrationError(f"{views[0]} is a view, and the store needs a table of that name")
    return {table: name for table, (name, _) in found.items()}


def _has_history(connection: Connection, names: dict[str, Any], module: BuiltIn) -> bool:
    table = HISTORY_PREFIX + module.name
    # It is there, but empty, where schema.sql was loaded by hand.
    return table in names and connection.execute(f"SELECT 1 FROM {table}").fetchone() is not None


@contextmanager
def _unchecked_writer(db: Database) -> Iterator[None]:
    """Write in one transaction that enforces no foreign key and in which renames touch none."""
    _set_checks(db, on=False)
    try:
        with db.writer(durable=True):
            yield
    except ViewraError:
        raise
    except Exception as exc:
        raise MigrationError(
            f"the tables that are there cannot be adopted, nothing was changed: {exc}"
        ) from exc
    finally:
        _set_checks(db, on=True)


def _set_checks(db: Database, *, on: bool) -> None:
    connection = db.backend.borrow_writer()  # always the same one, so that this lasts
    try:
        connection.execute(f"PRAGMA foreign_keys={int(on)}")
        connection.execute(f"PRAGMA legacy_alter_table={int(not on)}")
    finally:
        db.backend.give_back_writer(connection)


def _adopt(
    db: Database, migrator: Migrator, modules: Sequence[BuiltIn], found: dict[str, str]
) -> None:
    """Move the tables found into ours, inside the writer."""
    database = db.backend.database
    connection = database.connection()
    adopting = [
        module for module in modules if any(m._meta.table_name in found for m in module.models)
    ]
    guests = _set_aside(connection, adopting, found)
    names = [module.name for module in modules]
    plan = [script for script in migrator.plan() if script.module in names]
    migrator.run(database, plan, verify=False)
    rows = Rows(connection, db.backend.translate, timestamp_text(db.now()), db.new_id)
    models = [m for module in adopting for m in module.models if m._meta.table_name in found]
    for model in models:
        if model._meta.table_name not in _DERIVED:
            rows.copy(model, _ASIDE + model._meta.table_name)
    for model in reversed(models):
        connection.execute(f"DROP TABLE {quoted(_ASIDE + model._meta.table_name)}")
    _invite_again(connection, guests)
    _verify(connection, models)
    _index(db, adopting)


def _set_aside(
    connection: Connection, modules: Sequence[BuiltIn], found: dict[str, str]
) -> list[tuple[str, str, str]]:
    """Rename the tables found; return the indexes and triggers that were dropped from them."""
    dropped = []
    for table, name in found.items():
        of_table = connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE lower(tbl_name) = ? AND "
            "type IN ('index', 'trigger') AND sql IS NOT NULL",
            (table,),
        ).fetchall()
        for kind, part, _ in of_table:
            connection.execute(f"DROP {kind} {quoted(part)}")
        dropped.extend(of_table)
        connection.execute(f"ALTER TABLE {quoted(name)} RENAME TO {quoted(_ASIDE + table)}")
    for module in modules:
        connection.execute(f"DROP TABLE IF EXISTS {quoted(HISTORY_PREFIX + module.name)}")
    if "search_documents" in found:
        connection.execute("DROP TABLE IF EXISTS search_index")
    return dropped


def _invite_again(connection: Connection, guests: list[tuple[str, str, str]]) -> None:
    """Make the indexes and triggers again that are neither the specification's nor ours."""
    for kind, name, sql in guests:
        known = "SELECT 1 FROM sqlite_master WHERE lower(name) = lower(?)"
        if connection.execute(known, (name,)).fetchone():
            continue
        try:
            connection.execute(sql)
        except Exception as exc:
            raise MigrationError(
                f"the {kind} {name} does not fit the new tables ({exc}): drop it, then open the "
                "store again; nothing was changed"
            ) from exc


def _verify(connection: Connection, models: Sequence[Any]) -> None:
    for model in models:
        table = model._meta.table_name
        broken = connection.execute(f"PRAGMA foreign_key_check({quoted(table)})").fetchall()
        if broken:
            raise MigrationError(
                f"{len(broken)} rows of {table} would point nowhere, the first to {broken[0][2]}; "
                "nothing was changed"
            )


def _index(db: Database, modules: Sequence[BuiltIn]) -> None:
    """Make the search documents of what was adopted."""
    if any(module.name == "media" for module in modules):
        indexing.reindex(db)
