"""The rooms of a store: what opening it has to know of each, and where its module is.

To import the verbs and tables of all rooms takes longer than to open a store that is up to date.
So a room is imported when it is first used, or when a crash has left it something to put right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .module import Module


class Room(NamedTuple):
    """A room that need not be imported yet; to the migrator it is as good as its module."""

    name: str
    module: Callable[[], type[Module]]
    """Imports it."""
    requires: Sequence[str] = ("media",)
    unfinished: str = ""
    """A query that finds rows where there is something for the module's recover() to do."""

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


ROOMS = (
    Room("media", _media, requires=()),
    Room("playback", _playback, unfinished=(
        "SELECT 1 FROM playback_sessions WHERE end_time IS NULL LIMIT 1"
    )),
    Room("transcoding", _transcoding, unfinished=(
        "SELECT 1 FROM transcode_sessions WHERE status = 'running' AND lease_until IS NULL LIMIT 1"
    )),
    Room("plugins", _plugins),
)
