"""What the code of a plugin may do on PostgreSQL.

Each statement is looked at before it runs, for what the server does not undo or does not let us
see. Before the commit the server is asked what the transaction has locked and written.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ..transactions.guards import Guard, Rules
from .touched import Touched, touched

_IN_TRANSACTION = 2  # libpq's PQTRANS_INTRANS
_CANCELED = "57014"  # the SQLSTATE of statement_timeout
_STATEMENTS = frozenset(
    "SELECT INSERT UPDATE DELETE MERGE WITH VALUES TABLE EXPLAIN SAVEPOINT RELEASE DECLARE FETCH"
    " MOVE CLOSE".split()
)
# Comments, and text in quotes, but not names.
_SKIPPED = re.compile(
    r"""("(?:[^"]|"")*")|--[^\n]*|/\*.*?\*/|\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\$(\w*)\$.*?\$\2\$""",
    re.DOTALL,
)
_FIRST = re.compile(r"[\s(]*([a-zA-Z]+)(?:\s+([a-zA-Z]+))?")
_INTO = re.compile(r"[\s(]*select\b(?:(?!\bfrom\b).)*\binto\b", re.IGNORECASE | re.DOTALL)
_NAME = r'[\s(]+(?:only\s+)?(?:"?\w+"?\s*\.\s*)?"?'
_TABLES = re.compile(rf"\b(?:from|join|into|update|table|using){_NAME}(\w+)", re.IGNORECASE)
_TARGETS = re.compile(
    rf"(?<!for )\b(?:update|delete\s+from|(?:insert|merge)\s+into){_NAME}"
    r"(?!(?:set|of|nowait|skip)\b)(\w+)",
    re.IGNORECASE,
)
_CALLS = re.compile(r'([a-z_][a-z_0-9]*)"?\s*\(', re.IGNORECASE)
# Functions whose effect outlives the transaction or the server cannot show, and those that make a
# value of any size. Those that begin with pg_ or lo_ too, but these.
_FUNCTIONS = frozenset(
    "set_config setval nextval repeat lpad rpad txid_current dblink dblink_exec query_to_xml"
    " query_to_xml_and_xmlschema table_to_xml schema_to_xml database_to_xml cursor_to_xml".split()
)
_HARMLESS = frozenset(
    "pg_typeof pg_column_size pg_get_serial_sequence pg_get_constraintdef pg_get_indexdef"
    " pg_get_expr pg_table_is_visible pg_sleep".split()
)
_BEGIN = """
    SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true),
        (SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class
        WHERE starts_with(relname, %s) AND relkind IN ('r', 'p', 'm')
        AND relnamespace = quote_ident(current_schema())::regnamespace)"""
_SIZE = _BEGIN[_BEGIN.index("(SELECT") :].replace("(SELECT", "SELECT", 1)[:-1]


