"""The seam below SQLite: what a driver must answer so that nothing above it asks which one it is.

Whatever opens the file in our process goes through the driver that the configuration names: two
SQLite libraries on one file in one process break each other's locks.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ..errors import Explained


class SqliteDriver(Protocol):
    """A driver, as a module. Its connections run every statement on their own, without BEGIN."""

    @property
    def Error(self) -> type[Exception]:
        """The base of the driver's own errors."""

    @property
    def Database(self) -> Any:
        """Peewee's view of the backend: a class, made from the backend and its path."""

    def connect(self, path: Path, wait_s: float) -> Any:
        """Connect to a file that is there; any thread may use what is returned, one at a time."""

    def close(self, connection: Any, /) -> Any:
        """Close a connection, and roll back what it left open."""

    @property
    def finalize(self) -> Callable[[Any], None] | None:
        """What ends the statements that were left half-read, each time a connection comes back."""

    def total_changes(self, connection: Any, /) -> Any:
        """Return how many rows a connection has changed so far."""

    def reset(self, connection: Any) -> None:
        """Undo what guest code may have set on the driver's own object."""

    def explained(self, error: BaseException) -> Explained | None:
        """Return what an error stands for; None for one that is not the driver's."""
