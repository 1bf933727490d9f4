"""The storage of a plugin: small JSON values by name."""

from __future__ import annotations

from collections.abc import Iterator, KeysView, MutableMapping
from datetime import timedelta
from typing import Any

from ..database.checks import checked_seconds, checked_text, or_none, refused
from ..database.orm.fields import dumps
from ..database.transactions.database import Database
from ..database.transactions.scopes import lifted
from ..errors import InvalidValueError
from . import queries

LONGEST_KEY = 256  # bytes
LARGEST_VALUE = 64 << 10  # bytes of JSON
MOST_BYTES = 1 << 20


class Storage(MutableMapping[str, Any]):
    """JSON values by name: keys of 256 bytes, values of 64 KiB, plugin_storage_kib in all at most.

    Each call is a transaction, or part of the open one. Other processes see the same values.
    """

    def __init__(self, db: Database, plugin_id: str, most_bytes: int = MOST_BYTES) -> None:
        self._db = db
        self._most = most_bytes
        self._id = plugin_id

    def __getitem__(self, key: str) -> Any:
        found = None
        if isinstance(key, str):
            with lifted(self._db.current):
                found = self._db.one(queries.stored_value, self._id, key, self._db.now())
        if found is None:
            raise KeyError(key)
        return found.value

    def __setitem__(self, key: str, value: Any) -> None:
        self.set(key, value)

    def set(self, key: str, value: object, *, ttl: float | None = None) -> None:
        """Store a JSON value, for ttl seconds if they are given.

        Raises InvalidValueError if it is too large, or if all values together would be.
        """
        size = _checked_key(key) + _checked_value(key, value)
        seconds, now = or_none(checked_seconds, "ttl", ttl), self._db.now()
        expires_at = None if seconds is None else now + timedelta(seconds=seconds)
        with lifted(self._db.current), self._db.writer():
            self._db.run(queries.delete_expired, self._id, now)
            (others,) = self._db.one(queries.bytes_beside, self._id, key)
            if others + size > self._most:
                raise InvalidValueError(
                    f"the storage of {self._id} holds {others} bytes, and {size} more exceed "
                    f"{self._most}: remove values, use a table, or raise plugin_storage_kib"
                )
            self._db.run(queries.delete_stored, self._id, key)
            self._db.run(queries.insert_stored, self._id, key, value, size, expires_at)

    def __delitem__(self, key: str) -> None:
        with lifted(self._db.current), self._db.writer():
            self[key]  # raises KeyError
            self._db.run(queries.delete_stored, self._id, key)

    def keys(self, prefix: str = "") -> KeysView[str]:
        """Return the keys that start with a prefix, in order."""
        checked_text("prefix", prefix)
        with lifted(self._db.current):
            rows = self._db.all(queries.stored_keys, self._id, self._db.now())
        found = [key for (key,) in rows]
        return dict.fromkeys(sorted(key for key in found if key.startswith(prefix))).keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __repr__(self) -> str:
        return f"<Storage of {self._id}>"


def _checked_key(key: object) -> int:
    size = len(checked_text("a key", key).encode())
    if not 0 < size <= LONGEST_KEY:
        raise refused("a key", f"1 to {LONGEST_KEY} bytes long", key)
    return size


def _checked_value(key: str, value: object) -> int:
    text = checked_text("a value", dumps(value))
    if (size := len(text.encode())) > LARGEST_VALUE:
        raise InvalidValueError(
            f"the value of {key} has {size} bytes as JSON, and {LARGEST_VALUE} are the most: "
            "use a table for large data"
        )
    return size
