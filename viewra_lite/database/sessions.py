"""Sessions: the one way from the rooms to the database.

A thread has at most one session. `reader()` is one consistent snapshot, `writer()` one
transaction; a writer inside a writer is a savepoint, a reader inside a writer sees its rows. A
statement run outside any session is its own: it borrows a connection for as long as it runs and
opens no transaction.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import peewee

from ..errors import CorruptStoreError, InvalidValueError, SessionError
from .checks import refused
from .ids import Ids
from .scopes import Reader as Reader, Session, Writer as Writer
from .statements import Compiled, Statement

if TYPE_CHECKING:
    from .backend import Backend


class _Current(threading.local):
    session: Session | None = None


class Sessions:
    """Readers, writers and single statements over one backend, with its clock and its ids."""

    def __init__(
        self, backend: Backend, *, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self.backend = backend
        self.now = clock
        self.new_id = new_id
        self._engine = backend.engine
        self._current = _Current()
        self._listeners: dict[str, list[Callable[..., None]]] = {}
        _live.add(self)

    def new_ids(self, count: int) -> list[str]:
        """Make several ids, in the order they sort in."""
        if isinstance(self.new_id, Ids):
            return self.new_id.many(count)
        return [self.new_id() for _ in range(count)]

    def reader(self, *, guest: bool = False) -> Reader:
        """Return a context manager for one consistent snapshot; a write in it raises SessionError.

        guest: code that is not ours runs in it, so the connection is put in order afterwards, and
        inside a writer the engine itself refuses to write; ours is only kept from run().
        """
        return Reader(self, guest)

    def writer(self, *, durable: bool = False, guest: bool = False) -> Writer:
        """Return a context manager for one transaction, or a savepoint inside a writer.

        durable: on disk before the outermost writer returns; threads share a sync. A nested
        writer takes the durability of the outermost one. Raises StoreBusyError.
        """
        return Writer(self, durable, guest)

    def after_commit(self, action: Callable[[], Any]) -> None:
        """Call action once the outermost writer has committed; at once where there is none."""
        if not callable(action):
            raise refused("action", "a function", action)
        session = self._current.session
        if session is None or not session.writes:
            action()
        else:
            session.callbacks.append(action)

    @property
    def in_session(self) -> bool:
        """Whether this thread has a reader or a writer open."""
        return self._current.session is not None

    def is_writer_awaited(self) -> bool:
        """Whether another thread of this process waits until the open writer ends."""
        return self.backend.is_writer_awaited()

    def give_way(self) -> None:
        """Let others get on between two writers of a long work; inside a session it does nothing.

        There whoever is to get on may be waiting for that session.
        """
        if self._current.session is None:
            self.backend.give_way()

    def all(self, statement: Statement, *arguments: Any) -> list[Any]:
        """Run a reading statement; a list of models, or of tuples."""
        compiled = self._compiled(statement)
        rows = self._fetch(compiled, arguments)
        fill = compiled.fill
        return rows if fill is None else fill(rows)

    def one(self, statement: Statement, *arguments: Any) -> Any:
        """Run a reading statement; its first row, or None."""
        compiled = statement.compiled.get(self._engine) or self._compiled(statement)
        session = self._current.session
        backend = self.backend
        connection = backend.borrow() if session is None else session.connection
        try:
            cursor = connection.execute(compiled.sql, compiled.bind(arguments))
            row = cursor.fetchone()
            cursor.close()
        except Exception as exc:
            self.raise_translated(exc)
            raise
        finally:
            if session is None:
                backend.give_back(connection)
        if row is None or compiled.fill is None:
            return row
        return compiled.fill((row,))[0]

    def run(self, statement: Statement, *arguments: Any) -> int:
        """Run a writing statement, alone or in the open writer; the number of rows changed."""
        return int(self._write(self._compiled(statement), arguments, _row_count))

    def run_returning(self, statement: Statement, *arguments: Any) -> list[Any]:
        """Run a writing statement that has a RETURNING clause; its rows as tuples."""
        rows: list[Any] = self._write(self._compiled(statement), arguments, _all_rows)
        return rows

    def run_many(self, statement: Statement, rows: Sequence[Sequence[Any]]) -> None:
        """Run a writing statement once for each row, inside the open writer.

        Rows are taken as the driver wants them (timestamps and JSON as text), not converted.
        """
        session = self._writable("run_many")
        compiled = self._compiled(statement)
        try:
            self.backend.execute_many(session.connection, compiled.sql, rows)
        except Exception as exc:
            self.raise_translated(exc)
            raise

    @contextmanager
    def naming_unreadable(self, *models: Any) -> Iterator[None]:
        """Name the stored value of these tables that rows which stay tuples could not be used for.

        Such rows are taken as they are: that what is stored is what the columns hold is looked at
        only once something has failed.
        """
        try:
            yield
        except (TypeError, ValueError, CorruptStoreError) as exc:
            if not isinstance(exc, InvalidValueError):
                for model in models:
                    self.all(Statement(model.select, arity=0))  # raises CorruptStoreError
            raise

    def exclusive(self, name: str, *, wait_s: float = 0.0, once: bool = False) -> Any:
        """Hold a named lock across processes; raises StoreBusyError after wait_s seconds.

        Yields what tells whether it is still held. once: the name is never used again.
        """
        return self.backend.exclusive(name, wait_s=wait_s, once=once)

    def listen(self, event: str, action: Callable[..., None]) -> None:
        """Call action(*arguments) whenever a room announces an event, inside its transaction."""
        self._listeners.setdefault(event, []).append(action)

    def announce(self, event: str, *arguments: Any) -> None:
        """Tell every listener of an event; what they raise ends the announcer's transaction."""
        for action in self._listeners.get(event, ()):
            action(*arguments)

    def close(self) -> None:
        """Close the backend; idempotent."""
        _live.discard(self)
        self.backend.close()

    def abandon(self) -> None:
        """Give up everything after a fork: nothing here may be used in the child."""
        session = self._current.session
        self.backend.abandon()
        if session is not None:
            session.connection = session.cursors = None
            self.forget(session)

    def _compiled(self, statement: Statement) -> Compiled:
        compiled = statement.compiled.get(self._engine)
        return compiled or statement.compile(self._engine, self.backend.database)

    def _fetch(self, compiled: Compiled, arguments: Sequence[Any]) -> list[Any]:
        session = self._current.session
        backend = self.backend
        connection = backend.borrow() if session is None else session.connection
        try:
            rows: list[Any] = connection.execute(
                compiled.sql, compiled.bind(arguments)
            ).fetchall()
            return rows
        except Exception as exc:
            self.raise_translated(exc)
            raise
        finally:
            if session is None:
                backend.give_back(connection)

    def _write(
        self, compiled: Compiled, arguments: Sequence[Any], read: Callable[[Any], Any]
    ) -> Any:
        session = self._current.session
        if session is not None:
            self._writable("a write")
            try:
                return read(session.connection.execute(compiled.sql, compiled.bind(arguments)))
            except Exception as exc:
                self.raise_translated(exc)
                raise
        connection = self.backend.borrow_writer()
        try:
            return read(
                self.backend.execute_alone(connection, compiled.sql, compiled.bind(arguments))
            )
        except Exception as exc:
            self.raise_translated(exc)
            raise
        finally:
            self.backend.give_back_writer(connection)

    def _writable(self, what: str) -> Session:
        session = self._current.session
        if session is None or not session.writes or session.read_depth:
            raise SessionError(f"{what} inside a reader(): use a writer()" if session else None)
        return session

    # For the scopes

    @property
    def current(self) -> Session | None:
        """What this thread has open."""
        return self._current.session

    def begin(self, connection: Any, *, writes: bool, guest: bool) -> Session:
        """Make a connection this thread's session, for the rooms and for Peewee."""
        session = Session(connection, writes, guest)
        state = self.backend.database._state
        state.set_connection(connection)
        # Peewee then makes db.atomic() a savepoint instead of a second BEGIN.
        state.transactions.append(session)
        session.callbacks = state.commit_callbacks
        # A generator may be finished by another thread than the one that began it, so a session
        # remembers where its own thread looks for it.
        session.state, session.owner = state.__dict__, self._current.__dict__
        self._current.session = session
        return session

    def forget(self, session: Session) -> None:
        """Take a session from the thread that began it."""
        session.owner.pop("session", None)
        session.state.update(closed=True, conn=None, ctx=[], transactions=[], commit_callbacks=[])
        for cursor in list(session.cursors or ()):
            cursor.close()  # half-read, it would keep its snapshot for the next borrower

    def finish(self, session: Session, give_back: Callable[[Any], None]) -> None:
        """Give a session's connection back, in order again if guest code ran on it."""
        try:
            if session.guest:
                self.backend.tidy(session.connection)
        finally:
            give_back(session.connection)

    def raise_translated(self, error: BaseException) -> None:
        """Raise the ViewraError that a driver's error stands for; return if there is none."""
        translated = self.backend.translate(error)
        if translated is not error:
            raise translated from error


