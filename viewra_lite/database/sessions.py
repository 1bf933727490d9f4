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
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

import peewee

from ..errors import SessionError, ViewraError
from .backend import Backend
from .statements import Compiled, Statement

_NO_ARGUMENTS: tuple[Any, ...] = ()


class _Session:
    """What one thread has open."""

    __slots__ = ("connection", "writes", "read_depth", "savepoints", "guest")

    def __init__(self, connection: Any, writes: bool, guest: bool) -> None:
        self.connection = connection
        self.writes = writes
        self.read_depth = 0
        self.savepoints = 0
        self.guest = guest


class _Current(threading.local):
    session: _Session | None = None


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
        _live.add(self)

    def reader(self, *, guest: bool = False) -> Reader:
        """Return a context manager for one consistent snapshot; a write in it raises SessionError.

        guest: code that is not ours runs in it, so the connection is put in order afterwards.
        """
        return Reader(self, guest)

    def writer(self, *, durable: bool = False, guest: bool = False) -> Writer:
        """Return a context manager for one transaction, or a savepoint inside a writer.

        durable: on disk before the outermost writer returns (SQLite: synchronous FULL). A nested
        writer takes the durability of the outermost one. Raises StoreBusyError.
        """
        return Writer(self, durable, guest)

    def after_commit(self, action: Callable[[], Any]) -> None:
        """Call action once the outermost writer has committed; at once where there is none."""
        session = self._current.session
        if session is None or not session.writes:
            action()
        else:
            self.backend.database._state.commit_callbacks.append(action)

    @property
    def in_session(self) -> bool:
        """Whether this thread has a reader or a writer open."""
        return self._current.session is not None

    @property
    def in_writer(self) -> bool:
        """Whether this thread has a writer open."""
        session = self._current.session
        return session is not None and session.writes

    def all(self, statement: Statement, *arguments: Any) -> list[Any]:
        """Run a reading statement; a list of models, or of tuples."""
        compiled = self._compiled(statement)
        rows = self._fetch(compiled, arguments)
        fill = compiled.fill
        return rows if fill is None else [fill(row) for row in rows]

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
            raise self._translated(exc, compiled) from exc
        finally:
            if session is None:
                backend.give_back(connection)
        if row is None or compiled.fill is None:
            return row
        return compiled.fill(row)

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
            raise self._translated(exc, compiled) from exc

    def exclusive(self, name: str, *, wait_s: float = 0.0) -> Any:
        """Hold a named lock across processes; raises StoreBusyError after wait_s seconds."""
        return self.backend.exclusive(name, wait_s=wait_s)

    def close(self) -> None:
        """Close the backend; idempotent."""
        _live.discard(self)
        self.backend.close()

    def abandon(self) -> None:
        """Give up everything after a fork: nothing here may be used in the child."""
        self._current = _Current()
        self.backend.abandon()

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
            raise self._translated(exc, compiled) from exc
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
                raise self._translated(exc, compiled) from exc
        connection = self.backend.borrow_writer()
        try:
            return read(
                self.backend.execute_alone(connection, compiled.sql, compiled.bind(arguments))
            )
        except Exception as exc:
            raise self._translated(exc, compiled) from exc
        finally:
            self.backend.give_back_writer(connection)

    def _writable(self, what: str) -> _Session:
        session = self._current.session
        if session is None or not session.writes or session.read_depth:
            raise SessionError(f"{what} inside a reader(): use a writer()" if session else None)
        return session

    def _translated(self, error: Exception, compiled: Compiled) -> BaseException:
        return self.backend.translate(error)


class _Scope:
    """What reader() and writer() share: entering, leaving and translating on the way out."""

    __slots__ = ("_sessions", "_guest", "_outermost")

    def __init__(self, sessions: Sessions, guest: bool) -> None:
        self._sessions = sessions
        self._guest = guest
        self._outermost = False

    def _open(self, connection: Any, writes: bool) -> _Session:
        session = _Session(connection, writes, self._guest)
        self._sessions._current.session = session
        state = self._sessions.backend.database._state
        state.set_connection(connection)
        # Peewee then makes db.atomic() a savepoint instead of a second BEGIN.
        state.transactions.append(self)
        return session

    def _forget(self) -> list[Callable[[], Any]]:
        self._sessions._current.session = None
        state = self._sessions.backend.database._state
        callbacks: list[Callable[[], Any]] = state.commit_callbacks
        state.reset()
        return callbacks

    def _raise_translated(self, error: BaseException | None) -> None:
        if error is None or isinstance(error, ViewraError):
            return
        translated = self._sessions.backend.translate(error)
        if translated is not error:
            raise translated from error


