"""The plugins module's place in a store."""

from __future__ import annotations

from ..module import Module
from .models import MODELS


class PluginsModule(Module):
    """Plugins and what they know."""

    name = "plugins"
    requires = ("media",)
    models = MODELS
    migrations = "viewra_lite.plugins.migrations"
