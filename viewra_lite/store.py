"""The Store: opens the database, attaches the modules, and closes both."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timezone
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from .backends import backend_of, is_adoptable
from .built_in import BUILT_IN
from .config.loading import ConfigSource, load_config
from .config.options import Config
from .database.ids import Ids
from .database.migrations.history import too_long
from .database.migrations.migrator import OPEN_S, Migrator
from .database.orm.models import open_database
from .database.transactions.scopes import Reader, Writer
from .database.transactions.database import Database
from .events.verbs import EventVerbs
from .errors import CorruptStoreError, StoreAlreadyOpenError, TransactionError
from .module import Module, check_modules

if TYPE_CHECKING:
    from .database.backups.backups import Backups
    from .database.backups.recover import Recovered
    from .database.backups.restore import Restored
    from .database.findings import Finding
    from .importing.module import Importing
    from .maintenance.module import Maintenance
    from .media.module import MediaModule
    from .playback.module import PlaybackModule
    from .plugins.module import PluginsModule
    from .transcoding.module import TranscodingModule

_log = logging.getLogger("viewra_lite.store")
# Without it the interpreter prints warnings of a library where the program has set up no logging.
logging.getLogger("viewra_lite").addHandler(logging.NullHandler())

_lock = threading.RLock()  # a script, or a module, may open another store in the same thread
_open: Store | None = None
_is_opening = False


def utc_now() -> datetime:
    """Return the current time, aware and in UTC."""
    return datetime.now(timezone.utc)


class Store(EventVerbs):
    """An open store; safe to use from any number of threads. Open one with Store.open():

        with Store.open("viewra.yaml") as store:
            store.media.search("dune")

    The attributes media, playback, transcoding, plugins, importing, maintenance and backups hold
    the verbs, migrations the schema's history; config is the configuration, engine "sqlite" or
    "postgres".
    """

    def __init__(self, config: Config, db: Database, extra_modules: Sequence[Module]) -> None:
        self.config = config
        self.engine = db.backend.engine
        self.migrations = Migrator(db, (*BUILT_IN, *extra_modules), config)
        self._db = db
        self._extra_modules = extra_modules
        self._attached: dict[str, Module] = {}
        self._attaching = threading.Lock()
        self._is_closed = False

    # Each of these imports its module at first use; after that it is a plain attribute.

    @cached_property
    def media(self) -> MediaModule:
        """Libraries, their files, and the movies, shows and music in them."""
        module: MediaModule = self._attach("media")
        return module

    @cached_property
    def playback(self) -> PlaybackModule:
        """Playback sessions, progress and history of users."""
        module: PlaybackModule = self._attach("playback")
        return module

    @cached_property
    def transcoding(self) -> TranscodingModule:
        """Transcoding jobs and the cache of their results."""
        module: TranscodingModule = self._attach("transcoding")
        return module

    @cached_property
    def plugins(self) -> PluginsModule:
        """Plugins and their data."""
        module: PluginsModule = self._attach("plugins")
        module.on, module.store = self.on, self
        return module

    @cached_property
    def importing(self) -> Importing:
        """Import of watch history from other services, and export of a user's data."""
        from .importing.module import Importing

        return Importing(self._db, self.config)

    @cached_property
    def maintenance(self) -> Maintenance:
        """Chores, statistics and problems of the store."""
        module: Maintenance = self._attach("maintenance")
        module.plugins = lambda: self.plugins if "plugins" in self._attached else None
        module.tidies, module.migrator = tuple(self._tidies()), self.migrations
        return module

    @cached_property
    def backups(self) -> Backups:
        """Backups of the store."""
        from .database.backups.backups import Backups

        return Backups(self._db, self.config)

    @classmethod
    def open(
        cls,
        source: ConfigSource = None,
        *,
        modules: Sequence[Module] = (),
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] | None = None,
        migrate: bool = True,
        plugins: bool = False,
    ) -> Store:
        """Open the store of a YAML file, mapping, URL or Config; create or migrate it as needed.

        None opens SQLite at ./viewra-data/viewra.db. `modules` are extra modules, attached to the
        built-in ones. clock and new_id replace the time and the ids in tests. migrate=False
        creates and changes nothing, for migrations.plan() and migrations.status(). plugins=True
        discovers the plugins of installed packages, none of which keeps the store from opening:

            with Store.open("postgresql://viewra@db/viewra", migrate=False) as store:
                print(store.migrations.plan())

        Raises ConfigError, InvalidValueError (for `modules`), StoreAlreadyOpenError,
        StoreUnavailableError, StoreFullError, StoreBusyError, NewerSchemaError, MigrationError
        and CorruptStoreError.
        """
        global _open, _is_opening
        given, source = [source], None  # a traceback may show locals, and source holds a password
        config = load_config(given.pop())
        check_modules(modules)
        with _lock:
            if _open is not None or _is_opening:
                which = _open.config.url if _open else "another store half"
                raise StoreAlreadyOpenError(
                    f"this process already has {which} open: use it, or close it before the next"
                )
            db = Database(backend_of(config), config, clock=clock, new_id=new_id or Ids(clock))
            _is_opening = True
            try:
                opened = cls._opened(config, db, modules, migrate)
                if plugins and migrate:
                    opened.plugins.discover()
                _open = opened
            except BaseException as exc:
                db.close()
                if isinstance(exc, CorruptStoreError):
                    from .database.backups.recover import with_remedies

                    raise with_remedies(exc, config) from exc.__cause__
                raise
            finally:
                _is_opening = False
            _log_life("opened %s" if migrate else "opened %s without migrating", config)
            return _open

    @classmethod
    def restore(
        cls,
        source: ConfigSource = None,
        path: str | os.PathLike[str] = "latest",
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> Restored:
        """Make a backup the store of a configuration, which no process may have open.

        path is a backup, or "latest" of the folder of backups; a bare SQLite file will do. It is
        checked as a whole first. The present store is moved aside, readable or not: nothing is
        overwritten or mixed. A damaged latest backup is refused, and the one before is named.
        Raises BackupError, ConfigError, InvalidValueError, StoreBusyError if the store is open,
        StoreFullError and StoreUnavailableError.

            restored = Store.restore("viewra.yaml")
            print(restored.backup.created_at, restored.moved_to)
        """
        from .database.backups.restore import restore

        given, source = [source], None  # a traceback may show locals, and source holds a password
        return restore(load_config(given.pop()), path, clock())

    @classmethod
    def recover(
        cls,
        source: ConfigSource = None,
        *,
        dry_run: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> Recovered:
        """Make a sound store of a damaged file, which no process may have open.

        Rows are read page by page; those that are gone come from the newest sound backup. Losses
        are counted by table. The damaged files are moved aside. dry_run replaces nothing. Raises
        ConfigError, StoreBusyError if the store is open, StoreFullError, StoreUnavailableError,
        and BackupError if the new store is not sound.

            recovered = Store.recover("viewra.yaml")
            print(recovered.is_whole, recovered.moved_to)
        """
        from .recovering import recovered

        given, source = [source], None  # a traceback may show locals, and source holds a password
        return recovered(load_config(given.pop()), clock(), dry_run=dry_run)

    @classmethod
    def check(
        cls,
        source: ConfigSource = None,
        *,
        only: Collection[str] | None = None,
        ignore: Collection[str] = (),
        fix: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> list[Finding]:
        """Return the findings about a store that this process does not have open.

        Like maintenance.check(), also for one that cannot be opened: why, and what its files and
        backups say. Migrates nothing; fix=True first does what fixable findings say. Raises
        ConfigError, InvalidValueError and StoreAlreadyOpenError.
        """
        from .maintenance.doctor.closed import check

        given, source = [source], None  # a traceback may show locals, and source holds a password
        opened = partial(cls.open, config := load_config(given.pop()), clock=clock, migrate=False)
        return check(config, opened, only=only, ignore=ignore, fix=fix, now=clock())

    @classmethod
    def _opened(
        cls, config: Config, db: Database, extra_modules: Sequence[Module], migrate: bool
    ) -> Store:
        if migrate:
            db.backend.prepare(is_adoptable)
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
        db.events.write = lambda events: store._attach("events").write(events)
        for module in extra_modules:
            database.bind(module.models, bind_refs=False, bind_backrefs=False)
            module.attach(db, config)
        if migrate:
            store._recover()
        return store

    def _bring_up_to_date(self) -> None:
        if self.migrations.pending():  # tables created by hand have no history, so all is pending
            from .adoption import adopt

            adopt(self._db, self.migrations, BUILT_IN)
            self.migrations.apply(budget_s=OPEN_S)
            for unfinished in self.migrations.pending()[:1]:
                raise too_long(unfinished, OPEN_S)

    def _recover(self) -> None:
        for built_in in BUILT_IN:
            if built_in.unfinished and self._finds(built_in.unfinished):
                self._attach(built_in.name).recover()
        for module in self._extra_modules:
            module.recover()

    def _finds(self, query: str) -> bool:
        with self._db.reader():
            return self._db.backend.database.execute_sql(query).fetchone() is not None

    def _attach(self, name: str) -> Any:
        """Return a built-in module, imported and attached at first use, once for all threads."""
        with self._attaching:
            if name not in self._attached:
                built_in = next(one for one in BUILT_IN if one.name == name)
                module = built_in.module()()
                module.attach(self._db, self.config)
                if self._is_closed:
                    module.detach()
                self._attached[name] = module
            return self._attached[name]

    def _match_waiting(self, *_: object) -> None:
        """Import the records that were waiting for media, which a scan may have found."""
        if self._finds("SELECT 1 FROM playback_import_waiting LIMIT 1"):
            self.importing.match_waiting()

    def _tidies(self) -> Iterator[tuple[str, int, Callable[[datetime], None]]]:
        """Yield name, period and tidy() of each module that has one."""
        for built_in in BUILT_IN:
            if built_in.tidy_every_s:
                yield built_in.name, built_in.tidy_every_s, partial(self._tidy, built_in.name)
        for module in self._extra_modules:
            if type(module).tidy is not Module.tidy:
                yield module.name, module.tidy_every_s, module.tidy

    def _tidy(self, name: str, now: datetime) -> None:
        self._attach(name).tidy(now)

    def _attach_all(self, *_: object) -> None:
        for built_in in BUILT_IN:
            self._attach(built_in.name)

    def close(self) -> None:
        """Wait for the current writer, detach the modules and close every connection.

        Idempotent. Raises TransactionError inside a reader() or writer() of the calling thread.
        """
        global _open
        if not self._db.give_up():
            raise TransactionError("close() inside a reader() or writer(): leave that block first")
        with _lock:
            if _open is self:
                _open = None
            with self._attaching:
                was_closed, self._is_closed = self._is_closed, True
            try:
                for module in (*self._attached.values(), *self._extra_modules):
                    module.detach()
            finally:
                self._db.close()
        if not was_closed:
            _log_life("closed %s", self.config)

    def tables(self) -> list[str]:
        """Return the names of all tables in the database, including those of other programs.

        Raises StoreBusyError, StoreClosedError, StoreUnavailableError, TransactionError,
        CorruptStoreError, and ConfigError if the file is not an SQLite database.
        """
        with self._db.reader():
            names: list[str] = self._db.backend.database.get_tables()
        return names

    def reader(self) -> Reader:
        """Return a context manager for one consistent snapshot of the store.

        Inside it, run Peewee queries on the models of any module:

            with store.reader():
                names = [library.name for library in MediaLibrary.select()]

        Raises StoreClosedError, and StoreBusyError if no connection of the pool becomes free
        within busy_timeout_ms. A write inside it raises TransactionError.
        """
        return self._db.reader(untrusted=True)

    def writer(self) -> Writer:
        """Return a context manager for one transaction; a nested one is a savepoint.

        Leaving it commits, an exception rolls back. Verbs called inside it join the transaction.
        Raises StoreClosedError, StoreBusyError if another writer holds the store for longer than
        busy_timeout_ms, and TransactionError inside a reader() or in another thread or task than
        the one that entered it.
        """
        return self._db.writer(untrusted=True)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {self.config.url}>"


def _log_life(message: str, config: Config) -> None:
    if _log.isEnabledFor(logging.INFO):  # the URL costs imports that opening need not
        _log.info(message, config.url)


def _forget_parents_store() -> None:
    """Forget the parent's store in a forked child: its error then names spawn, not close()."""
    global _lock, _open, _is_opening
    _lock, _open, _is_opening = threading.RLock(), None, False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents_store)
