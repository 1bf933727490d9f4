"""The tables of plugins: what their models may be, their migrations, and their removal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..config.options import Config
from ..database.migrations.history import HISTORY_PREFIX
from ..database.migrations.migrator import Migrator
from ..database.transactions.database import Database
from ..errors import PluginError, shown
from . import queries
from .confinement.quota import table_bytes
from .plugin import Plugin, PluginModel
from .results import PluginUsage

_ID = "[a-z][a-z0-9]{0,29}"  # without _, or the tables of two plugins could have one prefix
_RESERVED = frozenset(("metadata", "storage"))  # plugin_metadata and plugin_storage are ours
_LONGEST_TABLE = 63  # PostgreSQL cuts a longer name
_BATCH = 500  # answers deleted per transaction


class _Tables(NamedTuple):
    """A plugin as the migrator sees a module."""

    name: str
    models: Sequence[Any]
    migrations: str | None
    requires: Sequence[str] = ()


def checked_name(id: object) -> None:
    """Raise PluginError for what cannot be the id of a plugin."""
    if not is_name(id):
        raise PluginError(
            f"its id is {shown(id)}",
            remedy="use up to 30 lower-case letters and digits, a letter first, and neither "
            + " nor ".join(sorted(_RESERVED)),
        )


def is_name(id: object) -> bool:
    """Whether a value can be the id of a plugin."""
    return isinstance(id, str) and id not in _RESERVED and re.fullmatch(_ID, id) is not None


def prefix_of(id: str) -> str:
    """Return what the names of a plugin's tables start with."""
    return f"plugin_{id}_"


def checked_models(plugin: type[Plugin]) -> None:
    """Give the models of a plugin their tables' names; raises PluginError."""
    models, prefix = tuple(plugin.models), prefix_of(plugin.id)
    if models and not plugin.migrations:
        raise PluginError("it has models and no migrations", remedy="name their package")
    for model in models:
        if not (isinstance(model, type) and issubclass(model, PluginModel)):
            raise PluginError(
                f"{shown(model)} is not a PluginModel", remedy="models are tables of its own only"
            )
        meta: Any = model._meta
        if not meta.table_name.startswith(prefix):
            meta.set_table_name(prefix + meta.table_name)
        if not re.fullmatch("[a-z0-9_]+", meta.table_name) or len(meta.table_name) > _LONGEST_TABLE:
            raise PluginError(
                f"{meta.table_name} cannot be the name of a table",
                remedy=f"lower-case letters, digits and _, at most {_LONGEST_TABLE} in all",
            )
    for model in models:
        _check_references(model, models)


def _check_references(model: Any, models: Sequence[Any]) -> None:
    for field, target in model._meta.refs.items():
        name = f"{model.__name__}.{field.name}"
        if target in models:
            continue
        if issubclass(target, PluginModel):
            raise PluginError(
                f"{name} refers to {target.__name__}, which is not among its models",
                remedy="refer to tables of the store, or of its own",
            )
        if str(field.on_delete).upper() not in ("CASCADE", "SET NULL"):
            raise PluginError(
                f"{name} would keep rows of {target._meta.table_name} from being deleted",
                remedy='declare it with on_delete="CASCADE" or "SET NULL"',
            )


def migrator_of(db: Database, config: Config, plugin: type[Plugin]) -> Migrator:
    """Return the migrator of a plugin's tables; raises MigrationError."""
    tables = _Tables(f"plugin_{plugin.id}", plugin.models, plugin.migrations)
    return Migrator(db, [tables], config, prefix=prefix_of(plugin.id))


def migrate(db: Database, config: Config, plugin: type[Plugin], budget_s: float | None) -> None:
    """Bring a plugin's tables up to date; raises PluginError and what the migrator raises."""
    migrator = migrator_of(db, config, plugin)
    if migrator.pending():
        here = own_tables(db, plugin.id)
        if here and not any(one["applied"] or one["chunks"] for one in migrator.status()):
            raise PluginError(
                f"its table {here[0]} is here without a history of migrations",
                remedy="restore a backup, or remove the plugin with its tables: purge=True",
            )
        migrator.apply(budget_s=budget_s)
        if migrator.pending():
            raise PluginError(
                "its migrations have more rows to change than fit into the time for opening",
                remedy=f'enable("{plugin.id}") continues them',
            )
    known = own_tables(db, plugin.id)
    for model in plugin.models:
        name = model._meta.table_name
        if name not in known:
            raise PluginError(f"its migrations do not create {name}", remedy="correct them")


def own_tables(db: Database, id: str) -> list[str]:
    """Return the names of a plugin's tables in the store, whether its code is here or not."""
    if not is_name(id):  # of a database that was not made by us
        return []
    with db.reader():
        names: list[str] = db.backend.database.get_tables()
    return sorted(name for name in names if name.startswith(prefix_of(id)))


def usage_of(db: Database, id: str) -> PluginUsage:
    """Return what a plugin has in the store."""
    with db.reader():
        database = db.backend.database
        rows = {}
        for name in own_tables(db, id):
            [(rows[name],)] = database.execute_sql(f'SELECT count(*) FROM "{name}"')
        keys, size = db.one(queries.storage_size, id)
        answers, answer_bytes = db.one(queries.count_answers, id)
        size_of_tables = table_bytes(db, prefix_of(id)) if rows else 0
    return PluginUsage(id, rows, answers, keys, int(size), size_of_tables, int(answer_bytes))


def purge(db: Database, id: str, give_back: Callable[[], None]) -> None:
    """Remove everything that a plugin has in the store; its code need not be here.

    give_back() gives the fields that have its values those of the next source.
    """
    while some := db.all(queries.some_answers, id, _BATCH):
        db.run(queries.delete_answers, id, some[-1][0])
        db.yield_to_writers()
    give_back()
    with db.writer():
        database = db.backend.database
        tables = own_tables(db, id)
        for name in _children_first(
            {name: {key.dest_table for key in database.get_foreign_keys(name)} for name in tables}
        ):
            database.execute_sql(f'DROP TABLE "{name}"')
        if is_name(id):
            database.execute_sql(f'DROP TABLE IF EXISTS "{HISTORY_PREFIX}plugin_{id}"')
        db.run(queries.delete_plugin, id)


def _children_first(parents: Mapping[str, set[str]]) -> list[str]:
    """Sort tables so that each comes before those that it refers to."""
    ordered: dict[str, None] = {}
    left = set(parents)
    while left:
        free = {one for one in left if not any(one in parents[other] for other in left - {one})}
        chosen = sorted(free) or sorted(left)  # a circle has no order
        ordered.update(dict.fromkeys(chosen))
        left -= set(chosen)
    return list(ordered)
