"""The queries of the plugins module: builders that run nothing."""

from __future__ import annotations

from peewee import SQL, Expression, fn

from ..database.orm.nodes import Placeholder
from ..database.orm.statements import Query, statement
from .models import PluginMetadata, PluginRow, PluginStorage

# Plugins


@statement
def plugins() -> Query:
    return PluginRow.select().order_by(PluginRow.id)


@statement
def plugin_by_id(id: Placeholder) -> Query:
    return PluginRow.select().where(PluginRow.id == id)


@statement
def insert_plugin(id: Placeholder, type: Placeholder, now: Placeholder) -> Query:
    columns = {PluginRow.enabled: SQL("FALSE"), PluginRow.failures: 0}
    return PluginRow.insert(
        {
            PluginRow.id: id,
            PluginRow.name: id,
            PluginRow.type: type,
            PluginRow.created_at: now,
            PluginRow.updated_at: now,
            **columns,
        }
    ).on_conflict_ignore()


@statement
def describe_plugin(
    name: Placeholder, version: Placeholder, capabilities: Placeholder, id: Placeholder
) -> Query:
    return PluginRow.update(name=name, version=version, capabilities=capabilities).where(
        PluginRow.id == id
    )


@statement
def save_config(config: Placeholder, now: Placeholder, id: Placeholder) -> Query:
    return PluginRow.update(config=config, updated_at=now).where(PluginRow.id == id)


@statement
def switch_on(now: Placeholder, id: Placeholder) -> Query:
    return PluginRow.update(
        enabled=True, failures=0, error=None, due_at=None, last_health_check=now, updated_at=now
    ).where(PluginRow.id == id)


@statement
def switch_off(
    failures: Placeholder, error: Placeholder, now: Placeholder, id: Placeholder
) -> Query:
    return PluginRow.update(
        enabled=False, failures=failures, error=error, due_at=None, updated_at=now
    ).where(PluginRow.id == id)


@statement
def save_success(now: Placeholder, id: Placeholder) -> Query:
    return PluginRow.update(last_run_at=now, due_at=None, failures=0, error=None).where(
        PluginRow.id == id
    )


@statement
def save_failure(
    now: Placeholder,
    due_at: Placeholder,
    failures: Placeholder,
    error: Placeholder,
    id: Placeholder,
) -> Query:
    return PluginRow.update(last_run_at=now, due_at=due_at, failures=failures, error=error).where(
        PluginRow.id == id
    )


@statement
def delete_plugin(id: Placeholder) -> Query:
    return PluginRow.delete().where(PluginRow.id == id)


# Answers


@statement
def count_answers(plugin_id: Placeholder) -> Query:
    return (
        PluginMetadata.select(
            fn.COUNT(PluginMetadata.id),
            fn.COALESCE(fn.SUM(fn.LENGTH(PluginMetadata.metadata.cast("TEXT"))), 0),
        )
        .where((PluginMetadata.plugin == plugin_id) & PluginMetadata.answered_at.is_null(False))
        .tuples()
    )


@statement
def some_answers(plugin_id: Placeholder, limit: Placeholder) -> Query:
    return (
        PluginMetadata.select(PluginMetadata.media_file)
        .where(PluginMetadata.plugin == plugin_id)
        .order_by(PluginMetadata.media_file)
        .limit(limit)
        .tuples()
    )


@statement
def delete_answers(plugin_id: Placeholder, last_file_id: Placeholder) -> Query:
    return PluginMetadata.delete().where(
        (PluginMetadata.plugin == plugin_id) & (PluginMetadata.media_file <= last_file_id)
    )


# Storage


def _kept(now: Placeholder) -> Expression:
    return PluginStorage.expires_at.is_null() | (PluginStorage.expires_at > now)


@statement
def stored_value(plugin_id: Placeholder, key: Placeholder, now: Placeholder) -> Query:
    return PluginStorage.select().where(
        (PluginStorage.plugin == plugin_id) & (PluginStorage.key == key) & _kept(now)
    )


@statement
def stored_keys(plugin_id: Placeholder, now: Placeholder) -> Query:
    return (
        PluginStorage.select(PluginStorage.key)
        .where((PluginStorage.plugin == plugin_id) & _kept(now))
        .tuples()
    )


@statement
def bytes_beside(plugin_id: Placeholder, key: Placeholder) -> Query:
    return (
        PluginStorage.select(fn.COALESCE(fn.SUM(PluginStorage.size), 0))
        .where((PluginStorage.plugin == plugin_id) & (PluginStorage.key != key))
        .tuples()
    )


@statement
def storage_size(plugin_id: Placeholder) -> Query:
    return (
        PluginStorage.select(
            fn.COUNT(PluginStorage.key), fn.COALESCE(fn.SUM(PluginStorage.size), 0)
        )
        .where(PluginStorage.plugin == plugin_id)
        .tuples()
    )


@statement
def insert_stored(
    plugin_id: Placeholder,
    key: Placeholder,
    value: Placeholder,
    size: Placeholder,
    expires_at: Placeholder,
) -> Query:
    return PluginStorage.insert(
        {
            PluginStorage.plugin: plugin_id,
            PluginStorage.key: key,
            PluginStorage.value: value,
            PluginStorage.size: size,
            PluginStorage.expires_at: expires_at,
        }
    )


@statement
def delete_stored(plugin_id: Placeholder, key: Placeholder) -> Query:
    return PluginStorage.delete().where(
        (PluginStorage.plugin == plugin_id) & (PluginStorage.key == key)
    )


@statement
def delete_expired(plugin_id: Placeholder, now: Placeholder) -> Query:
    return PluginStorage.delete().where(
        (PluginStorage.plugin == plugin_id) & (PluginStorage.expires_at <= now)
    )
