"""SqliteDriver: the interface of a driver. The code above it works without knowing which it is.

All connections of a process to a file must use the same driver: two SQLite libraries on one file in
one process break each other's locks.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ..errors import Explained


class SqliteDriver(Protocol):
    """A driver module. Its connections never begin a transaction by themselves."""

    @property
    def Error(self) -> type[Exception]:
        """The base class of the driver's errors."""

    @property
    def Database(self) -> Any:
        """Peewee's view of the backend: a class, called with the backend and its path."""

    def connect(self, path: Path, wait_s: float, view: str = "mode=rw") -> Any:
        """Connect to an existing file; any thread may use the connection, one at a time.

        view are parameters of https://sqlite.org/uri.html.
        """

    def copy(self, connection: Any, path: Path) -> None:
        """Copy the database, as one snapshot sees it, to an empty file."""

    def close(self, connection: Any, /) -> Any:
        """Close a connection and roll back its open transaction."""

    @property
    def finalize(self) -> Callable[[Any], None] | None:
        """Finalizes half-read statements when a connection is given back; None if not needed."""

    def total_changes(self, connection: Any, /) -> Any:
        """Return the number of rows that a connection has changed so far."""

    def authorize(self, connection: Any, decide: Callable[..., int] | None) -> None:
        """Let decide(action, name, value, ...) allow or deny statements; None allows all."""

    def watch(self, connection: Any, is_over: Callable[[], bool] | None, steps: int) -> None:
        """Interrupt a statement once is_over(), called every so many steps, is true."""

    def limit_length(self, connection: Any, most: int) -> int | None:
        """Limit the bytes of a value; return the limit before, None if this driver has none."""

    def reset(self, connection: Any) -> None:
        """Undo settings of caller's code on the driver's connection object."""

    def explained(self, error: BaseException) -> Explained | None:
        """Return the code and message of an error; None if it is not the driver's."""
