"""The health of a PostgreSQL database: its server, its log, its tables, its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...findings import EngineCheck, EngineFix, Finding, Look

# https://www.postgresql.org/docs/release/14.4/
_DAMAGES_INDEXES = (140000, 140004)
_KEPT_LOG_BYTES = 1 << 30
LONG_TRANSACTION_S = 3600
_MOST_DEAD_SHARE = 0.5
FEWEST_DEAD_ROWS = 100_000
_CLOCKS_DIFFER_S = 120
_FEWEST_ROWS = 1000
_MOST_CHANGED = 9  # times the rows
_HERE = "quote_ident(current_schema())::regnamespace"
_TABLES = f"""
    SELECT relname, quote_ident(relname) FROM pg_class
    WHERE relnamespace = {_HERE} AND relkind = 'r' ORDER BY pg_relation_size(oid)"""
_KEYS = f"""
    SELECT child.relname, parent.relname, quote_ident(child.relname), quote_ident(parent.relname),
        (SELECT string_agg(format('c.%%I = p.%%I', a.attname, b.attname), ' AND ')
            FROM unnest(conkey, confkey) AS pair (mine, its)
            JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = mine
            JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = its),
        (SELECT string_agg(format('c.%%I IS NOT NULL', attname), ' AND ')
            FROM unnest(conkey) AS mine JOIN pg_attribute ON attrelid = conrelid AND attnum = mine)
    FROM pg_constraint
    JOIN pg_class child ON child.oid = conrelid JOIN pg_class parent ON parent.oid = confrelid
    WHERE contype = 'f' AND child.relnamespace = {_HERE}
    ORDER BY child.relname, conname"""


def engine(look: Look) -> Iterator[Finding]:
    """Yield known faults of the version of the server, and a server that takes no writes."""
    number = int(look.value("SHOW server_version_num"))
    first, fixed = _DAMAGES_INDEXES
    if first <= number < fixed:
        text = f"PostgreSQL {look.value('SHOW server_version')} can damage an index that is built"
        remedy = "upgrade the server to the latest release of its series, then REINDEX DATABASE"
        yield Finding("engine", "error", f"{text} beside writers", remedy)
    if look.value("SELECT pg_is_in_recovery()"):
        text = "the server is a standby: reads work, writes do not"
        yield Finding("engine", "error", text, "configure the primary server")


def permissions(look: Look) -> Iterator[Finding]:
    """Yield tables that the user of the configuration may not read or write."""
    for table, missing in look.all(
        "SELECT relname, (SELECT string_agg(verb, ', ') FROM "
        "unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS verb "
        "WHERE NOT has_table_privilege(oid, verb)) FROM pg_class WHERE relnamespace = "
        f"{_HERE} AND relkind = 'r' AND EXISTS (SELECT FROM unnest(%s::text[]) AS known "
        "WHERE known = relname) ORDER BY relname",
        list(look.tables),
    ):
        if missing:
            user = look.value("SELECT current_user")
            yield Finding(
                "permissions",
                "error",
                f"the user {user} lacks {missing} on the table {table}",
                f"as its owner: GRANT {missing} ON {table} TO {user}",
            )


def journal(look: Look) -> Iterator[Finding]:
    """Yield settings with which a power cut destroys data, and what keeps old rows and logs."""
    for name in ("fsync", "full_page_writes"):
        if look.value(f"SHOW {name}") == "off":
            text = f"the server's {name} is off: a power cut can destroy the database"
            yield Finding("journal", "warning", text, f"set {name} = on in postgresql.conf")
    for slot, kept in look.all(
        "SELECT slot_name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint "
        "FROM pg_replication_slots WHERE NOT pg_is_in_recovery() AND NOT active "
        "AND restart_lsn IS NOT NULL"
    ):
        if kept >= _KEPT_LOG_BYTES:
            text = f"the unused replication slot {slot} keeps {kept >> 20} MiB of the server's log"
            remedy = f"SELECT pg_drop_replication_slot('{slot}'), unless its standby returns"
            yield Finding("journal", "warning", text, remedy)
    for pid, program, hours in look.all(
        "SELECT pid, application_name, extract(epoch FROM now() - xact_start)::int / 3600 "
        "FROM pg_stat_activity WHERE datname = current_database() "
        "AND xact_start < now() - make_interval(secs => %s)",
        LONG_TRANSACTION_S,
    ):
        text = f"the session {pid} ({program}) has a transaction open for {hours} h"
        remedy = f"end it: SELECT pg_terminate_backend({pid}); VACUUM removes nothing meanwhile"
        yield Finding("journal", "warning", text, remedy)


def integrity(look: Look) -> Iterator[Finding]:
    """Yield what the server's checksums found, and tables that cannot be read to their end."""
    failures = look.value(
        "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database "
        "WHERE datname = current_database()"
    )
    if failures:
        text = f"damaged pages that the server found by their checksums: {failures}"
        yield Finding("integrity", "error", text, "check its disk, and restore a backup")
    unchecked = []
    tables = look.all(_TABLES)
    for table, quoted in tables:
        if look.is_over:
            unchecked.append(table)
            continue
        reason = _refusal(look, f"SELECT count(ctid) FROM {quoted}")  # ctid is in no index
        if reason is not None:
            yield Finding(
                "integrity",
                "error",
                f"the table {table} cannot be read: {reason}",
                "check the server's disk, and restore a backup",
            )
    if unchecked:
        yield Finding(
            "integrity",
            "info",
            f"the time was over before {len(unchecked)} of {len(tables)} tables were checked: "
            f"{', '.join(unchecked)}",
            "viewra-lite backup create reads all",
        )