class PostgresGuard(Guard):
    """Confines a connection by looking at its statements, and at what they have touched."""

    def __init__(self, connection: Any, rules: Rules) -> None:
        from psycopg import Error

        super().__init__(connection, rules)
        self.driver_error = Error
        self._cursors = connection.cursor_factory
        self._before: dict[str, Touched] | None = None
        self._is_continued = False
        self._timeout: str | None = None
        self._size = self._size_before = 0

    def _confine(self) -> None:
        connection = self.connection
        if not self._is_usable():
            return
        if self._timeout is None:
            self._timeout, _, self._size_before = connection.execute(
                _BEGIN, (str(round(self.rules.statement_s * 1000)), self.rules.prefix)
            ).fetchone()
        if self.level > 1 or self._is_continued:  # the store has used the transaction too
            self._before = touched(connection)
        connection.cursor_factory = _cursor_of(self)
        connection.commit = connection.rollback = self._refuse_end
        self._is_continued = True

    def _free(self) -> None:
        connection = self.connection
        connection.cursor_factory = self._cursors
        vars(connection).pop("commit", None)
        vars(connection).pop("rollback", None)
        if self._is_usable():
            self._compare()
            if self.level > 1:
                connection.execute(
                    "SELECT set_config('statement_timeout', %s, true)", (self._timeout,)
                )

    def _is_usable(self) -> bool:
        connection = self.connection
        return not connection.closed and bool(connection.info.transaction_status == _IN_TRANSACTION)

    def _refuse_end(self) -> None:
        raise self.refuse_kind("COMMIT or ROLLBACK")

    def _compare(self) -> None:
        """Note the first table that was written, and is not the plugin's."""
        old = self._before or {}
        for name, now in sorted(touched(self.connection, self._before is None).items()):
            before = old.get(name)
            if now.changes and not (before and before.changes):
                self.refuse_kind(f"what changes or locks the table {name}")
            elif name in self.rules.private and now.is_locked and not (before and before.is_locked):
                self.refuse_read(name)
            elif not name.startswith(self.rules.prefix) and now.has_changed_rows(before):
                self.refuse_write(name)

    def check_statement(self, sql: str) -> None:
        """Raise PluginError for a statement that no plugin may run, before it runs."""
        self.before_statement()
        rules = self.rules
        how, what = _refused(sql, rules.private, rules.prefix if rules.writes else None)
        if how == "write":
            raise self.refuse_write(what)
        if how == "read":
            raise self.refuse_read(what)
        if how:
            raise self.refuse_kind(what)

    def has_grown(self) -> bool:
        """Compare the size of the tables with that at the beginning."""
        return self._size > self._size_before

    def use(self, known: int | None) -> int:
        """Ask the server, which knows it at once."""
        self._size = int(self.connection.execute(_SIZE, (self.rules.prefix,)).fetchone()[0])
        return self._size

    def verdict(self, error: BaseException | None) -> BaseException | None:
        """Return the error that ends the block; a statement that was canceled took too long."""
        if getattr(getattr(error, "orig", error), "sqlstate", None) == _CANCELED:
            self.refuse_slow()
        return super().verdict(error)


@lru_cache(maxsize=512)
def _refused(sql: str, private: frozenset[str], prefix: str | None) -> tuple[str, str]:
    """Return what a statement does that no plugin may do, with the table or the kind; or two ""."""
    sql = _SKIPPED.sub(_bare, sql)
    first = _FIRST.match(sql)
    kind, second = ((word or "").upper() for word in first.groups()) if first else ("that", "")
    if ";" in sql.rstrip().rstrip(";"):
        return "use", "several statements at once"
    if kind not in _STATEMENTS and (kind, second) != ("ROLLBACK", "TO"):
        return "use", f"{kind} {second}".rstrip()
    if _INTO.match(sql):
        return "use", "SELECT INTO"
    for table in map(str.lower, _TARGETS.findall(sql)):
        if prefix is None or not table.startswith(prefix):
            return "write", table
    read = private.intersection(map(str.lower, _TABLES.findall(sql)))
    if read:
        return "read", min(read)
    for name in map(str.lower, _CALLS.findall(sql)):
        if name in _FUNCTIONS or (name.startswith(("pg_", "lo_")) and name not in _HARMLESS):
            return "use", f"{name}()"
    return "", ""


def _bare(found: re.Match[str]) -> str:
    """Keep a name, and nothing of a comment or of text."""
    return found[1] or (" " if found[0].startswith(("--", "/*")) else "''")


def _cursor_of(guard: PostgresGuard) -> Any:
    """Return a class of cursors whose statements a guard looks at."""
    import psycopg

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **options: Any) -> Any:
            guard.check_statement(_text(query, self))
            return super().execute(query, *args, **options)

        def executemany(self, query: Any, *args: Any, **options: Any) -> None:
            guard.check_statement(_text(query, self))
            super().executemany(query, *args, **options)

        def stream(self, query: Any, *args: Any, **options: Any) -> Any:
            guard.check_statement(_text(query, self))
            return super().stream(query, *args, **options)

        def copy(self, statement: Any, *args: Any, **options: Any) -> Any:
            raise guard.refuse_kind("COPY")

    return Cursor


def _text(query: Any, cursor: Any) -> str:
    if isinstance(query, bytes):
        return query.decode(errors="replace")
    return query if isinstance(query, str) else str(query.as_string(cursor))
