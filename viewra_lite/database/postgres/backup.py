"""Backups of a store on PostgreSQL: written by pg_dump, and read back by pg_restore."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from ...config.options import PostgresConfig
from ...errors import BackupError, StoreBusyError
from .moving import grant_again, identifier, its_name_free

if TYPE_CHECKING:
    from .backend import PostgresBackend

_COPY = re.compile(rb'COPY (?:(?:"(?:[^"]|"")+"|[^". (]+)\.)?"?([^" (]+)"? .*FROM stdin;')
_HISTORY = "viewra_migrations_"
_LONGEST_MESSAGE = 300  # characters of what a program said


SUFFIX = ".dump"


def write(backend: PostgresBackend, config: PostgresConfig, path: Path) -> dict[str, int]:
    """Dump one snapshot of the database into a file; return the rows by table in it.

    Raises BackupError.
    """
    import psycopg

    connection = backend.borrow()
    try:
        backend.begin_read(connection)
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        snapshot, schema = connection.execute(
            "SELECT pg_export_snapshot(), quote_ident(current_schema())"
        ).fetchone()
        run(
            config,
            "pg_dump",
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            f"--schema={schema}",
            f"--file={path}",
        )
        return _counts(connection)
    except psycopg.Error as exc:
        raise backend.translate(exc) from exc
    finally:
        backend.end_read(connection)
        backend.give_back(connection)


def _counts(connection: Any) -> dict[str, int]:
    tables = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
    ).fetchall()
    counted = {}
    for (table,) in tables:
        query = f"SELECT count(*) FROM {identifier(table)}"
        counted[table] = int(connection.execute(query).fetchone()[0])
    return counted


def contents(path: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Read a dump to its end; return its rows by table, and the last migration of each module.

    Needs pg_restore and no server. Raises BackupError.
    """
    found: dict[str, int] = {}
    schema: dict[str, str] = {}
    command = [program("pg_restore"), "--data-only", "--file=-", os.fspath(path)]
    with (
        TemporaryFile() as said,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, env=environment()
        ) as process,
    ):
        assert process.stdout is not None
        for table, rows, last in _tables(process.stdout):
            found[table] = rows
            if table.startswith(_HISTORY) and last:
                schema[table.removeprefix(_HISTORY)] = last
        if process.wait():
            said.seek(0)
            raise BackupError(f"{path} is damaged: {_shown(said.read())}")
    return found, schema


def _tables(lines: IO[bytes]) -> Iterator[tuple[str, int, str]]:
    """Yield each table, its rows and the greatest value of its first column, if a history."""
    for line in lines:
        begin = _COPY.match(line)
        if begin is None:
            continue
        table, rows, last = begin[1].decode(), 0, ""
        is_history = table.startswith(_HISTORY)
        for row in lines:
            if row == b"\\.\n":
                break
            rows += 1
            if is_history:
                last = max(last, row.partition(b"\t")[0].decode())
        yield table, rows, last


def run(config: PostgresConfig, name: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on the database; raises BackupError with its message.

    The password is in a file that only this user can read, for everybody sees the arguments.
    """
    with NamedTemporaryFile("w", prefix="viewra-") as passwords:  # mode 0600
        where = {
            "host": config.host,
            "port": config.port,
            "user": config.user,
            "dbname": config.database,
            "sslmode": config.sslmode,
        }
        if config.password:
            password = config.password.reveal().replace("\\", "\\\\").replace(":", "\\:")
            passwords.write(f"*:*:*:*:{password}\n")
            passwords.flush()
            where["passfile"] = passwords.name
        info = " ".join(f"{key}={_quoted(value)}" for key, value in where.items())
        command = [program(name), f"--dbname={info}", "--no-password", *arguments]
        done = subprocess.run(command, capture_output=True, env=environment())
    if done.returncode:
        raise BackupError(f"{name} failed: {_shown(done.stderr)}")


def _quoted(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def program(name: str) -> str:
    """Return the path of a program of PostgreSQL; raises BackupError."""
    found = shutil.which(name)
    if found is None:
        raise BackupError(
            f"{name} is not installed: a backup of PostgreSQL needs its client programs, of the "
            "server's version or newer (apt install postgresql-client)"
        )
    return found


def environment() -> dict[str, str] | None:
    """Return the environment for another program; None is that of this one.

    A program frozen by PyInstaller has its own libraries in LD_LIBRARY_PATH (DYLD_ on macOS), with
    which others may not start.
    """
    if not hasattr(sys, "_MEIPASS"):
        return None
    found = dict(os.environ)
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        before = found.pop(f"{name}_ORIG", None)
        found.pop(name, None)
        if before is not None:
            found[name] = before
    return found


def _shown(said: bytes) -> str:
    lines: Sequence[str] = said.decode(errors="replace").split("\n")
    text = "; ".join(filter(None, (line.strip() for line in lines)))
    return text[:_LONGEST_MESSAGE] or "it did not say why"


def restore(config: PostgresConfig, backup: str, stamp: str) -> str | None:
    """Restore a checked dump; return the schema that the tables of before were moved to, or None.

    They are moved back if the dump cannot be restored. Raises StoreBusyError if a process has the
    store open, and BackupError.
    """
    import psycopg

    from .backend import PostgresBackend

    backend = PostgresBackend(config)
    connection = backend.borrow()
    try:
        return _replaced(config, connection, backup, stamp)
    except psycopg.Error as exc:
        raise backend.translate(exc) from exc
    finally:
        backend.give_back(connection)
        backend.close()


def _replaced(config: PostgresConfig, connection: Any, backup: str, stamp: str) -> str | None:
    others, schema, tables = connection.execute(
        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'viewra_lite' AND pid <> pg_backend_pid()),"
        " current_schema(), (SELECT count(*) FROM pg_tables WHERE schemaname = current_schema())"
    ).fetchone()
    if others:
        raise StoreBusyError(f"{config.url} is open in a process: stop it, then restore")
    aside = f"{schema}_before_restore_{stamp}".lower() if tables else None
    # The dump creates the schema, and all of it or nothing.
    here = identifier(schema)
    moved, back = f"DROP SCHEMA {here}", f"CREATE SCHEMA {here}"
    if aside:
        moved = f"ALTER SCHEMA {here} RENAME TO {identifier(aside)}"
        back = f"ALTER SCHEMA {identifier(aside)} RENAME TO {here}"
    with its_name_free(connection, program("pg_restore"), backup, schema) as dumped:
        connection.execute(moved)
        try:
            run(
                config,
                "pg_restore",
                "--exit-on-error",
                "--single-transaction",
                "--no-owner",
                "--no-privileges",
                backup,
            )
            if dumped != schema:
                connection.execute(f"ALTER SCHEMA {identifier(dumped)} RENAME TO {here}")
        except BaseException:
            connection.execute(back)
            raise
    if aside:
        grant_again(connection, aside, schema)
    connection.execute("ANALYZE")  # a dump has no statistics
    return aside
