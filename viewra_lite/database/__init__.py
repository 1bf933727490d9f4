"""The plumbing: knows engines, knows no table of ours."""

from . import drivers  # noqa: F401  (before anything imports peewee, see there)
