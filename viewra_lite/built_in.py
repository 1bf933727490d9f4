"""The built-in modules: what opening a store needs to know of each before it is imported.

Importing the verbs and tables of all of them takes longer than opening a store that is up to date.
So each is imported at its first use, or when a crash left something for its recover() to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .module import Module


class BuiltIn(NamedTuple):
    """A built-in module that need not be imported yet; the migrator takes it as the module."""

    name: str
    module: Callable[[], type[Module]]
    """Imports it."""
    requires: Sequence[str] = ("media",)
    unfinished: str = ""
    """A query that finds a row when the module's recover() has something to do."""

    @property
    def migrations(self) -> str:
        """Name the package of scripts."""
        return f"{__package__}.{self.name}.migrations"

    @property
    def models(self) -> Sequence[Any]:
        """Import the tables."""
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


def _plugins() -> type[Module]:
    from .plugins.module import PluginsModule

    return PluginsModule


BUILT_IN = (
    BuiltIn("media", _media, requires=()),
    BuiltIn(
        "playback",
        _playback,
        unfinished=("SELECT 1 FROM playback_sessions WHERE end_time IS NULL LIMIT 1"),
    ),
    BuiltIn(
        "transcoding",
        _transcoding,
        unfinished=(
            "SELECT 1 FROM transcode_sessions "
            "WHERE status = 'running' AND lease_until IS NULL LIMIT 1"
        ),
    ),
    BuiltIn("plugins", _plugins),
)
