"""What reader() and writer() return: entering, nesting and leaving a thread's session."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import SessionError, ViewraError
from .session import INTERRUPTED, OTHER_ORDER, OTHER_TASK, THREAD_ENDED, Session, current_task

if TYPE_CHECKING:
    from ..backend import Backend

    class Owner(Protocol):
        """What scopes need of the sessions that they are of."""

        backend: Backend

        @property
        def current(self) -> Session | None: ...
        def own(self, scope: Any) -> Session | None: ...
        def borrowed(self, *, writes: bool) -> Session: ...
        def begin(self, session: Session) -> None: ...
        def end(self, session: Session, *, commit: bool) -> None: ...
        def take_back(self, session: Session, why: str) -> None: ...
        def raise_translated(self, error: BaseException) -> None: ...


class _Exit:
    """What `with` finds as __exit__: a method that nothing but the statement itself holds.

    An interruption may come after a block has ended and before the first step of __exit__, and
    from then on nothing calls it again. The method is freed with the block, though, and that is
    noticed. The frame of __exit__, which lives as long as a traceback shows it, holds its scope.
    """

    def __get__(self, scope: _Scope | None, kind: Any = None) -> Any:
        if scope is None:
            return self
        leave = scope.leave
        scope.held = weakref.ref(leave, scope.died)
        return leave

    def __call__(self, scope: _Scope, *error: Any) -> None:
        """Leave a scope, for an ExitStack, which asks the class."""
        scope.leave(*error)


class _Scope:
    """What reader() and writer() share. It may be entered again, also inside itself."""

    __slots__ = ("_sessions", "_guest", "_session", "held")

    def __init__(self, sessions: Owner, guest: bool) -> None:
        self._sessions = sessions
        self._guest = guest
        self._session: Session | None = None
        self.held: weakref.ref[Any] | None = None

    if TYPE_CHECKING:
        def __exit__(
            self, exc_type: type[BaseException] | None, exc: BaseException | None,
            traceback: TracebackType | None,
        ) -> None: ...
    else:
        __exit__ = _Exit()

    def leave(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End what __enter__ began."""
        raise NotImplementedError

    def died(self, held: Any) -> None:
        """Take the session back whose block ended without this scope being left."""
        session = self._session
        if session is not None and any(how is held for _, how in session.entered):
            self._sessions.take_back(session, INTERRUPTED)

    def _note_entry(self, session: Session) -> None:
        """Remember that this scope is entered in a session, and nested in those before it."""
        held, self.held = self.held, None
        if held is not None and held() is None:
            held = None  # somebody only looked at __exit__
        session.guest = session.guest or self._guest
        self._session = session
        session.entered.append((self, held))

    def _left(self, error: BaseException | None) -> Session | None:
        """Return the session that is being left; None where it is lost, and an error says why.

        Raises SessionError where no error does, and in a forked child.
        """
        self.held = None
        session = self._sessions.own(self) or self._session
        if session is None or (session.connection is None and session.lost is None):
            self._sessions.backend.refuse_stray_query()
        why = session.lost or self._why_misplaced(session)
        if why is not None:
            self._lost(session, why, error)
            return None
        return session

    def _lost(self, session: Session, why: str, error: BaseException | None) -> None:
        self._sessions.take_back(session, why)
        # A reader that outlived its thread has nothing to lose.
        if error is None and (session.writes or session.lost != THREAD_ENDED):
            raise SessionError(f"nothing of it is stored: {why}" if session.writes else why)

    def _why_misplaced(self, session: Session) -> str | None:
        if session.task is not current_task():
            return OTHER_TASK
        if not session.entered or session.entered[-1][0] is not self:
            if session.writes:
                return OTHER_ORDER
            # Readers share one snapshot, in whatever order they end.
            session.entered.sort(key=lambda entry: entry[0] is self)
        return None

    def _raise_translated(self, error: BaseException | None) -> None:
        # A ValueError or OverflowError of the driver was translated where it came from: what
        # arrives here is the caller's own. But for text that is not UTF-8, in what Peewee fetches.
        if error is None or isinstance(error, (ViewraError, ValueError, ArithmeticError)):
            if not isinstance(error, UnicodeDecodeError):
                return
        self._sessions.raise_translated(error)


class Reader(_Scope):
    """The context manager that reader() returns."""

    __slots__ = ()

    def __enter__(self) -> Reader:
        session = self._sessions.current
        if session is None:
            self._begin()
            return self
        self._note_entry(session)
        session.read_depth += 1
        if session.writes and self._guest and not session.read_only:
            self._set_read_only(session, True)
        return self

    def leave(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the snapshot, if this is the outermost scope."""
        session = self._left(exc)
        if session is None:
            return  # an error is on its way
        if session.read_depth == 1 and not session.writes:
            self._sessions.end(session, commit=False)
        else:
            if session.read_depth == 1 and session.read_only:
                self._set_read_only(session, False)
            session.read_depth -= 1
            session.entered.pop()
        self._raise_translated(exc)

    def _begin(self) -> None:
        sessions, backend = self._sessions, self._sessions.backend
        session = None
        try:
            session = sessions.borrowed(writes=False)
            backend.begin_read(session.connection)
            session.read_depth = 1
            self._note_entry(session)
            sessions.begin(session)
        except BaseException as exc:
            if session is not None:
                sessions.end(session, commit=False)
            self._raise_translated(exc)
            raise

    def _set_read_only(self, session: Session, read_only: bool) -> None:
        try:
            self._sessions.backend.forbid_writes(session.connection, read_only)
        except Exception as exc:
            if read_only:
                session.read_depth -= 1
            session.entered.pop()
            self._raise_translated(exc)
            raise
        session.read_only = read_only


class Writer(_Scope):
    """The context manager that writer() returns."""

    __slots__ = ("_durable",)

    def __init__(self, sessions: Owner, durable: bool, guest: bool) -> None:
        super().__init__(sessions, guest)
        self._durable = durable

    def __enter__(self) -> Writer:
        session = self._sessions.current
        if session is None:
            self._begin()
        elif not session.writes or session.read_depth:
            raise SessionError("a writer() inside a reader(): open the writer() outside")
        else:
            self._begin_savepoint(session)
        return self

    def leave(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Commit, or roll back where there is an error; nested, the savepoint."""
        session = self._left(exc)
        if session is None:
            return
        if session.savepoints:
            self._end_savepoint(session, failed=exc is not None)
            session.entered.pop()
            self._raise_translated(exc)
        else:
            self._sessions.end(session, commit=exc is None)
            self._raise_translated(exc)
            if exc is None:
                _call_each(session.callbacks)

    def _begin(self) -> None:
        sessions, backend = self._sessions, self._sessions.backend
        session = None
        try:
            session = sessions.borrowed(writes=True)
            backend.begin_write(session.connection, self._durable)
            self._note_entry(session)
            sessions.begin(session)
        except BaseException as exc:
            if session is not None:
                sessions.end(session, commit=False)
            self._raise_translated(exc)
            raise

    def _begin_savepoint(self, session: Session) -> None:
        try:
            session.connection.execute(f"SAVEPOINT viewra_{len(session.savepoints)}")
        except Exception as exc:
            self._raise_translated(exc)
            raise
        self._note_entry(session)
        session.savepoints.append(len(session.callbacks))

    def _end_savepoint(self, session: Session, *, failed: bool) -> None:
        callbacks_before = session.savepoints.pop()
        savepoint = f"viewra_{len(session.savepoints)}"
        try:
            if not failed:
                session.connection.execute(f"RELEASE SAVEPOINT {savepoint}")
        except Exception as exc:
            failed = True
            session.entered.pop()
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
