"""The tables of an SQLite database, as its catalogue describes them, and of an empty one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import peewee

from ...backend import Backend, Column, Connection, Table, Tables
from ..peewee_database import SqliteStoreDatabase

_OBJECTS = (
    "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'"
)
_COLUMNS = """
    SELECT m.name, x.name, x.type, x."notnull", x.dflt_value
    FROM sqlite_master m JOIN pragma_table_xinfo(m.name) x
    WHERE m.type = 'table' AND m.rootpage > 0"""
_OPTIONS = "SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main'"
_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^]]*\]|[\w.]+|\S""",
    re.DOTALL,
)
_CONSTRAINTS = frozenset(("constraint", "primary", "unique", "check", "foreign"))


class _EmptyDatabase(peewee.SqliteDatabase):
    field_types = SqliteStoreDatabase.field_types


def tables(connection: Connection) -> Tables:
    """Return the tables and views of a database."""
    objects = connection.execute(_OBJECTS).fetchall()
    columns: dict[str, dict[str, tuple[str, bool, str | None]]] = {}
    for table, name, kind, required, default in connection.execute(_COLUMNS).fetchall():
        columns.setdefault(table, {})[name] = (kind, not required, default)
    options = {
        name: frozenset(
            option for option, is_on in (("WITHOUT ROWID", wr), ("STRICT", strict)) if is_on
        )
        for name, wr, strict in connection.execute(_OPTIONS).fetchall()
    }
    parts: dict[tuple[str, str], dict[str, str]] = {}
    for kind, name, table, sql in objects:
        if kind in ("index", "trigger") and sql is not None:
            parts.setdefault((kind, table.lower()), {})[name] = " ".join(_tokens(sql))
    return {
        name: _table(
            kind,
            sql or "",
            options.get(name, frozenset()),
            columns.get(name, {}),
            parts.get(("index", name.lower()), {}),
            parts.get(("trigger", name.lower()), {}),
        )
        for kind, name, _, sql in objects
        if kind in ("table", "view")
    }


def made(backend: Backend, build: Callable[[Any], None]) -> Tables:
    """Return the tables that build(database) makes in an empty database, in memory."""
    database: Any = _EmptyDatabase(":memory:", pragmas={"foreign_keys": 0})
    with database.connection_context():
        build(database)
        return tables(database.connection())


def _table(
    kind: str,
    sql: str,
    options: frozenset[str],
    columns: dict[str, tuple[str, bool, str | None]],
    indexes: dict[str, str],
    triggers: dict[str, str],
) -> Table:
    tokens = _tokens(sql)
    if kind == "view" or tokens[:2] == ["create", "virtual"]:
        kind = "view" if kind == "view" else "virtual table"
        return Table(kind, options, {}, (" ".join(tokens),), indexes, triggers)
    definitions: dict[str, str] = {}
    constraints = []
    for part in _parts(tokens):
        if part[0] in _CONSTRAINTS:
            constraints.append(" ".join(part))
        else:
            definitions[part[0]] = " ".join(part[1:])
    described = {
        name: Column(*facts, definitions.get(name.lower(), "")) for name, facts in columns.items()
    }
    return Table("table", options, described, tuple(sorted(constraints)), indexes, triggers)


def _parts(tokens: list[str]) -> Iterator[list[str]]:
    """Yield the columns and constraints between the outer brackets of CREATE TABLE."""
    depth, part = 0, list[str]()
    for token in tokens:
        depth += token == "("
        depth -= token == ")"
        ends = depth == 0 or depth == 1 and token == ","
        if ends and part:
            yield part
            part = []
        elif not ends and (depth > 1 or token != "("):
            part.append(token)


def _tokens(sql: str) -> list[str]:
    """Return the tokens of SQL in one spelling: no comments, names in lower case, unquoted."""
    found = (token for token in _TOKEN.findall(sql) if not token.startswith(("--", "/*")))
    return [token if token.startswith("'") else _name(token) for token in found]


def _name(token: str) -> str:
    if len(token) > 1 and token[0] in '"`[':
        token = token[1:-1]
    return token.lower()
