"""What reader() and writer() return: entering, nesting and leaving a thread's session."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import SessionError, ViewraError

if TYPE_CHECKING:
    from .sessions import Sessions


class Session:
    """What one thread has open."""

    __slots__ = (
        "connection", "writes", "guest", "read_depth", "read_only", "savepoints", "callbacks",
        "cursors", "owner", "state",
    )

    def __init__(self, connection: Any, writes: bool, guest: bool) -> None:
        self.connection = connection
        self.writes = writes
        self.guest = guest
        self.read_depth = 0
        self.read_only = False  # a writer whose connection refuses writes for now
        self.savepoints: list[int] = []  # how many callbacks there were before each
        self.callbacks: list[Callable[[], Any]] = []
        self.cursors: Any = None  # those that guest code may leave half-read
        self.owner: dict[str, Any] = {}
        self.state: dict[str, Any] = {}


class _Scope:
    """What reader() and writer() share. It may be entered again, also inside itself."""

    __slots__ = ("_sessions", "_guest", "_session")

    def __init__(self, sessions: Sessions, guest: bool) -> None:
        self._sessions = sessions
        self._guest = guest
        self._session: Session | None = None

    def _inherited_from(self, session: Session) -> None:
        """Remember the session that this scope is nested in."""
        session.guest = session.guest or self._guest
        self._session = session

    def _left(self) -> Session:
        """Return the session that is being left; raises SessionError in a forked child."""
        session = self._session
        if session is None or session.connection is None:
            self._sessions.backend.refuse_stray_query()
        return session

    def _raise_translated(self, error: BaseException | None) -> None:
        # A ValueError or OverflowError of the driver was translated where it came from: what
        # arrives here is the caller's own.
        if error is None or isinstance(error, (ViewraError, ValueError, ArithmeticError)):
            return
        self._sessions.raise_translated(error)


class Reader(_Scope):
    """The context manager that reader() returns."""

    __slots__ = ()

    def __enter__(self) -> Reader:
        session = self._sessions.current
        if session is None:
            session = self._session = self._begin()
        else:
            self._inherited_from(session)
            if session.writes and self._guest and not session.read_only:
                self._set_read_only(session, True)
        session.read_depth += 1
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        session = self._left()
        session.read_depth -= 1
        if not session.read_depth:
            if session.read_only:
                self._set_read_only(session, False)
            elif not session.writes:
                self._end(session)
        self._raise_translated(exc)

    def _begin(self) -> Session:
        sessions, backend = self._sessions, self._sessions.backend
        connection = backend.borrow()
        try:
            backend.begin_read(connection)
            return sessions.begin(connection, writes=False, guest=self._guest)
        except BaseException as exc:
            backend.end_read(connection)
            backend.give_back(connection)
            self._raise_translated(exc)
            raise

    def _set_read_only(self, session: Session, read_only: bool) -> None:
        try:
            self._sessions.backend.forbid_writes(session.connection, read_only)
        except Exception as exc:
            self._raise_translated(exc)
            raise
        session.read_only = read_only

    def _end(self, session: Session) -> None:
        sessions, backend = self._sessions, self._sessions.backend
        try:
            sessions.forget(session)
            backend.end_read(session.connection)
        finally:
            sessions.finish(session, backend.give_back)


class Writer(_Scope):
    """The context manager that writer() returns."""

    __slots__ = ("_durable",)

    def __init__(self, sessions: Sessions, durable: bool, guest: bool) -> None:
        super().__init__(sessions, guest)
        self._durable = durable

    def __enter__(self) -> Writer:
        session = self._sessions.current
        if session is None:
            self._session = self._begin()
        elif not session.writes or session.read_depth:
            raise SessionError("a writer() inside a reader(): open the writer() outside")
        else:
            self._inherited_from(session)
            self._begin_savepoint(session)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        session = self._left()
        if session.savepoints:
            self._end_savepoint(session, failed=exc is not None)
            self._raise_translated(exc)
        else:
            self._end(session, failed=exc is not None)
            self._raise_translated(exc)
            if exc is None:
                _call_each(session.callbacks)

    def _begin(self) -> Session:
        sessions, backend = self._sessions, self._sessions.backend
        connection = backend.borrow_writer()
        try:
            backend.begin_write(connection, self._durable)
            return sessions.begin(connection, writes=True, guest=self._guest)
        except BaseException as exc:
            backend.rollback(connection)
            backend.give_back_writer(connection)
            self._raise_translated(exc)
            raise

    def _end(self, session: Session, *, failed: bool) -> None:
        """Commit or roll back, and give the connection back."""
        sessions, backend = self._sessions, self._sessions.backend
        try:
            sessions.forget(session)
            if failed:
                backend.rollback(session.connection)
            else:
                self._commit(session)
        finally:
            sessions.finish(session, backend.give_back_writer)

    def _commit(self, session: Session) -> None:
        backend = self._sessions.backend
        try:
            backend.commit(session.connection)
        except BaseException as exc:
            backend.rollback(session.connection)
            self._raise_translated(exc)
            raise

    def _begin_savepoint(self, session: Session) -> None:
        try:
            session.connection.execute(f"SAVEPOINT viewra_{len(session.savepoints)}")
        except Exception as exc:
            self._raise_translated(exc)
            raise
        session.savepoints.append(len(session.callbacks))

    def _end_savepoint(self, session: Session, *, failed: bool) -> None:
        callbacks_before = session.savepoints.pop()
        savepoint = f"viewra_{len(session.savepoints)}"
        try:
            if not failed:
                session.connection.execute(f"RELEASE SAVEPOINT {savepoint}")
        except Exception as exc:
            failed = True
            self._raise_translated(exc)
            raise
        finally:
            if failed:
                del session.callbacks[callbacks_before:]
                self._sessions.backend.rollback_to(session.connection, savepoint)


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
