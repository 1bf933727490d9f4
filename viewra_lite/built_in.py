"""The built-in modules, described so that a store can be opened before they are imported.

Importing all of them takes longer than opening a store that is up to date. So each is imported at
its first use, or at open if a crash left work for its recover().
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .module import Module


class BuiltIn(NamedTuple):
    """A built-in module before its import; the migrator accepts it in place of the module."""

    name: str
    module: Callable[[], type[Module]]
    """Imports the module and returns its class."""
    requires: Sequence[str] = ("media",)
    unfinished: str = ""
    """A query that returns a row if the module's recover() has work to do."""
    tidy_every_s: int = 0
    """Seconds between two runs of its tidy(); 0 for a module without."""

    @property
    def migrations(self) -> str:
        """Return the dotted name of the package of migration scripts."""
        return f"{__package__}.{self.name}.migrations"

    @property
    def models(self) -> Sequence[Any]:
        """Import and return the models."""
        return self.module().models


def _media() -> type[Module]:
    from .media.module import MediaModule

    return MediaModule


def _playback() -> type[Module]:
    from .playback.module import PlaybackModule

    return PlaybackModule


def _transcoding() -> type[Module]:
    from .transcoding.module import TranscodingModule

    return TranscodingModule


def _events() -> type[Module]:
    from .events.module import EventsModule

    return EventsModule


def _plugins() -> type[Module]:
    from .plugins.module import PluginsModule

    return PluginsModule


def _maintenance() -> type[Module]:
    from .maintenance.module import Maintenance

    return Maintenance


BUILT_IN = (
    BuiltIn("media", _media, requires=(), tidy_every_s=3600),
    BuiltIn(
        "playback",
        _playback,
        unfinished=("SELECT 1 FROM playback_sessions WHERE end_time IS NULL LIMIT 1"),
        tidy_every_s=300,
    ),
    BuiltIn(
        "transcoding",
        _transcoding,
        unfinished=(
            "SELECT 1 FROM transcode_sessions "
            "WHERE status = 'running' AND lease_until IS NULL LIMIT 1"
        ),
        tidy_every_s=300,
    ),
    BuiltIn("plugins", _plugins, tidy_every_s=3600),
    BuiltIn("maintenance", _maintenance, requires=()),
    BuiltIn("events", _events, requires=(), tidy_every_s=86400),
)
