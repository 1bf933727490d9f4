"""The blocks of a plugin: reading() and writing(), confined to what it may do there."""

from __future__ import annotations

import logging
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ...config.options import Config
from ...database.transactions.guards import Guard, Rules
from ...database.transactions.scopes import Reader, Writer
from ...errors import PluginError
from .quota import Quota

if TYPE_CHECKING:
    from ...database.transactions.database import Database
    from ...database.transactions.transaction import Transaction


log = logging.getLogger("viewra_lite.plugins")

PRIVATE = frozenset(("plugins", "plugin_storage"))


class Confinement:
    """Makes the blocks of one plugin."""

    def __init__(self, db: Database, config: Config, plugin: str, prefix: str) -> None:
        self._db = db
        self._quota = Quota(plugin, config.plugin_quota_mib)
        rules = partial(
            Rules,
            plugin,
            prefix,
            PRIVATE,
            statement_s=config.plugin_statement_ms / 1000,
            block_s=config.plugin_writing_ms / 1000,
        )
        self._reading, self._writing = rules(writes=False), rules(writes=True)

    def reading(self) -> Reader:
        """Return a context manager for one snapshot."""
        return ReadingBlock(self._db, self._reading)

    def writing(self) -> Writer:
        """Return a context manager for one transaction on the plugin's own tables."""
        return WritingBlock(self._db, self._writing, self._quota)


class _Block:
    """The part that both blocks share, before Reader or Writer among the base classes."""

    __slots__ = ()
    _is_guarded = True
    _db: Any
    _transaction: Transaction | None
    _rules: Rules
    _quota: Quota | None

    def __enter__(self) -> Any:
        before = self._db.current
        if before is not None and before.guard is not None:
            _refuse_other(before.guard, self._rules)
        super().__enter__()  # type: ignore[misc]
        transaction = self._db.current
        if transaction.guard is None:
            try:
                self._confine(transaction)
            except BaseException as exc:
                self.leave(type(exc), exc, None)
                raise
        return self

    def _confine(self, transaction: Transaction) -> None:
        guard = self._db.backend.database.guard(transaction.connection, self._rules)
        guard.level = len(transaction.entered)
        transaction.guard = guard
        guard.begin()

    def leave(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the block; roll it back if something in it was refused."""
        try:
            error = self._ended(exc)
        except BaseException as failure:  # of the connection, for example
            error = failure
        leave = super().leave  # type: ignore[misc]
        if error is None:
            leave(exc_type, exc, traceback)
        else:
            leave(type(error), error, error.__traceback__)
            raise error from exc

    def _ended(self, exc: BaseException | None) -> BaseException | None:
        """Return the error that ends the block instead of exc, if another one does."""
        transaction = self._transaction
        if transaction is None or self._db.own(self) is not transaction:
            return None
        guard = transaction.guard
        if guard is None:
            return None
        is_outermost = guard.level == len(transaction.entered)
        if is_outermost and exc is None:
            guard.check()
        if is_outermost:
            guard.end()
            transaction.guard = None
        error = guard.verdict(exc)
        if is_outermost and exc is None and error is None and self._quota is not None:
            error = self._quota.excess(guard)
        if is_outermost and (why := error or guard.refusal):
            log.warning("%s", why)
        return error


class ReadingBlock(_Block, Reader):
    """The context manager of Plugin.reading()."""

    __slots__ = ("_rules", "_quota")

    def __init__(self, db: Database, rules: Rules) -> None:
        super().__init__(db, True)
        self._rules = rules
        self._quota = None


class WritingBlock(_Block, Writer):
    """The context manager of Plugin.writing()."""

    __slots__ = ("_rules", "_quota")

    def __init__(self, db: Database, rules: Rules, quota: Quota) -> None:
        super().__init__(db, True)
        self._rules = rules
        self._quota = quota


def _refuse_other(guard: Guard, rules: Rules) -> None:
    if guard.rules.plugin != rules.plugin:
        raise PluginError(
            f"{rules.block} of the plugin {rules.plugin} is inside one of {guard.rules.plugin}",
            remedy="leave that block first",
        )
