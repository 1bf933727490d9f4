"""What a migration script may not do on SQLite: end its transaction, or leave the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ....errors import MigrationError
from ...transactions.guards import foreign_rows

# https://sqlite.org/c3ref/c_alter_table.html
_PRAGMA, _TRANSACTION, _ATTACH, _DETACH = 19, 22, 24, 25
_CHANGES_ROWS = frozenset((9, 18, 23))  # DELETE, INSERT, UPDATE
# Others change the file or the connection, also after the script.
_ALLOWED_PRAGMAS = frozenset(
    """
    analysis_limit foreign_key_check foreign_key_list foreign_keys index_info index_list
    index_xinfo integrity_check legacy_alter_table optimize quick_check table_info table_list
    table_xinfo
    """.split()
)
_REASONS = {
    _TRANSACTION: "it would end its transaction ({}), and then half of it might stay",
    _ATTACH: "it would open another database ({})",
    _DETACH: "it would close another database ({})",
    _PRAGMA: "it would change PRAGMA {}, which outlives it",
}


class Refusals:
    """SQLite's authorizer while a script runs; remembers why it refused."""

    def __init__(self, connection: Any, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix
        self.first: str | None = None

    def __call__(self, action: int, name: str | None, value: str | None, *where: object) -> int:
        """Allow a statement or not: it is called when the statement is compiled."""
        if action in _CHANGES_ROWS and not self._is_own(str(name), *where):
            self.first = self.first or foreign_rows(str(name), self._prefix)
            return sqlite3.SQLITE_DENY
        if action == _PRAGMA and (value is None or str(name).lower() in _ALLOWED_PRAGMAS):
            return sqlite3.SQLITE_OK
        if action not in _REASONS and self._connection.in_transaction:
            return sqlite3.SQLITE_OK
        # Without a transaction: INSERT OR ROLLBACK has ended it.
        reason = _REASONS.get(action, _REASONS[_TRANSACTION])
        self.first = self.first or reason.format(name or "ROLLBACK")
        return sqlite3.SQLITE_DENY

    def _is_own(self, name: str, database: object, *_: object) -> bool:
        return database == "temp" or name.startswith((self._prefix, "sqlite_"))


@contextmanager
def refusing(
    connection: Any, authorize: Callable[[Any, Callable[..., int] | None], None], prefix: str = ""
) -> Iterator[None]:
    """Run a script inside a transaction; raises MigrationError if it tried something forbidden.

    It changes rows only in tables whose names start with the prefix. That it caught SQLite's error
    makes no difference.
    """
    # What a transaction created is gone after its end, and what was compiled in it is compiled
    # again, so that the authorizer is asked about it once more.
    connection.execute("CREATE TEMP TABLE viewra_script (x)")
    refusals = Refusals(connection, prefix)
    authorize(connection, refusals)
    try:
        yield
    except Exception as exc:
        if refusals.first:
            raise MigrationError(refusals.first) from exc
        raise
    finally:
        authorize(connection, None)
        connection.execute("PRAGMA legacy_alter_table=0")
    if refusals.first or not connection.in_transaction:
        raise MigrationError(refusals.first or _REASONS[_TRANSACTION].format("ROLLBACK"))
    connection.execute("DROP TABLE temp.viewra_script")
    left = connection.execute("SELECT name FROM sqlite_temp_master").fetchall()
    if left:
        raise MigrationError(f"it leaves temporary tables or triggers: drop {left[0][0]}")
