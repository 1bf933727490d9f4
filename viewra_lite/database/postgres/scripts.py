"""What a migration script may not do on PostgreSQL: end its transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ...errors import MigrationError
from ..transactions.guards import foreign_rows
from .touched import Touched, touched

_IDLE, _IN_TRANSACTION, _IN_ERROR = 0, 2, 3  # libpq's PGTransactionStatusType
_ENDED = "it would end its transaction (COMMIT or ROLLBACK), and then half of it might stay"
_SWALLOWED = "an error inside it was swallowed, after which PostgreSQL aborted its transaction"
# After a ROLLBACK each statement would commit by itself: this refuses them.
_OUTSIDE = "RESET default_transaction_read_only; SHOW transaction_read_only"
_READ_ONLY_OUTSIDE = "SET default_transaction_read_only = on"
# A row that refers to none: the server itself refuses a COMMIT as long as it exists.
_FORBID_COMMIT = (
    "CREATE TABLE viewra_script (id int PRIMARY KEY, other int"
    " REFERENCES viewra_script DEFERRABLE INITIALLY DEFERRED);"
    "INSERT INTO viewra_script VALUES (1, 2)"
)
# Checks also what a script deferred, so that the error is its own.
_ALLOW_COMMIT = "DELETE FROM viewra_script; SET CONSTRAINTS ALL IMMEDIATE; DROP TABLE viewra_script"

_FOREIGN_KEYS = """
    SELECT format(
        'SELECT %L, %L, count(*) FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)',
        conrelid::regclass, confrelid::regclass, conrelid::regclass,
        string_agg(format('c.%I IS NOT NULL', child.attname), ' AND '), confrelid::regclass,
        string_agg(format('p.%I = c.%I', parent.attname, child.attname), ' AND '))
    FROM pg_constraint, unnest(conkey, confkey) AS key (child, parent)
    JOIN pg_attribute child ON child.attnum = key.child
    JOIN pg_attribute parent ON parent.attnum = key.parent
    WHERE contype = 'f' AND connamespace = quote_ident(current_schema())::regnamespace
    AND child.attrelid = conrelid AND parent.attrelid = confrelid
    GROUP BY pg_constraint.oid, conrelid, confrelid"""


def allow_writes_in_scripts_only(connection: Any) -> bool:
    """Make everything read-only but a transaction that says READ WRITE; False if it is already."""
    shown = connection.execute(_OUTSIDE)
    shown.nextset()
    if shown.fetchone()[0] == "on":
        return False
    connection.execute(_READ_ONLY_OUTSIDE)
    return True


@contextmanager
def refusing(connection: Any, prefix: str = "") -> Iterator[None]:
    """Run a script inside a transaction; raises MigrationError if it tried to end it.

    Also if it changed rows of a table whose name does not start with the prefix. That it caught the
    server's error makes no difference.
    """
    connection.execute(_FORBID_COMMIT)
    before = touched(connection) if prefix else {}
    try:
        yield
    except Exception as exc:
        if not connection.closed and connection.info.transaction_status == _IDLE:
            raise MigrationError(_ENDED) from exc
        raise
    status = connection.info.transaction_status
    if status != _IN_TRANSACTION:
        raise MigrationError(_SWALLOWED if status == _IN_ERROR else _ENDED)
    if not connection.execute("SELECT to_regclass('viewra_script')").fetchone()[0]:
        raise MigrationError(_ENDED)  # and began another
    connection.execute(_ALLOW_COMMIT)
    if prefix:
        _refuse_foreign_rows(before, touched(connection), prefix)


def _refuse_foreign_rows(
    before: Mapping[str, Touched], after: Mapping[str, Touched], prefix: str
) -> None:
    for name, now in sorted(after.items()):
        if not name.startswith(prefix) and now.has_changed_rows(before.get(name)):
            raise MigrationError(foreign_rows(name, prefix))


def dangling(connection: Any) -> list[tuple[str, str]]:
    """Return (table, table that it refers to) of each row whose foreign key refers to nothing.

    A script may have switched triggers off, which check foreign keys.
    """
    queries = [sql for (sql,) in connection.execute(_FOREIGN_KEYS)]
    counts = connection.execute(" UNION ALL ".join(queries)).fetchall() if queries else []
    return [(table, parent) for table, parent, count in counts for _ in range(count)]
