"""The slow statements of a store as they are shown: without values, each with its plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..database.orm.literals import without_literals
from ..database.transactions.database import Database
from ..database.transactions.slow import LONGEST_SQL, Noted

_EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES")


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """A statement that took `slow_query_ms` or longer."""

    sql: str
    """Without any value: parameters are not in it, and literals are replaced by a question mark."""
    ms: float
    """Milliseconds in the database, reading the rows included, but not the caller's own time."""
    rows: int | None
    """Rows read or changed; None if the statement failed, or says no number."""
    at: datetime
    """When it turned out to be slow."""
    verb: str | None
    """The verb that ran it, such as "media.search"; None for a query of your own."""
    thread: str
    """The name of the thread that ran it."""
    plan: str | None
    """The engine's plan as of now; None for a statement that cannot be explained."""


def slow_queries(db: Database) -> list[SlowQuery]:
    """Return the slow statements, newest first, each explained once."""
    noted, backend = db.slow.newest_first(), db.backend
    if not noted:
        return []
    connection = backend.borrow()
    try:
        names = backend.database.names(connection)
        plans: dict[str, str | None] = {}
        for one in noted:
            if one.sql not in plans:
                plans[one.sql] = _plan(backend.database, connection, one.sql)
        return [_shown(one, names, plans[one.sql]) for one in noted]
    except Exception as exc:
        db.raise_translated(exc)
        raise
    finally:
        backend.give_back(connection)


def _shown(noted: Noted, names: frozenset[str] | None, plan: str | None) -> SlowQuery:
    sql = without_literals(noted.sql, names)
    if len(noted.sql) > LONGEST_SQL:
        sql += " ..."
    return SlowQuery(
        sql, noted.seconds * 1000, noted.rows, noted.at, noted.verb, noted.thread, plan
    )


def _plan(database: object, connection: object, sql: str) -> str | None:
    """Return the plan of a statement, which is not run; None if it is not one that has a plan."""
    plain = without_literals(sql).rstrip("; ")
    word = plain.partition(" ")[0].upper()
    if word not in _EXPLAINED or ";" in plain or len(sql) > LONGEST_SQL:
        return None  # EXPLAIN runs some PRAGMAs, and a second statement
    lines: list[str] | None = database.plan(connection, sql)  # type: ignore[attr-defined]
    if lines is None:
        return None
    return "\n".join(f"{line[: -len(line.lstrip())]}{without_literals(line)}" for line in lines)
