"""The playback room's place in a store."""

from __future__ import annotations

from ..module import Module
from .models import MODELS


class PlaybackModule(Module):
    """What people watch."""

    name = "playback"
    requires = ("media",)
    models = MODELS
    migrations = "viewra_lite.playback.migrations"