def _refusal(look: Look, sql: str) -> str | None:
    """Return why a query cannot be run, or None."""
    import psycopg

    look.connection.execute("SAVEPOINT viewra_check")
    try:
        look.all(sql)
    except psycopg.errors.QueryCanceled:
        raise
    except psycopg.Error as exc:
        look.connection.execute("ROLLBACK TO SAVEPOINT viewra_check")
        return exc.diag.message_primary
    return None


def foreign_keys(look: Look) -> Iterator[Finding]:
    """Yield rows that refer to rows that do not exist, written while checks were off."""
    for child, parent, quoted_child, quoted_parent, match, present in look.all(_KEYS):
        count, first = look.all(
            f"SELECT count(*), min(c.ctid::text) FROM {quoted_child} c WHERE {present} "
            f"AND NOT EXISTS (SELECT FROM {quoted_parent} p WHERE {match})"
        )[0]
        if count:
            yield Finding(
                "foreign-keys",
                "error",
                f"rows of {child} that refer to rows of {parent} that do not exist: {count}",
                f"delete them (WHERE ctid = '{first}'), or restore a backup",
            )


def fragmentation(look: Look) -> Iterator[Finding]:
    """Yield tables of which a large part are deleted rows."""
    for table, dead, live in look.all(
        "SELECT relname, n_dead_tup, n_live_tup FROM pg_stat_user_tables "
        "WHERE schemaname = current_schema()"
    ):
        if dead >= FEWEST_DEAD_ROWS and dead > live * _MOST_DEAD_SHARE:
            text = f"deleted rows of {table}: {dead}, beside {live} others"
            yield Finding("fragmentation", "warning", text, f"VACUUM {table}; autovacuum = on")


def clock(look: Look) -> Iterator[Finding]:
    """Yield a difference between the clocks of this machine and of the server."""
    [(server,)] = look.all("SELECT clock_timestamp()")
    seconds = (look.now - server).total_seconds()
    if abs(seconds) > _CLOCKS_DIFFER_S:
        text = f"the clock of this machine is {seconds:+.0f} s from that of the server"
        yield Finding("clock", "warning", text, "synchronize both clocks (NTP)")


def statistics(look: Look) -> Iterator[Finding]:
    """Yield tables whose statistics are missing, or of a tenth or ten times the rows."""
    stale = [
        table
        for table, analyzed, rows, changed in look.all(
            "SELECT relname, coalesce(last_analyze, last_autoanalyze) IS NOT NULL, n_live_tup, "
            "n_mod_since_analyze FROM pg_stat_user_tables WHERE schemaname = current_schema()"
        )
        if rows >= _FEWEST_ROWS and (not analyzed or changed > rows * _MOST_CHANGED)
    ]
    if stale:
        text = f"the statistics of {', '.join(stale)} are missing or stale: queries may be slow"
        yield Finding("statistics", "warning", text, "ANALYZE", fixable=True)


def interrupt(connection: Any) -> None:
    """End the query that runs on a connection."""
    connection.cancel()


CHECKS: dict[str, EngineCheck] = {
    "engine": engine,
    "permissions": permissions,
    "journal": journal,
    "integrity": integrity,
    "foreign-keys": foreign_keys,
    "statistics": statistics,
    "fragmentation": fragmentation,
    "clock": clock,
}
FIXES: dict[str, EngineFix] = {}
