"""Adopts an SQLite database that was created by hand from the specification's SQL.

Such a database has our tables but no history of migrations. In one transaction its tables are
renamed, the migrations create ours, every row is copied (rows, values), and the old tables are
dropped. If that fails, the database is unchanged.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..database.backend import Connection
from ..database.migrations.history import HISTORY_PREFIX
from ..database.migrations.migrator import LOCK_WAIT_S, Migrator
from ..database.orm.fields import timestamp_text
from ..database.transactions.database import Database
from ..errors import CorruptStoreError, MigrationError, ViewraError
from ..media.search import indexing
from ..built_in import BuiltIn
from .rows import Rows, quoted

_log = logging.getLogger("viewra_lite.adoption")

_RENAMED = "adopting_"  # prefix of the old tables
_DERIVED = ("search_documents",)  # rebuilt from the other tables
_ONLY_OURS = "works"  # a table that the specification does not have

# For each table of the specification a column that another program's table is unlikely to have.
_TYPICAL_COLUMNS = {
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
    """Whether a database has tables of the specification, and not others of the same names."""
    rows = connection.execute(
        "SELECT lower(t.name), max(lower(c.name) = m.value) FROM sqlite_master t "
        "JOIN json_each(?) m ON m.key = lower(t.name) JOIN pragma_table_info(t.name) c "
        "WHERE t.type IN ('table', 'view') GROUP BY t.name",
        (json.dumps(_TYPICAL_COLUMNS),),
    ).fetchall()
    return bool(rows) and all(is_ours for _, is_ours in rows)


def adopt(db: Database, migrator: Migrator, modules: Sequence[BuiltIn]) -> list[str]:
    """Adopt tables that were created by hand; return their names, usually none.

    Without such tables this costs one query of the catalogue, without a lock. Processes that start
    together take turns. Raises MigrationError, which names the row that cannot be adopted, and
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
    """Return our names of the tables that were created by hand, with their names as written."""
    with db.reader():
        connection = db.backend.database.connection()
        rows = connection.execute(
            "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')"
        )
        names = {name.lower(): (name, kind) for name, kind in rows}
        without = [module for module in modules if not _has_history(connection, names, module)]
        found = {
            table: names[table]
            for module in without
            for table in (model._meta.table_name for model in module.models)
            if table in names
        }
        is_store = len(without) < len(modules) or (
            _ONLY_OURS in names and not any(name.startswith(HISTORY_PREFIX) for name in names)
        )
        if found and is_store:
            raise _lost_history(found, without)
    views = [table for table, (_, kind) in found.items() if kind == "view"]
    if views:
        raise MigrationError(
            f"{views[0]} is a view, but the store needs a table of that name: drop or rename it"
        )
    return {table: name for table, (name, _) in found.items()}


def _lost_history(found: Iterable[str], modules: Iterable[BuiltIn]) -> CorruptStoreError:
    """Return the error for a store's own tables, which must not be adopted into it again."""
    histories = ", ".join(HISTORY_PREFIX + module.name for module in modules)
    return CorruptStoreError(
        f"the store is damaged: it has {', '.join(sorted(found))}, but no history of their "
        f"migrations in {histories}; nothing was changed: restore a backup (viewra-lite recover "
        "cannot make a history again)"
    )


def _has_history(connection: Connection, names: dict[str, Any], module: BuiltIn) -> bool:
    table = HISTORY_PREFIX + module.name
    # Where schema.sql was loaded by hand, the table exists but is empty.
    return table in names and connection.execute(f"SELECT 1 FROM {table}").fetchone() is not None


@contextmanager
def _unchecked_writer(db: Database) -> Iterator[None]:
    """Open a transaction without foreign keys, in which renames do not change references."""
    _set_checks(db, on=False)
    try:
        with db.writer(durable=True):
            yield
    except ViewraError:
        raise
    except Exception as exc:
        raise MigrationError(
            f"the existing tables cannot be adopted; nothing was changed: {exc}"
        ) from exc
    finally:
        _set_checks(db, on=True)


def _set_checks(db: Database, *, on: bool) -> None:
    connection = db.backend.borrow_writer()  # always the same connection, which keeps the pragmas
    try:
        connection.execute(f"PRAGMA foreign_keys={int(on)}")
        connection.execute(f"PRAGMA legacy_alter_table={int(not on)}")
    finally:
        db.backend.give_back_writer(connection)


def _adopt(
    db: Database, migrator: Migrator, modules: Sequence[BuiltIn], found: dict[str, str]
) -> None:
    """Copy the tables found into ours; call it inside the writer."""
    database = db.backend.database
    connection = database.connection()
    adopting = [
        module for module in modules if any(m._meta.table_name in found for m in module.models)
    ]
    foreign = _rename(connection, adopting, found)
    names = [module.name for module in modules]
    plan = [script for script in migrator.pending() if script.module in names]
    migrator.run(database, plan)
    rows = Rows(connection, db.backend.translate, timestamp_text(db.now()), db.new_id)
    models = [m for module in adopting for m in module.models if m._meta.table_name in found]
    for model in models:
        if model._meta.table_name not in _DERIVED:
            rows.copy(model, _RENAMED + model._meta.table_name)
    for model in reversed(models):
        connection.execute(f"DROP TABLE {quoted(_RENAMED + model._meta.table_name)}")
    _recreate(connection, foreign)
    _verify(connection, models)
    _index(db, adopting)


def _rename(
    connection: Connection, modules: Sequence[BuiltIn], found: dict[str, str]
) -> list[tuple[str, str, str]]:
    """Rename the tables found; drop their indexes and triggers, and return those."""
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
        connection.execute(f"ALTER TABLE {quoted(name)} RENAME TO {quoted(_RENAMED + table)}")
    for module in modules:
        connection.execute(f"DROP TABLE IF EXISTS {quoted(HISTORY_PREFIX + module.name)}")
    if "search_documents" in found:
        connection.execute("DROP TABLE IF EXISTS search_index")
    return dropped


def _recreate(connection: Connection, foreign: list[tuple[str, str, str]]) -> None:
    """Create again the indexes and triggers that are neither the specification's nor ours."""
    for kind, name, sql in foreign:
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
                f"{len(broken)} rows of {table} would violate a foreign key, the first to "
                f"{broken[0][2]}; nothing was changed"
            )


def _index(db: Database, modules: Sequence[BuiltIn]) -> None:
    """Build the search documents of the adopted rows."""
    if any(module.name == "media" for module in modules):
        indexing.reindex(db)
