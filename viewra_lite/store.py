"""The store: opens, seats the modules, closes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from types import TracebackType
from typing import Any

from .config import Config, ConfigSource, PostgresConfig, SqliteConfig, load_config
from .database.backend import Backend
from .database.ids import Ids
from .database.migrator import Migrator
from .database.sessions import Reader, Sessions, Writer
from .errors import SessionError, StoreAlreadyOpenError
from .media.module import MediaModule
from .module import Module, check_modules
from .playback.module import PlaybackModule
from .plugins.module import PluginsModule
from .transcoding.module import TranscodingModule

ROOMS: tuple[type[Module], ...] = (MediaModule, PlaybackModule, TranscodingModule, PluginsModule)

_lock = threading.Lock()
_open: Store | None = None


def utc_now() -> datetime:
    """Return the time, aware and in UTC."""
    return datetime.now(timezone.utc)


class Store:
    """An open store; safe to use from any number of threads. Make one with Store.open()."""

    media: MediaModule
    playback: PlaybackModule
    transcoding: TranscodingModule
    plugins: PluginsModule
    migrations: Migrator

    def __init__(self, config: Config, sessions: Sessions, modules: Sequence[Module]) -> None:
        self.config = config
        self.engine = sessions.backend.engine
        self._sessions = sessions
        self._modules = modules
        self.migrations = Migrator(sessions, modules)

    @classmethod
    def open(
        cls,
        source: ConfigSource = None,
        *,
        modules: Sequence[Module] = (),
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] | None = None,
        migrate: bool = True,
    ) -> Store:
        """Open the store that a YAML file, mapping, URL or Config names, migrated to this version.

        None opens SQLite at ./viewra-data/viewra.db. What is missing is created. Raises
        ConfigError, StoreAlreadyOpenError, StoreUnavailableError, NewerSchemaError,
        MigrationError, CorruptStoreError. clock and new_id replace the time and the ids in tests.
        migrate=False creates and changes nothing, for a look at migrations.plan() and status().
        """
        global _open
        config = load_config(source)
        check_modules(modules)
        with _lock:
            if _open is not None:
                raise StoreAlreadyOpenError(
                    f"this process has {_open.config.url} open already: close it before opening "
                    "another, or pass it around"
                )
            sessions = Sessions(
                _backend(config), clock=clock, new_id=new_id or Ids(clock)
            )
            try:
                _open = cls._opened(config, sessions, modules, migrate)
            except BaseException:
                sessions.close()
                raise
            return _open

    @classmethod
    def _opened(
        cls, config: Config, sessions: Sessions, guests: Sequence[Module], migrate: bool
    ) -> Store:
        from .adoption import adopt, is_adoptable

        if migrate:
            sessions.backend.prepare(is_adoptable)
        else:
            sessions.backend.refuse_absent()
        rooms: Any = tuple(room() for room in ROOMS)
        store = cls(config, sessions, (*rooms, *guests))
        if migrate:
            adopt(sessions, store.migrations, rooms)
            store.migrations.apply()
        for module in store._modules:
            sessions.backend.database.bind(module.models, bind_refs=False, bind_backrefs=False)
            module.seat(sessions, config)
        store.media, store.playback, store.transcoding, store.plugins = rooms
        if migrate:
            for module in store._modules:
                module.recover()
        return store

    def close(self) -> None:
        """Wait for the writer and close every connection; idempotent."""
        global _open
        if self._sessions.in_session:
            raise SessionError("close() inside a reader() or writer(): leave the session first")
        with _lock:
            if _open is self:
                _open = None
            try:
                for module in self._modules:
                    module.unseat()
            finally:
                self._sessions.close()

    def tables(self) -> list[str]:
        """Return the names of the tables that are in the database, whoever made them."""
        with self._sessions.reader():
            names: list[str] = self._sessions.backend.database.get_tables()
        return names

    def reader(self) -> Reader:
        """Return a context manager for one consistent snapshot; a write in it raises SessionError.

        Ordinary Peewee queries run in it, on the models of every module.
        """
        return self._sessions.reader(guest=True)

    def writer(self) -> Writer:
        """Return a context manager for one transaction; nested, a savepoint.

        An exception rolls back. Raises StoreBusyError after busy_timeout_ms.
        """
        return self._sessions.writer(guest=True)

    def after_commit(self, action: Callable[[], Any]) -> None:
        """Call action once the outermost writer has committed, never after a rollback.

        Outside a writer it is called at once.
        """
        self._sessions.after_commit(action)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {self.config.url}>"


def _forget_parents_store() -> None:
    """Let a forked child ask anew, so that it is told to spawn, and not to close."""
    global _lock, _open
    _lock, _open = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents_store)


def _backend(config: Config) -> Backend:
    if isinstance(config, SqliteConfig):
        from .database.sqlite import SqliteBackend

        return SqliteBackend(config)
    assert isinstance(config, PostgresConfig)
    from .database.postgres import PostgresBackend

    return PostgresBackend(config)