def _row_count(cursor: Any) -> int:
    return int(cursor.rowcount)


def _all_rows(cursor: Any) -> list[Any]:
    rows: list[Any] = cursor.fetchall()
    return rows


class StoreDatabase:
    """Mixed into Peewee's databases: connections come from sessions only."""

    backend: Any
    one_of: tuple[str, str, Callable[[Any], Any] | None]
    matches_words: tuple[str, str, Callable[[Any], Any]]
    utc_day: tuple[str, str]

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Refuse: a query outside a session would leak a connection."""
        self._connection()
        if not reuse_if_open:
            raise SessionError("connections are opened by the store: this session has one already")
        return False

    def cursor(self, named_cursor: Any = None) -> Any:
        """Return a cursor of the session's connection; raises SessionError outside one."""
        return self._connection().cursor()

    def begin(self, *args: Any, **kwargs: Any) -> None:
        """Start a transaction for a migration script; in a session there is one already."""
        self.backend.begin_write(self._connection(), durable=True)

    def commit(self) -> None:
        """Commit what begin() started."""
        self.backend.commit(self._connection())

    def rollback(self) -> None:
        """Roll back what begin() started, unless the engine has done so by itself."""
        self.backend.rollback(self._connection())

    def _connection(self) -> Any:
        state: Any = self._state  # type: ignore[attr-defined]
        if state.closed:
            self.backend.refuse_stray_query()
        return state.conn

    def get_context_options(self) -> dict[str, Any]:
        """Return Peewee's options for building SQL, and how this engine says our own nodes."""
        options: dict[str, Any] = super().get_context_options()  # type: ignore[misc]
        options["one_of"] = self.one_of
        options["matches_words"] = self.matches_words
        options["utc_day"] = self.utc_day
        return options

    def _execute_cursor(self, sql: str, params: Any, **options: Any) -> Any:
        try:
            return super()._execute_cursor(sql, params, **options)  # type: ignore[misc]
        except peewee.PeeweeException:
            raise  # translated as it leaves the session; Peewee's own code catches some
        except (OverflowError, ValueError, TypeError) as exc:
            translated = self.backend.translate(exc)
            if translated is exc:
                raise
            raise translated from exc


_live: weakref.WeakSet[Sessions] = weakref.WeakSet()


def _abandon_all() -> None:
    for sessions in list(_live):
        sessions.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
