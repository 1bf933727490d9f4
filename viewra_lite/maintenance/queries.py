"""Query builders of maintenance; they run nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from peewee import SQL, Case, fn

from ..database.orm.nodes import Placeholder
from ..database.orm.statements import Query, Statement, statement
from ..media.files.queries import is_placed
from ..media.models import MediaFile, MediaLibrary


@lru_cache(maxsize=None)
def rows_of(model: Any) -> Statement:
    """Return the statement that counts the rows of a table."""
    return Statement(lambda: model.select(fn.COUNT(SQL("*"))).tuples(), arity=0)


@statement
def missing_files() -> Query:
    return MediaFile.select(fn.COUNT(SQL("*"))).where(MediaFile.status == SQL("'missing'")).tuples()


@statement
def failed_probes() -> Query:
    return (
        MediaFile.select(fn.COUNT(SQL("*")))
        .where(MediaFile.probe_state == SQL("'failed'"))
        .tuples()
    )


@statement
def library_ids() -> Query:
    return MediaLibrary.select(MediaLibrary.id).tuples()


class FilesOfLibrary(NamedTuple):
    """How many files a library has, and how many of them are missing."""

    library_id: str
    files: int
    missing: int


@statement
def files_by_library() -> Query:
    """Number of files, and of missing files, of each library that has files."""
    is_missing = Case(None, [(MediaFile.status == SQL("'missing'"), 1)])
    return (
        MediaFile.select(MediaFile.library, fn.COUNT(SQL("*")), fn.COUNT(is_missing))
        .group_by(MediaFile.library)
        .objects(FilesOfLibrary)
    )


@statement
def files_with_problems(limit: Placeholder) -> Query:
    """Files that are missing, could not be probed, or belong to nothing although they were."""
    is_unplaced = (MediaFile.probe_state == SQL("'done'")) & ~is_placed()
    return (
        MediaFile.select()
        .where(
            (MediaFile.status == SQL("'missing'"))
            | (MediaFile.probe_state == SQL("'failed'"))
            | is_unplaced
        )
        .order_by(MediaFile.path, MediaFile.id)
        .limit(limit)
    )
