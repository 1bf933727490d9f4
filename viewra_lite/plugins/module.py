"""The plugins module as the store attaches it."""

from __future__ import annotations

from ..module import Module
from .models import MODELS


class PluginsModule(Module):
    """The tables of plugins and their metadata; this version has no verbs for them."""

    name = "plugins"
    requires = ("media",)
    models = MODELS
    migrations = "viewra_lite.plugins.migrations"
