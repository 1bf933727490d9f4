"""Module: the base class of the built-in modules and of those that third parties write.

class Reviews(Module):
    name = "reviews"
    requires = ("media",)
    models = (Review,)
    migrations = "my_plugin.reviews.migrations"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
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

    migrations: ClassVar[str | None] = None
    """The dotted name of the package of numbered migration scripts; None for no tables."""

    tidy_every_s: ClassVar[int] = 3600
    """Seconds between two runs of tidy() by store.maintenance.run_due()."""

    db: Database
    config: Config

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
