"""The store: opens, attaches the modules, closes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .built_in import BUILT_IN
from .config.loading import ConfigSource, load_config
from .config.options import Config, PostgresConfig, SqliteConfig
from .database.ids import Ids
from .database.migrations.migrator import Migrator
from .database.orm.models import open_database
from .database.transactions.scopes import Reader, Writer
from .database.transactions.database import Database
from .errors import TransactionError, StoreAlreadyOpenError
from .module import Module, check_modules

if TYPE_CHECKING:
    from .database.backend import Backend
    from .importing.module import Importing
    from .maintenance.module import Maintenance
    from .media.module import MediaModule
    from .playback.module import PlaybackModule
    from .plugins.module import PluginsModule
    from .transcoding.module import TranscodingModule

_lock = threading.Lock()
_open: Store | None = None


def utc_now() -> datetime:
    """Return the time, aware and in UTC."""
    return datetime.now(timezone.utc)


class Store:
    """An open store; safe to use from any number of threads. Make one with Store.open()."""

    def __init__(self, config: Config, db: Database, extra_modules: Sequence[Module]) -> None:
        self.config = config
        self.engine = db.backend.engine
        self.migrations = Migrator(db, (*BUILT_IN, *extra_modules))
        self._db = db
        self._extra_modules = extra_modules
        self._attached: dict[str, Module] = {}
        self._attaching = threading.Lock()
        self._is_closed = False

    # Each of these imports its module at its first use, and is an attribute from then on.

    @cached_property
    def media(self) -> MediaModule:
        """Libraries, the files in them, and what the files are."""
        module: MediaModule = self._attach("media")
        return module

    @cached_property
    def playback(self) -> PlaybackModule:
        """What people watch."""
        module: PlaybackModule = self._attach("playback")
        return module

    @cached_property
    def transcoding(self) -> TranscodingModule:
        """What is being made for people to watch."""
        module: TranscodingModule = self._attach("transcoding")
        return module

    @cached_property
    def plugins(self) -> PluginsModule:
        """Plugins and what they know."""
        module: PluginsModule = self._attach("plugins")
        return module

    @cached_property
    def importing(self) -> Importing:
        """What people have watched elsewhere, and a user's own data."""
        from .importing.module import Importing

        return Importing(self._db, self.config)

    @cached_property
    def maintenance(self) -> Maintenance:
        """What the store can say about itself."""
        from .maintenance.module import Maintenance

        return Maintenance(self._db)

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
        given, source = [source], None  # a traceback may show what a frame holds: a password
        config = load_config(given.pop())
        check_modules(modules)
        with _lock:
            if _open is not None:
                raise StoreAlreadyOpenError(
                    f"this process has {_open.config.url} open already: close it before opening "
                    "another, or pass it around"
                )
            db = Database(_backend(config), clock=clock, new_id=new_id or Ids(clock))
            try:
                _open = cls._opened(config, db, modules, migrate)
            except BaseException:
                db.close()
                raise
            return _open

    @classmethod
    def _opened(
        cls, config: Config, db: Database, extra_modules: Sequence[Module], migrate: bool
    ) -> Store:
        if migrate:
            db.backend.prepare(_is_adoptable)
        else:
            db.backend.refuse_absent()
        store = cls(config, db, extra_modules)
        database = db.backend.database
        open_database.initialize(database)
        if migrate:
            store._bring_up_to_date()
        # Modules subscribe when they are attached, and this first subscriber attaches them all.
        # Subscribers added while a hook is being emitted still receive it.
        db.subscribe("file_merged", store._attach_all)
        db.subscribe("library_scanned", store._match_waiting)
        for module in extra_modules:
            database.bind(module.models, bind_refs=False, bind_backrefs=False)
            module.attach(db, config)
        if migrate:
            store._recover()
        return store

    def _bring_up_to_date(self) -> None:
        if self.migrations.plan():  # as it is for tables that were made by hand
            from .adoption import adopt

            adopt(self._db, self.migrations, BUILT_IN)
            self.migrations.apply()

    def _recover(self) -> None:
        for built_in in BUILT_IN:
            if built_in.unfinished and self._finds(built_in.unfinished):
                self._attach(built_in.name).recover()
        for module in self._extra_modules:
            module.recover()

    def _finds(self, question: str) -> bool:
        with self._db.reader():
            cursor = self._db.backend.database.execute_sql(question)
            return cursor.fetchone() is not None

    def _attach(self, name: str) -> Any:
        """Return a built-in module, imported and attached once, whichever thread asks first."""
        with self._attaching:
            if name not in self._attached:
                built_in = next(one for one in BUILT_IN if one.name == name)
                module = built_in.module()()
                module.attach(self._db, self.config)
                if self._is_closed:
                    module.detach()
                self._attached[name] = module
            return self._attached[name]

    def _match_waiting(self, *_: Any) -> None:
        """Import what waited for media that a scan may have found."""
        if self._finds("SELECT 1 FROM playback_import_waiting LIMIT 1"):
            self.importing.match_waiting()

    def _attach_all(self, *_: Any) -> None:
        for built_in in BUILT_IN:
            self._attach(built_in.name)

    def close(self) -> None:
        """Wait for the writer and close every connection; idempotent."""
        global _open
        if not self._db.give_up():
            raise TransactionError("close() inside a reader() or writer(): leave the session first")
        with _lock:
            if _open is self:
                _open = None
            with self._attaching:
                self._is_closed = True
            try:
                for module in (*self._attached.values(), *self._extra_modules):
                    module.detach()
            finally:
                self._db.close()

    def tables(self) -> list[str]:
        """Return the names of the tables that are in the database, whoever made them."""
        with self._db.reader():
            names: list[str] = self._db.backend.database.get_tables()
        return names

    def reader(self) -> Reader:
        """Return a context manager for one consistent snapshot; a write raises TransactionError.

        Ordinary Peewee queries run in it, on the models of every module.
        """
        return self._db.reader(untrusted=True)

    def writer(self) -> Writer:
        """Return a context manager for one transaction; nested, a savepoint.

        An exception rolls back. Raises StoreBusyError after busy_timeout_ms.
        """
        return self._db.writer(untrusted=True)

    def after_commit(self, action: Callable[[], Any]) -> None:
        """Call action once the outermost writer has committed, never after a rollback.

        Outside a writer it is called at once.
        """
        self._db.after_commit(action)

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


def _is_adoptable(connection: Any) -> bool:
    from .adoption import is_adoptable

    return is_adoptable(connection)


def _backend(config: Config) -> Backend:
    if isinstance(config, SqliteConfig):
        from .database.sqlite.backend import SqliteBackend

        return SqliteBackend(config)
    assert isinstance(config, PostgresConfig)
    from .database.postgres.backend import PostgresBackend

    return PostgresBackend(config)
