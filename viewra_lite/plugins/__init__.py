"""Plugins: what a third party builds on, and the module that runs it."""

from .plugin import Plugin, PluginModel, on

__all__ = ["Plugin", "PluginModel", "on"]
