"""Named locks across processes: PostgreSQL's advisory locks, which end with their session."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..transactions.locks import of_this_process, wait_for_lock

_RETRY_S = 0.05
_HOLDERS = (  # the two halves of a key of 64 bits
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND classid = %s AND objid = %s AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
)
Translate = Callable[[BaseException], BaseException]


@contextmanager
def held(
    connection: Any, name: str, *, wait_s: float, error: type[Exception], translate: Translate
) -> Iterator[None]:
    """Hold a lock on a connection of its own, which is closed at the end.

    Raises StoreBusyError after wait_s seconds. error is the driver's.
    """
    key = _key_of(name)

    def is_ours_now() -> bool:
        try:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
        except error as exc:
            raise translate(exc) from exc
        return bool(row[0])

    with of_this_process(connection.fileno()) as is_ours:
        try:
            wait_for_lock(is_ours_now, name, wait_s, _RETRY_S)
            yield
        finally:
            if is_ours():  # a child's Terminate message would end its parent's connection
                # Before the close: the server notices that one a moment later.
                with suppress(error):  # then the close has to do
                    connection.execute("SELECT pg_advisory_unlock(%s)", (key,))
                connection.close()


def is_held(connection: Any, name: str) -> bool:
    """Whether any session of this database holds a lock."""
    key = _key_of(name).to_bytes(8, "big", signed=True)
    halves = [int.from_bytes(half, "big") for half in (key[:4], key[4:])]
    return connection.execute(_HOLDERS, halves).fetchone() is not None


def _key_of(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
