"""The verbs of `store.plugins`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Callable

from ..config.options import Config
from ..database.checks import checked_choice, checked_moment, known_id, no_such, or_none, refused
from ..database.migrations.migrator import OPEN_S
from ..database.transactions.database import Database
from ..errors import (
    InvalidValueError,
    PluginError,
    StoreBusyError,
    StoreClosedError,
    TransactionError,
    ViewraError,
)
from ..module import Module
from . import queries
from .answers import locks
from .answers.applying import Applying
from .answers.leaving import Lost, count_fields, give_back
from .answers.metadata import FileMetadata, metadata_for
from .confinement.calls import NotEnded
from .running.runs import Running
from .models import MODELS, PluginRow
from .plugin import Plugin
from .finding.candidates import candidates
from .finding.registering import Entry, id_of, log
from .results import PluginRun, PluginStatus, PluginUsage
from .settings import checked, masked, restored
from .running.states import STATES, absent, status_of
from .tables import is_name, migrate, purge as purge_tables, usage_of


class PluginsModule(Module):
    """The verbs of `store.plugins`: register, enable, configure and run plugins.

    Any verb may raise StoreBusyError, StoreClosedError, StoreUnavailableError, StoreFullError,
    CorruptStoreError, ConfigError if the file is not an SQLite database, and TransactionError
    inside a reader() or writer().
    """

    name = "plugins"
    requires = ("media",)
    models = MODELS
    migrations = "viewra_lite.plugins.migrations"

    on: Callable[[str, Callable[..., Any]], Callable[[], None]]
    """store.on(), set by the store."""

    store: Any
    """The store itself, for plugins; set by it too."""

    def attach(self, db: Database, config: Config) -> None:
        """Receive the database and the configuration."""
        super().attach(db, config)
        self._entries: dict[str, Entry] = {}
        self._unusable: list[Entry] = []
        self._running = Running(db, self._settle)
        self._applying = Applying(db, config.plugin_order)
        self._lost = Lost(db, self._applying)

    def detach(self) -> None:
        """End the listeners of all plugins."""
        for entry in self._entries.values():
            entry.close()

    # Registry

    def discover(self) -> list[PluginStatus]:
        """Register the plugins of installed packages and of the option plugins_folder.

        Each on its own: one that cannot be imported is broken, and the others are registered. The
        packages are those with an entry point of viewra_lite.plugins. Returns those that are new.
        """
        self._refuse_inside()
        found = []
        for name, kind in candidates(self.config.plugins_folder):
            try:
                if isinstance(kind, BaseException):
                    raise kind
                if kind not in [entry.kind for entry in (*self._entries.values(), *self._unusable)]:
                    found.append(self.register(kind))
            except StoreClosedError:
                raise
            except (Exception, SystemExit) as exc:  # of the import of a third party's code
                if all(entry.id != name for entry in self._unusable):
                    found.append(self._unusable_one(Entry(name), exc))
        return found

    def register(self, plugin_class: type[Plugin]) -> PluginStatus:
        """Make a plugin known, and start it if it is enabled in the store.

        A fault of it becomes its state, such as broken, with a reason and a remedy. Raises
        InvalidValueError only for something that is not a subclass of Plugin.
        """
        self._refuse_inside()
        if not (isinstance(plugin_class, type) and issubclass(plugin_class, Plugin)):
            raise refused("plugin_class", "a subclass of Plugin", plugin_class)
        entry = Entry(id_of(plugin_class), plugin_class)
        known = self._entries.get(entry.id)
        if known is not None:
            if known.kind is plugin_class:
                return self.plugin(entry.id)
            return self._unusable_one(entry, known.same_id())
        entry.prepare(self.db, self.config, self.on, self._fail_listener)
        if entry.plugin is not None:
            entry.plugin.store = self.store
        if entry.fault is not None:
            entry.close()
        if not is_name(entry.id):
            self._unusable.append(entry)
            return status_of(entry, None)
        self._entries[entry.id] = entry
        self._settle(entry, self._row(entry.id))
        return self.plugin(entry.id)

    def plugin(self, id: str) -> PluginStatus:
        """Return a plugin and its state; raises NotFoundError."""
        for status in self.plugins():
            if status.id == id:
                return status
        raise no_such("plugin", id)

    def plugins(self, *, state: str | None = None) -> list[PluginStatus]:
        """Return all plugins, by id, or those of one state.

        The states are off, on, failing, incompatible, broken and absent (known to the store, but
        its code is not installed). Raises InvalidValueError.
        """
        if state is not None:
            checked_choice("state", state, STATES)
        rows = {row.id: row for row in self.db.all(queries.plugins)}
        entries = (*self._entries.values(), *self._unusable)
        found = [status_of(entry, rows.get(entry.id)) for entry in self._entries.values()]
        found += [status_of(entry, None) for entry in self._unusable]
        known = {entry.id for entry in entries}
        found += [absent(row) for id, row in rows.items() if id not in known]
        return sorted((one for one in found if state in (None, one.state)), key=lambda one: one.id)

    @property
    def has_registered(self) -> bool:
        """Whether this process knows the code of any plugin."""
        return bool(self._entries)

    # States

    def enable(self, id: str) -> PluginStatus:
        """Check a plugin, migrate its tables, and switch it on; the state stays until then.

        A failing one begins anew. Raises NotFoundError, and PluginError with the remedy if it
        cannot be used, check() refuses or does not end in plugin_check_ms, or a migration fails.
        """
        self._refuse_inside()
        if known_id("plugin", id) in self._entries:
            self._entries[id].refuse_while_running()
        entry, row = self._usable(id)
        try:
            entry.configure(row, self._config_of(entry, row.config or {}))
        except InvalidValueError as exc:
            remedy = f'configure("{id}", ...)'
            raise PluginError(entry.reason_of(exc), remedy=remedy) from None
        self._check(entry)
        if not self._migrate(entry, None):
            status = self.plugin(id)
            raise PluginError(status.reason, remedy=status.remedy)
        self.db.run(queries.switch_on, now := self.db.now(), id)
        entry.listener_failures, entry.loaded, entry.is_on, entry.hang = 0, now, True, None
        return self.plugin(id)

    def disable(self, id: str) -> PluginStatus:
        """Switch a plugin off; its data and its configuration stay. Raises NotFoundError."""
        self._refuse_inside()
        self.plugin(id)
        if id in self._entries:
            self._entries[id].is_on = False
        self.db.run(queries.switch_off, 0, None, self.db.now(), id)
        return self.plugin(id)

    def configure(self, id: str, mapping: Mapping[str, Any]) -> PluginStatus:
        """Validate and store a plugin's whole configuration, with the defaults of its schema.

        "***" keeps the stored value of a secret. Raises NotFoundError, InvalidValueError, which
        names the path of a wrong value, and PluginError if the plugin cannot be used.
        """
        self._refuse_inside()
        entry, row = self._usable(id)
        if not isinstance(mapping, Mapping):
            raise refused("mapping", "a mapping", type(mapping).__name__)
        stored = row.config or {}
        config = self._config_of(
            entry, restored(dict(mapping), masked(stored, entry.schema), stored)
        )
        row.updated_at = self.db.now()
        self.db.run(queries.save_config, config, row.updated_at, id)
        entry.configure(row, config)
        return self.plugin(id)

    def run_due(self, now: datetime | None = None) -> list[PluginRun]:
        """Call run(now) of every plugin that is on, one after the other; call it from any timer.

        A plugin runs in one process at a time. One that fails is called again after 1, 2, 4
        minutes and so on up to a day, and after 5 failures in a row it is failing, which is off
        until enable(). One that has not ended after plugin_run_ms is failing at once, and left
        alone until it ends. Returns the calls. Raises InvalidValueError.
        """
        self._refuse_inside()
        moment = or_none(checked_moment, "now", now) or self.db.now()
        runs = []
        for entry in list(self._entries.values()):
            if entry.kind is None or entry.kind.run is Plugin.run:
                self._settle(entry, self._row(entry.id))
            elif entry.running is None:
                runs += self._running.run(entry, moment, self.config.plugin_run_ms / 1000)
        with suppress(StoreBusyError):  # the next call, or the chore plugins.tidy, applies them
            self.apply()
        return runs

    # Metadata

    def metadata_for(self, media_file_id: str) -> FileMetadata:
        """Return the metadata of the movie, the episodes or the track of a file, and who said it.

        Raises NotFoundError.
        """
        return metadata_for(self.db, self._applying, media_file_id)

    def lock_field(self, kind: str, id: str, field: str) -> None:
        """Keep the value of a field, also none: neither a scan nor a plugin changes it.

        kind is movie, show, season, episode, album or track, and id that of the row. What
        store.media.save_movie() and the like set is locked already. Raises NotFoundError, and
        InvalidValueError for a field that plugins cannot answer.
        """
        locks.lock(self.db, kind, id, field)

    def unlock_field(self, kind: str, id: str, field: str) -> None:
        """Give a locked field the value of the next source: a plugin, a sidecar, tags, the name.

        Without any it is None. A field that is not locked stays. Raises NotFoundError and
        InvalidValueError.
        """
        locks.unlock(self.db, self._applying, kind, id, field)

    def apply(self) -> int:
        """Merge new answers into movies, shows and music; return how many files they were about.

        In short transactions; an interrupted one continues at the next call. run_due() and the
        chore plugins.tidy call it.
        """
        self._refuse_inside()
        return self._applying.apply()

    def tidy(self, now: datetime) -> None:
        """Merge new answers, also of plugins that ran in other processes."""
        self.apply()
        self._lost.give_back()

    # Data

    def usage(self) -> list[PluginUsage]:
        """Return what each plugin has in the store: rows by table, answers and storage, by id."""
        ids = {row.id for row in self.db.all(queries.plugins)} | self._entries.keys()
        return [usage_of(self.db, id) for id in sorted(ids)]

    def uninstall(self, id: str, *, purge: bool = False, dry_run: bool = False) -> PluginUsage:
        """Switch a plugin off and forget its code; return what it has in the store.

        Its data stay, and an installation continues with them. purge=True removes them: tables,
        history, storage, answers and configuration, and fields that have its values get those of
        the next source, except for locked ones. dry_run=True changes nothing. The code need
        not be there. Raises NotFoundError.
        """
        self._refuse_inside()
        row = self._row(known_id("plugin", id))
        if row is None and id not in self._entries:
            raise no_such("plugin", id)
        found = usage_of(self.db, id)
        if purge:
            found = replace(found, fields=count_fields(self.db, id))
        if not dry_run:
            if id in self._entries:
                self._entries.pop(id).close()
            self.db.run(queries.switch_off, 0, None, self.db.now(), id)
            if purge:
                purge_tables(self.db, id, lambda: give_back(self.db, self._applying, id))
        return found

    # Inside

    def _refuse_inside(self) -> None:
        if self.db.in_transaction:
            raise TransactionError("plugins have transactions of their own: leave that block first")

    def _row(self, id: str) -> PluginRow | None:
        row: PluginRow | None = self.db.one(queries.plugin_by_id, id)
        return row

    def _unusable_one(self, entry: Entry, exc: BaseException) -> PluginStatus:
        entry.refuse(exc)
        self._unusable.append(entry)
        return status_of(entry, None)

    def _usable(self, id: str) -> tuple[Entry, PluginRow]:
        """Return a plugin with its row, a new one if need be; raises PluginError."""
        entry = self._entries.get(known_id("plugin", id))
        kind = entry.kind if entry is not None else None
        if entry is None or entry.plugin is None or kind is None:
            status = self.plugin(id)
            raise PluginError(status.reason, remedy=status.remedy)
        what = "enrichment" if kind.answers else "other"
        capabilities = {"api": kind.api, "answers": list(kind.answers)}
        with self.db.writer():
            self.db.run(queries.insert_plugin, id, what, self.db.now())
            self.db.run(queries.describe_plugin, entry.name, entry.version, capabilities, id)
            row = self._row(id)
        assert row is not None
        return entry, row

    def _config_of(self, entry: Entry, values: object) -> dict[str, Any]:
        return checked(values, entry.validate, entry.schema)

    def _check(self, entry: Entry) -> None:
        assert entry.plugin is not None
        try:
            entry.call(self.config.plugin_check_ms / 1000, entry.plugin.check)
        except StoreClosedError:
            raise
        except (Exception, SystemExit) as exc:  # of a third party's code
            if not isinstance(exc, NotEnded):  # which is logged
                entry.log_failure("check()", exc)
            remedy = exc.remedy if isinstance(exc, PluginError) else "correct the plugin"
            raise PluginError(entry.reason_of(exc), remedy=remedy) from None

    def _migrate(self, entry: Entry, budget_s: float | None) -> bool:
        """Migrate a plugin's tables; an error becomes its fault."""
        assert entry.kind is not None
        try:
            migrate(self.db, self.config, entry.kind, budget_s)
        except StoreClosedError:
            raise
        except ViewraError as exc:
            entry.refuse(exc)
            return False
        entry.fault = None  # of migrations that were corrected
        return True

    def _settle(self, entry: Entry, row: PluginRow | None) -> None:
        """Start or stop a plugin as its row says, which another process may have changed."""
        if entry.fault is not None or row is None or not row.enabled:
            entry.is_on = False
            return
        if entry.is_on and entry.loaded == row.updated_at:
            return
        try:
            entry.configure(row, self._config_of(entry, row.config or {}))
        except InvalidValueError as exc:  # a newer version of the plugin has another schema
            entry.is_on = False
            reason = f"its configuration no longer fits: {entry.reason_of(exc)}"
            self.db.run(queries.switch_off, 0, reason, self.db.now(), entry.id)
            log.warning("the plugin %s is off: %s", entry.id, reason)
            return
        entry.is_on = self._migrate(entry, OPEN_S)

    def _fail_listener(self, entry: Entry, error: str) -> None:
        """Switch a plugin off whose listeners fail, from the thread that committed."""
        try:
            self._running.fail(entry, error)
        except ViewraError as exc:  # it is off in this process all the same
            log.warning("the state of %s was not stored: %s", entry.id, type(exc).__name__)
