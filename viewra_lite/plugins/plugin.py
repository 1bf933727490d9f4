"""What a plugin's author writes: a subclass of Plugin, and of PluginModel for its tables."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import Model

from ..database.checks import refused
from ..database.orm.models import open_database
from ..database.transactions.scopes import lifted

if TYPE_CHECKING:
    from ..database.transactions.database import Database
    from ..database.transactions.scopes import Reader, Writer
    from .answers.items import Item
    from .answers.work import WorkList
    from .confinement.blocks import Confinement
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
    """The kinds of files that todo() returns: movie, episode, track, file."""
    recheck_days: ClassVar[float] = 90
    """When a file is due again after an answer."""
    recheck_unknown_days: ClassVar[float] = 30
    """When a file is due again of which nothing was known."""

    config: Mapping[str, Any]
    """The validated configuration with its defaults."""
    storage: Storage
    """Small JSON values by name."""
    store: Any
    """The open Store, with all of its verbs."""
    log: logging.Logger
    """Its logger, which masks the writeOnly values of the configuration."""
    _db: Database
    _work: WorkList
    _confinement: Confinement

    def check(self) -> None:
        """Raise PluginError with a remedy if it cannot work; called before it is enabled."""

    def run(self, now: datetime) -> None:
        """Do the work that is due; store.plugins.run_due() calls it, one plugin at a time."""

    def todo(self, type: str, limit: int = 100) -> list[Item]:
        """Return files of a kind that are due, at most limit (1000), the oldest first.

        Due is a present file that has no answer of this plugin, that has changed since, whose
        answer is older than recheck_days, or that has failed and waited long enough. An item comes
        again until it is answered or has failed. Raises InvalidValueError for a kind that the class
        does not declare in `answers`, and TransactionError inside reading().
        """
        with lifted(self._db.current):
            return self._work.todo(type, limit)

    def answer(
        self, item: Item, facts: Mapping[str, Any] | None, *, confidence: float = 1.0
    ) -> None:
        """Store the facts of an item in place of the earlier answer; None: nothing is known.

        confidence is 0 to 1. The columns of the item's movie, episode or track must have their
        types, and so must those in "show" and "season" of an episode and in "album" of a track;
        "episodes" is a list of facts, one for each of item.episode_ids. Other facts are kept.
        If the file has changed meanwhile it stays due, and nothing is stored. Raises
        InvalidValueError, which names the fact.
        """
        with lifted(self._db.current):
            self._work.answer([(item, facts)], confidence)

    def answer_many(
        self, answers: Iterable[tuple[Item, Mapping[str, Any] | None]], *, confidence: float = 1.0
    ) -> None:
        """Store the answers to several items, pairs of item and facts, as answer() does.

        All are checked before the first is stored.
        """
        with lifted(self._db.current):
            self._work.answer(answers, confidence)

    def failed(self, item: Item, exc: BaseException | str) -> None:
        """Note that an item could not be answered: it is due after 1, 2, 4 minutes ... a day.

        An earlier answer stays. Raises InvalidValueError.
        """
        with lifted(self._db.current):
            self._work.failed(item, exc)

    def reading(self) -> Reader:
        """Return a context manager for one consistent snapshot of the store."""
        return self._confinement.reading()

    def writing(self) -> Writer:
        """Return a context manager for one transaction; write to its own tables only.

        Anything else raises PluginError, and nothing of the block stays.
        """
        return self._confinement.writing()


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
