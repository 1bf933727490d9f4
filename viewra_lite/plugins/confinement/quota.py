"""How much space the tables of a plugin may take."""

from __future__ import annotations

from ...database.transactions.database import Database
from ...database.transactions.guards import Guard, Rules
from ...errors import PluginError


def table_bytes(db: Database, prefix: str) -> int:
    """Return the bytes of the tables whose names start with a prefix, inside a reader()."""
    transaction = db.current
    assert transaction is not None
    rules = Rules("", prefix, frozenset(), writes=False, statement_s=0, block_s=0)
    guard: Guard = db.backend.database.guard(transaction.connection, rules)
    return guard.use(None)


class Quota:
    """The limit for the tables of one plugin, and what this process knows of their size."""

    def __init__(self, plugin: str, most_mib: int) -> None:
        self._plugin = plugin
        self._most = most_mib << 20
        self._known: int | None = None

    def excess(self, guard: Guard) -> PluginError | None:
        """Return the error of a block that grew the tables above the limit, before it commits.

        A plugin that is above it can still remove rows.
        """
        if not self._most:
            return None
        before = self._known
        used = guard.use(before)
        if used > self._most and before is not None:
            used = guard.use(None)  # the sum of many estimates
        self._known = used
        if used <= self._most or not guard.has_grown():
            return None
        self._known = None  # it is rolled back
        return PluginError(
            f"the tables of the plugin {self._plugin} would take {used / (1 << 20):.1f} MiB, and "
            f"{self._most >> 20} MiB are the most",
            remedy="remove rows, or raise plugin_quota_mib",
        )
