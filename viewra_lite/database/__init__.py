"""The plumbing: knows engines, knows no table of ours."""

from .orm import peewee_import  # noqa: F401  (before anything imports peewee, see there)
