"""Guard: confines the code of a plugin on the connection of a transaction.

It guards against mistakes, not malice: whatever runs in this process can get around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any

import peewee

from ...errors import PluginError, TransactionError


@dataclass(frozen=True, slots=True)
class Rules:
    """What a plugin may do in a block."""

    plugin: str
    """Its id, for messages."""
    prefix: str
    """The names of the tables that it may write start with this; it reads all others."""
    private: frozenset[str]
    """Tables that it may not even read."""
    writes: bool
    statement_s: float
    """The longest time that a statement may take, seconds."""
    block_s: float
    """The longest time that a writing() block may take, seconds."""

    @property
    def block(self) -> str:
        """The name of the block."""
        return "writing()" if self.writes else "reading()"


class Guard:
    """Confines one block. What was refused first ends the block, even if its error was caught."""

    driver_error: type[Exception]

    def __init__(self, connection: Any, rules: Rules) -> None:
        self.connection = connection
        self.rules = rules
        self.refusal: PluginError | None = None
        self.interruption: BaseException | None = None
        """Such as Ctrl-C in a function that the driver called, where none can be raised."""
        self.level = 0
        """How many scopes of the transaction are open with the guard's own."""
        self.ends = monotonic() + rules.block_s if rules.writes else inf
        self.is_begun = False

    def begin(self) -> None:
        """Confine the connection from now on."""
        self.is_begun = True
        self._confine()

    def end(self) -> None:
        """Free the connection; does nothing if it is free."""
        if self.is_begun:
            self.is_begun = False
            self._free()

    def before_statement(self) -> None:
        """Raise PluginError if the block is over its time; called before a statement of Peewee."""
        if monotonic() > self.ends:
            raise self.refuse_late()

    def check(self) -> None:
        """Note what a block did that is not allowed; called before it commits."""
        if monotonic() > self.ends:
            self.refuse_late()

    def refuse(self, what: str, remedy: str) -> PluginError:
        """Note what the block may not do, and return the error."""
        rules = self.rules
        error = PluginError(
            f"{rules.block} of the plugin {rules.plugin} may not {what}", remedy=remedy
        )
        self.refusal = self.refusal or error
        return error

    def refuse_write(self, table: str) -> PluginError:
        """Note that the block would write a table that is not the plugin's."""
        if not self.rules.writes:
            return self.refuse(f"write the table {table}", "write in a writing() block")
        return self.refuse(
            f"write the table {table}",
            f"write only to its own tables, whose names start with {self.rules.prefix}",
        )

    def refuse_read(self, table: str) -> PluginError:
        """Note that the block would read a table that is private."""
        return self.refuse(
            f"read the table {table}",
            "it holds what other plugins keep; its own is in self.config and self.storage",
        )

    def refuse_kind(self, kind: str) -> PluginError:
        """Note that the block would run a kind of statement that no plugin may run."""
        return self.refuse(
            f"use {kind}", "use SELECT, INSERT, UPDATE and DELETE; tables change in its migrations"
        )

    def refuse_verb(self) -> PluginError:
        """Note that a verb of the store would write in the block."""
        return self.refuse(
            "call what opens a writer() of the store",
            "call that verb before the block or after it; this block is for its own tables",
        )

    def refuse_slow(self) -> PluginError:
        """Note that a statement took too long."""
        return self.refuse(
            f"run a statement for more than {self.rules.statement_s:g} s",
            "select fewer rows, or raise plugin_statement_ms",
        )

    def refuse_late(self) -> PluginError:
        """Note that the block took too long."""
        rules = self.rules
        return self.refuse(
            f"take more than {rules.block_s:g} s",
            "do slow work before the block, write in smaller blocks, or raise plugin_writing_ms",
        )

    def verdict(self, error: BaseException | None) -> BaseException | None:
        """Return the error that ends the block instead of `error`; None: it ends with that one."""
        if self.interruption is not None:
            return self.interruption
        refused = (peewee.PeeweeException, self.driver_error, TransactionError)
        return self.refusal if error is None or isinstance(error, refused) else None

    def has_grown(self) -> bool:
        """Whether the block has taken more space than it gave back; called after use()."""
        raise NotImplementedError

    def use(self, known: int | None) -> int:
        """Return the bytes of the plugin's tables; known is what the last call returned.

        Called at the end of the block, when the connection is free. None measures them anew.
        """
        raise NotImplementedError

    def _confine(self) -> None:
        raise NotImplementedError

    def _free(self) -> None:
        raise NotImplementedError


def foreign_rows(table: str, prefix: str) -> str:
    """Return why a migration script of a plugin is rolled back that changed another's rows."""
    return (
        f"it would change rows of the table {table}: the names of its own tables start with "
        f"{prefix}"
    )
