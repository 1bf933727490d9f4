"""Engines, connections, transactions and migrations; no table of any module."""

from .orm import peewee_import  # noqa: F401  (must come before any import of peewee, see there)
