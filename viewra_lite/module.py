"""Module: what a room is to the store, and what a third party subclasses.

    class Reviews(Module):
        name = "reviews"
        requires = ("media",)
        models = (Review,)
        migrations = "my_plugin.reviews.migrations"
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from .config import Config
from .database.sessions import Sessions


class Module:
    """A set of tables with their history and their verbs."""

    name: ClassVar[str]
    """Lower-case identifier, unique in a store; names the history table."""

    requires: ClassVar[Sequence[str]] = ()
    """Names of the modules that migrate before this one."""

    models: ClassVar[Sequence[Any]] = ()
    """The Peewee models, bound to the store while it is open."""

    migrations: ClassVar[str | None] = None
    """The package of numbered migration scripts, as a dotted name."""

    sessions: Sessions
    config: Config

    def seat(self, sessions: Sessions, config: Config) -> None:
        """Receive the sessions and the configuration; called once per open, after migrating."""
        self.sessions = sessions
        self.config = config

    def tidy(self, now: datetime) -> None:
        """Do this module's chores: called by maintenance, each write in bounded transactions."""
