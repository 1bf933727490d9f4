"""Registered plugins: what each is, why it cannot be used, and its listeners."""

from __future__ import annotations

import functools
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...config.options import Config
from ...database.checks import is_finite
from ...database.transactions.database import Database
from ...errors import NewerSchemaError, PluginError, ViewraError, shown
from ..answers.items import KINDS
from ..answers.work import WorkList
from ..confinement.blocks import Confinement
from ..confinement.calls import Call
from ..models import PluginRow
from ..plugin import Plugin, listeners
from ..settings import MASK, Masking, Settings, Validate, masked, secrets_of, validator, without
from ..storage import Storage
from ..tables import checked_models, checked_name, migrator_of, prefix_of

log = logging.getLogger("viewra_lite.plugins")

APIS = frozenset((1,))
MOST_FAILURES = 5
"""In a row; then a plugin is off until it is enabled."""
HANGS = MOST_FAILURES + 1
"""Stored in place of the number of failures for one whose run() has not ended in time."""
MOST_DAYS = 36_500
_LONGEST_ERROR = 500

On = Callable[[str, Callable[..., Any]], Callable[[], None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a plugin cannot be used."""

    state: str
    reason: str
    remedy: str


class Incompatible(PluginError):
    """The plugin is written for another version of this interface."""


class Entry:
    """A plugin that was registered in this process."""

    def __init__(self, id: str, plugin: type[Plugin] | None = None) -> None:
        self.id = id
        self.kind = plugin
        self.name = _text(plugin, "name") or id
        self.version = _text(plugin, "version")
        self.fault: Fault | None = None
        self.plugin: Plugin | None = None
        self.validate: Validate | None = None
        self.is_on = False
        self.loaded: object = None
        """`updated_at` of the row that its configuration is from."""
        self.listener_failures = 0
        self.secrets: set[str] = set()
        self.stops: list[Callable[[], None]] = []
        self.hang: str | None = None
        """Why it is failing, if its run() has not ended in time."""
        self._call: Call | None = None

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The JSON Schema of its configuration."""
        return self.kind.config_schema if self.kind is not None else None

    def same_id(self) -> PluginError:
        """Return the error for another plugin with the id of this one."""
        name = f"{self.kind.__module__}.{self.kind.__qualname__}" if self.kind is not None else ""
        return PluginError(
            f"another plugin has the id {self.id}: {name}",
            remedy="remove one of the two, or change its id",
        )

    @property
    def running(self) -> Call | None:
        """The call of its code that has not ended."""
        return self._call if self._call is not None and self._call.is_running else None

    def refuse_while_running(self) -> None:
        """Raise PluginError if a call of its code has not ended."""
        if self.running is not None:
            raise PluginError(
                f"its {self.running.what} is still running",
                remedy="wait until it has ended, or restart the program",
            )

    def call(self, limit_s: float, function: Callable[..., Any], *args: object) -> None:
        """Call its check() or run(), and raise what it raises; NotEnded after limit_s seconds."""
        self.refuse_while_running()
        self._call = Call(self.id, f"{function.__name__}()", function, *args)
        self._call.wait(limit_s)

    def prepare(self, db: Database, config: Config, on: On, failed: Failed) -> None:
        """Check what the class says and create the plugin; an error becomes its fault."""
        try:
            self._prepare(db, config, on, failed)
        except (Exception, SystemExit) as exc:  # of a third party's code
            self.refuse(exc)

    def _prepare(self, db: Database, config: Config, on: On, failed: Failed) -> None:
        kind = self.kind
        assert kind is not None
        _check_description(kind)
        checked_models(kind)
        migrator_of(db, config, kind)  # whose scripts can be found
        self.validate = validator(kind.config_schema)
        plugin = kind()
        plugin._work = WorkList(db, plugin, self.reason_of)
        plugin._db, plugin.config = db, {}
        plugin.storage = Storage(db, self.id, config.plugin_storage_kib << 10)
        plugin._confinement = Confinement(db, config, self.id, prefix_of(self.id))
        plugin.log = log.getChild(self.id)
        for event, method in listeners(plugin):
            self.stops.append(on(event, _isolated(self, method, failed)))
        self.plugin = plugin

    def refuse(self, exc: BaseException) -> None:
        """Take an error as the reason why the plugin cannot be used."""
        is_other = isinstance(exc, (Incompatible, NewerSchemaError))
        default = "install a version that fits" if is_other else "correct the plugin"
        remedy = exc.remedy if isinstance(exc, PluginError) else default
        state = "incompatible" if is_other else "broken"
        self.fault = Fault(state, self.reason_of(exc), remedy or default)
        self.is_on = False
        log.warning("the plugin %s is %s: %s", self.id, state, self.fault.reason)

    def configure(self, row: PluginRow, config: dict[str, Any]) -> None:
        """Give the plugin its configuration."""
        assert self.plugin is not None
        hidden = masked(config, self.schema)
        self.secrets = secrets_of(config, hidden)
        self.plugin.config = Settings(config, hidden)
        self.plugin.log.filters[:] = [Masking(self.secrets)]
        self.loaded = row.updated_at

    def reason_of(self, exc: BaseException) -> str:
        """Return an error as text, without the secrets of the configuration."""
        if isinstance(exc, PluginError):
            text = exc.reason
        else:
            text = str(exc) if isinstance(exc, ViewraError) else f"{type(exc).__name__}: {exc}"
        return without(self.secrets, text)[:_LONGEST_ERROR]

    def log_failure(self, what: str, exc: BaseException) -> None:
        """Log an error of the plugin with its traceback."""
        text = without(self.secrets, "".join(traceback.format_exception(exc)).rstrip())
        log.error("the plugin %s: %s raised\n%s", self.id, what, text)

    def close(self) -> None:
        """End its listeners."""
        self.is_on = False
        for stop in self.stops:
            stop()


Failed = Callable[[Entry, str], None]


def masked_config(entry: Entry | None, row: PluginRow | None) -> dict[str, Any]:
    """Return a stored configuration as it may be shown."""
    config = row.config if row is not None else None
    if not isinstance(config, dict):
        return {}
    if entry is None or entry.kind is None:  # nothing says which of them are secrets
        return dict.fromkeys(config, MASK)
    try:
        found: dict[str, Any] = masked(config, entry.schema)
    except Exception as exc:  # of a schema that cannot be used
        log.debug("the configuration of %s is not shown: %s", entry.id, type(exc).__name__)
        found = dict.fromkeys(config, MASK)
    return found


def _isolated(entry: Entry, method: Callable[..., Any], failed: Failed) -> Callable[..., None]:
    @functools.wraps(method)
    def call(**facts: Any) -> None:
        if not entry.is_on:
            return
        try:
            method(**facts)
            entry.listener_failures = 0
        except (Exception, SystemExit) as exc:  # of a third party's code
            entry.log_failure(f"{method.__name__}()", exc)
            entry.listener_failures += 1
            if entry.listener_failures >= MOST_FAILURES:
                failed(entry, entry.reason_of(exc))

    return call


def _text(plugin: type[Plugin] | None, name: str) -> str:
    value = getattr(plugin, name, "")
    return value if isinstance(value, str) and value.isprintable() else shown(value)


def id_of(plugin: type[Plugin]) -> str:
    """Return the id of a plugin class; the name of the class if it has none."""
    return _text(plugin, "id") or plugin.__name__


def _check_description(kind: type[Plugin]) -> None:
    checked_name(getattr(kind, "id", None))
    if type(kind.api) is not int:
        raise PluginError(f"its api is {shown(kind.api)}", remedy="give a whole number, now 1")
    if kind.api not in APIS:
        raise Incompatible(
            f"it is written for api {kind.api}, and this version has {', '.join(map(str, APIS))}",
            remedy="install the version of the plugin, or of viewra_lite, that fits the other",
        )
    for name in ("name", "version"):
        if not isinstance(getattr(kind, name), str):
            raise PluginError(f"its {name} is not text", remedy="give text")
    if isinstance(kind.answers, str) or not all(isinstance(one, str) for one in kind.answers):
        raise PluginError("answers is not a list of texts", remedy='for example ("movie",)')
    for one in kind.answers:
        if one not in KINDS:
            known = ", ".join(KINDS)
            raise PluginError(
                f"it answers {shown(one)}, which is not a kind", remedy=f"use {known}"
            )
    for name in ("recheck_days", "recheck_unknown_days"):
        days = getattr(kind, name)
        if not is_finite(days) or not 0 < days <= MOST_DAYS:
            raise PluginError(
                f"its {name} is {shown(days)}", remedy=f"use more than 0, at most {MOST_DAYS}"
            )
