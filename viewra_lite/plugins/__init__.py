"""Plugins and what they know."""
