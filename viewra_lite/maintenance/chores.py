"""Runs the chores that are due: one process at a time each, and each on its own when one fails.

The row of a chore says when it is due. Who runs it holds a lock that its death releases, and moves
`due_at` only when it has ended: a chore that was interrupted is still due.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

from ..database.checks import checked_choice
from ..database.orm.statements import Statement
from ..database.transactions.database import Database
from ..errors import ConflictError, StoreBusyError, StoreClosedError, TransactionError, ViewraError
from . import queries
from .due import Definition
from .models import Chore

_log = logging.getLogger("viewra_lite.maintenance")

_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class ChoreResult:
    """A chore that was due: what it did, or why not."""

    name: str
    seconds: float
    """How long it took."""
    done: str | None = None
    """What it did, in words; None if nothing."""
    error: str | None = None
    """Why it failed; it is tried again later."""
    left: bool = False
    """Whether it was left for the next time, because budget_s was used up."""


class Chores:
    """The chores of a store."""

    def __init__(
        self, db: Database, definitions: Sequence[Definition], is_quiet: Callable[[], bool]
    ) -> None:
        self._db = db
        self._known = definitions
        self._is_quiet = is_quiet

    def run_due(self, now: datetime, budget_s: float | None) -> list[ChoreResult]:
        """Run the chores that are due, until budget_s seconds are over; leave the rest."""
        self._refuse_inside()
        until = None if budget_s is None else time.monotonic() + budget_s
        rows = self._rows()
        due = [one for one in self._definitions if self._row(one, rows, now).due_at <= now]
        results: list[ChoreResult] = []
        for position, definition in enumerate(due):
            if until is not None and time.monotonic() >= until:
                return results + [ChoreResult(one.name, 0.0, left=True) for one in due[position:]]
            if self._has_to_wait(definition, rows[definition.name], now):
                continue
            with self._claimed(definition) as row:
                if row is not None and row.due_at <= now:  # no other process has run it meanwhile
                    results.append(self._run(definition, row, now))
        return results

    def run(self, name: str, now: datetime) -> ChoreResult:
        """Run one chore, due or not."""
        self._refuse_inside()
        checked_choice("name", name, [one.name for one in self._definitions])
        definition = next(one for one in self._definitions if one.name == name)
        self._row(definition, self._rows(), now)
        with self._claimed(definition) as row:
            if row is None:
                raise ConflictError(f"another process or thread is running {name}: try again later")
            return self._run(definition, row, now)

    def all(self, now: datetime) -> list[Chore]:
        """Return every chore, in the order in which they run; writes nothing."""
        rows = self._rows()
        return [
            rows.get(one.name) or Chore(name=one.name, due_at=one.due.first(now))
            for one in self._definitions
        ]

    @property
    def _definitions(self) -> list[Definition]:
        return [one for one in self._known if one.is_here()]

    def _rows(self) -> dict[str, Chore]:
        return {row.name: row for row in self._db.all(queries.chores)}

    def _has_to_wait(self, definition: Definition, row: Chore, now: datetime) -> bool:
        """Whether a chore waits for a quiet moment; asked late, the chores before make some."""
        has_waited = (now - row.due_at).total_seconds() >= definition.quiet_s
        return not has_waited and not self._is_quiet()

    def _row(self, definition: Definition, rows: dict[str, Chore], now: datetime) -> Chore:
        """Return a chore's row; insert a missing one, correct one that a wrong clock wrote."""
        row = rows.get(definition.name)
        if row is None:
            row = Chore(name=definition.name, due_at=definition.due.first(now))
            self._db.run(queries.insert_chore, definition.name, row.due_at)
        else:
            latest = definition.latest(now, row.failures)
            if row.due_at > latest:
                self._db.run(queries.bring_forward, latest, definition.name)
                row.due_at = latest
        rows[definition.name] = row
        return row

    @contextmanager
    def _claimed(self, definition: Definition) -> Iterator[Chore | None]:
        """Lock a chore against every other process and thread; yields its row, or None if taken."""
        with ExitStack() as held:
            try:
                held.enter_context(self._db.exclusive(f"chore-{definition.name}", wait_s=0))
            except StoreBusyError:
                yield None
                return
            yield self._db.one(queries.chore_by_name, definition.name)

    def _run(self, definition: Definition, row: Chore, now: datetime) -> ChoreResult:
        name, began = definition.name, time.monotonic()
        try:
            done = definition.run(now)
        except StoreClosedError:
            raise
        except Exception as exc:  # of a chore or a module of others: the next one still runs
            failures = int(row.failures) + 1
            result = ChoreResult(name, time.monotonic() - began, error=_reason(exc))
            again = definition.retry(now, failures)
            reason = _storable(result.error)
            self._save(queries.save_failure, again, now, result.seconds, reason, name)
            _log.warning("%s failed: %s; it is tried again at %s", name, type(exc).__name__, again)
            return result
        result = ChoreResult(name, time.monotonic() - began, done)
        again = definition.due.after(now, row.due_at)
        self._save(queries.save_success, again, now, result.seconds, _storable(done), name)
        _log.debug("%s: %s", name, done or "nothing to do")
        return result

    def _save(self, statement: Statement, *values: object) -> None:
        try:
            self._db.run(statement, *values)
        except StoreClosedError:
            raise
        except ViewraError as exc:  # a full disk: the chore runs again, and the others before
            _log.warning("the outcome of a chore was not stored: %s", type(exc).__name__)

    def _refuse_inside(self) -> None:
        if self._db.in_transaction:
            raise TransactionError("chores have transactions of their own: leave that block first")


def _storable(text: str | None) -> str | None:
    """Return a text with the characters escaped that a database refuses: of paths, and NUL."""
    return text and text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _reason(error: Exception) -> str:
    text = str(error) if isinstance(error, ViewraError) else f"{type(error).__name__}: {error}"
    return text[:_LONGEST_ERROR]
