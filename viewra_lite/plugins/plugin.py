"""What a plugin's author writes: a subclass of Plugin, and of PluginModel for its tables."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import Model

from ..database.checks import refused
from ..database.orm.models import open_database

if TYPE_CHECKING:
    from ..database.transactions.database import Database
    from ..database.transactions.scopes import Reader, Writer
    from .storage import Storage

Function = TypeVar("Function", bound=Callable[..., Any])

_MARK = "_viewra_events"


class PluginModel(Model):
    """The base class of a plugin's models; registering puts plugin_<id>_ before the table's name.

    A foreign key to a table of the store needs on_delete="CASCADE" or "SET NULL".
    """

    class Meta:
        database = open_database
        legacy_table_names = False


class Plugin:
    """The base class of plugins. The store creates one instance, without arguments."""

    id: ClassVar[str]
    """Lower-case letters and digits, unique in a store; part of the names of its tables."""
    name: ClassVar[str] = ""
    """Shown to people; the id if empty."""
    version: ClassVar[str] = ""
    """Of the plugin."""
    api: ClassVar[int] = 1
    """The version of this interface that it is written for."""
    models: ClassVar[Sequence[type[PluginModel]]] = ()
    """The models of its own tables."""
    migrations: ClassVar[str | None] = None
    """The dotted name of the package of numbered scripts that create these tables."""
    config_schema: ClassVar[Mapping[str, Any] | None] = None
    """The JSON Schema (draft 7) of its configuration; None accepts any JSON object."""
    answers: ClassVar[Sequence[str]] = ()
    """The kinds of files that it knows about, such as "movie"."""

    config: Mapping[str, Any]
    """The validated configuration with its defaults."""
    storage: Storage
    """Small JSON values by name."""
    log: logging.Logger
    """Its logger, which masks the writeOnly values of the configuration."""
    _db: Database

    def check(self) -> None:
        """Raise PluginError with a remedy if it cannot work; called before it is enabled."""

    def run(self, now: datetime) -> None:
        """Do the work that is due; store.plugins.run_due() calls it, one plugin at a time."""

    def reading(self) -> Reader:
        """Return a context manager for one consistent snapshot of the store."""
        return self._db.reader(untrusted=True)

    def writing(self) -> Writer:
        """Return a context manager for one transaction; write to its own tables only."""
        return self._db.writer(untrusted=True)


def on(event: str) -> Callable[[Function], Function]:
    """Return a decorator for a method that is called after each event of this name.

    The method names the facts of the event that it needs as arguments.
    """
    if not isinstance(event, str):
        raise refused("event", 'the name of an event, as in @on("movie.added")', event)

    def mark(function: Function) -> Function:
        setattr(function, _MARK, (*getattr(function, _MARK, ()), event))
        return function

    return mark


def listeners(plugin: Plugin) -> list[tuple[str, Callable[..., Any]]]:
    """Return the events that a plugin listens to, each with its method."""
    kind = type(plugin)
    marked = [name for name in dir(kind) if getattr(getattr(kind, name, None), _MARK, ())]
    return [
        (event, getattr(plugin, name))
        for name in marked
        for event in getattr(getattr(kind, name), _MARK)
    ]