class Reader(_Scope):
    """The context manager that reader() returns."""

    __slots__ = ()

    def __enter__(self) -> Reader:
        sessions = self._sessions
        session = sessions._current.session
        if session is None:
            self._outermost = True
            connection = sessions.backend.borrow()
            try:
                sessions.backend.begin_read(connection)
            except BaseException as exc:
                sessions.backend.give_back(connection)
                self._raise_translated(exc)
                raise
            session = self._open(connection, False)
        elif session.writes and not session.read_depth:
            sessions.backend.forbid_writes(session.connection, True)
        session.read_depth += 1
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        backend = self._sessions.backend
        session = self._sessions._current.session
        assert session is not None
        session.read_depth -= 1
        if self._outermost:
            self._forget()
            try:
                backend.end_read(session.connection)
                if self._guest:
                    backend.tidy(session.connection)
            finally:
                backend.give_back(session.connection)
        elif session.writes and not session.read_depth:
            backend.forbid_writes(session.connection, False)
        self._raise_translated(exc)


class Writer(_Scope):
    """The context manager that writer() returns."""

    __slots__ = ("_durable", "_savepoint", "_callbacks_before")

    def __init__(self, sessions: Sessions, durable: bool, guest: bool) -> None:
        super().__init__(sessions, guest)
        self._durable = durable
        self._savepoint = ""
        self._callbacks_before = 0

    def __enter__(self) -> Writer:
        session = self._sessions._current.session
        if session is None:
            self._begin()
        elif not session.writes or session.read_depth:
            raise SessionError("a writer() inside a reader(): open the writer() outside")
        else:
            session.savepoints += 1
            self._savepoint = f"viewra_{session.savepoints}"
            session.connection.execute(f"SAVEPOINT {self._savepoint}")
            state = self._sessions.backend.database._state
            self._callbacks_before = len(state.commit_callbacks)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._outermost:
            callbacks = self._end(failed=exc is not None)
            self._raise_translated(exc)
            _call_each(callbacks)
        else:
            self._end_savepoint(failed=exc is not None)
            self._raise_translated(exc)

    def _begin(self) -> None:
        backend = self._sessions.backend
        connection = backend.borrow_writer()
        try:
            backend.begin_write(connection, self._durable)
        except BaseException as exc:
            backend.give_back_writer(connection)
            self._raise_translated(exc)
            raise
        self._outermost = True
        self._open(connection, True)

    def _end(self, *, failed: bool) -> list[Callable[[], Any]]:
        """Commit or roll back and give the connection back; the callbacks that are due."""
        backend = self._sessions.backend
        session = self._sessions._current.session
        assert session is not None
        callbacks = self._forget()
        connection = session.connection
        try:
            if failed:
                backend.rollback(connection)
                return []
            try:
                backend.commit(connection)
            except BaseException as exc:
                backend.rollback(connection)
                self._raise_translated(exc)
                raise
            if self._guest:
                backend.tidy(connection)
            return callbacks
        finally:
            backend.give_back_writer(connection)

    def _end_savepoint(self, *, failed: bool) -> None:
        session = self._sessions._current.session
        assert session is not None
        session.savepoints -= 1
        connection = session.connection
        if failed:
            del self._sessions.backend.database._state.commit_callbacks[self._callbacks_before:]
            self._sessions.backend.rollback_to(connection, self._savepoint)
        else:
            connection.execute(f"RELEASE SAVEPOINT {self._savepoint}")


def _call_each(callbacks: list[Callable[[], Any]]) -> None:
    """Call every callback, then raise the first error: the commit stands whatever they do."""
    first: BaseException | None = None
    for callback in callbacks:
        try:
            callback()
        except Exception as exc:
            first = first or exc
    if first is not None:
        raise first


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

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Refuse: a query outside a session would leak a connection."""
        raise SessionError("connections are opened by the store: use store.reader() or writer()")

    def cursor(self, named_cursor: Any = None) -> Any:
        """Return a cursor of the session's connection; raises SessionError outside one."""
        state: Any = self._state  # type: ignore[attr-defined]
        if state.closed:
            self.backend.refuse_stray_query()
        return state.conn.cursor()

    def get_context_options(self) -> dict[str, Any]:
        """Return Peewee's options for building SQL, and and how this engine says our own nodes."""
        options: dict[str, Any] = super().get_context_options()  # type: ignore[misc]
        options["one_of"] = self.one_of
        options["matches_words"] = self.matches_words
        return options

    def _execute_cursor(self, sql: str, params: Any, **options: Any) -> Any:
        try:
            return super()._execute_cursor(sql, params, **options)  # type: ignore[misc]
        except peewee.PeeweeException:
            raise  # translated as it leaves the session; Peewee's own code catches some
        except (OverflowError, ValueError, TypeError) as exc:
            raise self.backend.translate(exc) from exc


_live: weakref.WeakSet[Sessions] = weakref.WeakSet()


def _abandon_all() -> None:
    for sessions in list(_live):
        sessions.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
