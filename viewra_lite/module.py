"""Module: the base class of the built-in modules and of those that third parties write.

class Reviews(Module):
    name = "reviews"
    requires = ("media",)
    models = (Review,)
    migrations = "my_plugin.reviews.migrations"
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from time import monotonic
from typing import Any, ClassVar

from .config.options import Config
from .database.checks import checked_whole, refused
from .database.transactions.database import Database
from .errors import InvalidValueError, shown


class Module:
    """A set of tables with their migrations and verbs; pass instances to Store.open(modules=)."""

    name: ClassVar[str]
    """Lower-case identifier, unique in a store; part of the history table's name."""

    requires: ClassVar[Sequence[str]] = ()
    """The names of the modules that are migrated before this one."""

    models: ClassVar[Sequence[Any]] = ()
    """The Peewee models; bound to the store while it is open."""

    timed: ClassVar[Sequence[str]] = ()
    """The names of the verbs whose latency is counted; see maintenance.statistics()."""

    migrations: ClassVar[str | None] = None
    """The dotted name of the package of numbered migration scripts; None for no tables."""

    tidy_every_s: ClassVar[int] = 3600
    """Seconds between two runs of tidy() by store.maintenance.run_due()."""

    db: Database
    config: Config

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for verb in vars(cls).get("timed", ()):
            setattr(cls, verb, _timed(getattr(cls, verb), f"{cls.name}.{verb}"))

    def attach(self, db: Database, config: Config) -> None:
        """Receive the database and the configuration; called once per open, after migrating."""
        self.db = db
        self.config = config

    def recover(self) -> None:
        """Clean up after a crash; called once per open, when all extra modules are attached.

        Not called by Store.open(migrate=False), which changes nothing.
        """

    def detach(self) -> None:
        """Release what attach() and the verbs acquired; called by Store.close()."""

    def tidy(self, now: datetime) -> None:
        """Run this module's chores, each in transactions of bounded length.

        now is an aware datetime. store.maintenance.run_due() calls it every tidy_every_s seconds.
        An error is logged and shown by store.maintenance.chores(); it is then tried again later.
        """


LATENCY_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Latency:
    """How long the calls of a verb took, since the process began."""

    # The threads of a process count without a lock: CPython changes threads at calls and at jumps
    # back only, so none is lost.

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCY_BOUNDS_S) + 1)
        """Calls of at most each of LATENCY_BOUNDS_S but longer than the one before; then longer."""
        self.total_s = 0.0
        """Seconds of all calls."""


LATENCIES: dict[str, Latency] = {}
"""By module and verb, as "playback.heartbeat"; of the modules that are imported."""


def _timed(verb: Callable[..., Any], name: str) -> Callable[..., Any]:
    latency = LATENCIES.setdefault(name, Latency())
    counts = latency.counts

    @wraps(verb)
    def timed(*args: Any, **kwargs: Any) -> Any:
        began = monotonic()
        try:
            return verb(*args, **kwargs)
        finally:
            seconds = monotonic() - began
            counts[bisect_left(LATENCY_BOUNDS_S, seconds)] += 1
            latency.total_s += seconds

    return timed


_NAME = r"[a-z][a-z0-9_]{0,40}"


def check_modules(modules: Sequence[Any]) -> None:
    """Raise InvalidValueError for modules that cannot be attached to a store."""
    if isinstance(modules, (str, bytes)) or not isinstance(modules, Sequence):
        raise refused("modules", "a list of modules", modules)
    for module in modules:
        if isinstance(module, type):
            raise InvalidValueError(f"{module.__name__} is a class: pass {module.__name__}()")
        if not isinstance(module, Module):
            raise InvalidValueError(f"{shown(module)} is not a viewra_lite.Module")
        name = getattr(module, "name", None)
        if not isinstance(name, str) or not re.fullmatch(_NAME, name):
            raise InvalidValueError(
                f"{type(module).__name__}.name must be lower-case letters, digits and _, "
                f"not {shown(name)}"
            )
        checked_whole(f"{type(module).__name__}.tidy_every_s", module.tidy_every_s, 1)
        for model in module.models:
            if not hasattr(model, "_meta"):
                raise InvalidValueError(f"module {name}: {shown(model)} is not a Peewee model")
