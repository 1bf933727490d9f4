"""Restoring a dump under the name of another schema, and what other roles may do with it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import BackupError

_CREATED = re.compile(r'^CREATE SCHEMA ("(?:[^"]|"")+"|\S+);$', re.MULTILINE)
_OBJECTS = """
    SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = n.oid)
    + (SELECT count(*) FROM pg_proc WHERE pronamespace = n.oid)
    FROM pg_namespace n WHERE n.nspname = %s"""
# What roles other than the owner may do with the tables of one schema that another has too.
_GRANTS = """
    SELECT format('GRANT %%s ON %%I.%%I TO %%s%%s', a.privilege_type, %(new)s::text, c.relname,
        CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
        CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.relnamespace = quote_ident(%(old)s)::regnamespace AND a.grantee <> c.relowner
    AND to_regclass(format('%%I.%%I', %(new)s::text, c.relname)) IS NOT NULL
    UNION ALL
    SELECT format('GRANT %%s ON SCHEMA %%I TO %%s%%s', a.privilege_type, %(new)s::text,
        CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
        CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_namespace n, aclexplode(n.nspacl) a
    WHERE n.nspname = %(old)s AND a.grantee <> n.nspowner"""


@contextmanager
def its_name_free(connection: Any, pg_restore: str, backup: str, schema: str) -> Iterator[str]:
    """Yield the name of the schema that a dump creates, which must not exist here meanwhile.

    An empty one of this name, such as public, gets another name until the end. Raises BackupError.
    """
    dumped = _schema_of(pg_restore, backup) or schema
    found = connection.execute(_OBJECTS, (dumped,)).fetchone() if dumped != schema else None
    if found is None:
        yield dumped
        return
    if found[0]:
        raise BackupError(
            f"{backup} is of the schema {dumped}, and the schema {dumped} of this database is in "
            f"use: restore into another database, or rename that schema meanwhile"
        )
    name = identifier(dumped)
    connection.execute(f"ALTER SCHEMA {name} RENAME TO viewra_during_restore")
    try:
        yield dumped
    finally:
        connection.execute(f"ALTER SCHEMA viewra_during_restore RENAME TO {name}")


def identifier(name: str) -> str:
    """Return a name in the quotes of a statement."""
    return '"' + name.replace('"', '""') + '"'


def _schema_of(pg_restore: str, backup: str) -> str | None:
    command = [pg_restore, "--schema-only", "--file=-", os.fspath(backup)]
    said = subprocess.run(command, capture_output=True).stdout.decode(errors="replace")
    created = _CREATED.search(said)
    if created is None:
        return None
    return created[1][1:-1].replace('""', '"') if created[1][0] == '"' else created[1]


def grant_again(connection: Any, old: str, new: str) -> None:
    """Give other roles what they had in the schema before; a dump has no grants."""
    for (grant,) in connection.execute(_GRANTS, {"old": old, "new": new}).fetchall():
        connection.execute(grant)
