"""Query builders of maintenance; they run nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from peewee import SQL, Case, fn

from ..database.orm.nodes import Placeholder
from ..database.orm.statements import Query, Statement, statement
from ..media.files.queries import is_placed
from ..media.models import MediaFile, MediaLibrary, MediaScan
from ..playback.models import PlaybackSession
from ..transcoding.models import TranscodeCache, TranscodeSession
from .models import Chore


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
    """How many files a library has, how many of them are missing, and how large the others are."""

    library_id: str
    files: int
    missing: int
    bytes: int


@statement
def files_by_library() -> Query:
    """Files, missing files and bytes of each library that has files."""
    is_missing = MediaFile.status == SQL("'missing'")
    missing = fn.COUNT(Case(None, [(is_missing, 1)]))
    size = fn.COALESCE(fn.SUM(Case(None, [(~is_missing, MediaFile.size)])), SQL("0"))
    return (
        MediaFile.select(MediaFile.library, fn.COUNT(SQL("*")), missing, size)
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


# Chores


@statement
def open_session() -> Query:
    """One session that is played or paused."""
    return (
        PlaybackSession.select(PlaybackSession.id)
        .where(PlaybackSession.end_time.is_null())
        .limit(1)
        .tuples()
    )


@statement
def chores() -> Query:
    return Chore.select()


@statement
def chore_by_name(name: Placeholder) -> Query:
    return Chore.select().where(Chore.name == name)


@statement
def insert_chore(name: Placeholder, due_at: Placeholder) -> Query:
    return Chore.insert(name=name, due_at=due_at, failures=0).on_conflict_ignore()


@statement
def bring_forward(latest: Placeholder, name: Placeholder) -> Query:
    return Chore.update(due_at=latest).where((Chore.name == name) & (Chore.due_at > latest))


@statement
def save_failure(
    due_at: Placeholder,
    last_run_at: Placeholder,
    seconds: Placeholder,
    error: Placeholder,
    name: Placeholder,
) -> Query:
    return Chore.update(
        due_at=due_at,
        last_run_at=last_run_at,
        seconds=seconds,
        error=error,
        failures=Chore.failures + 1,
    ).where(Chore.name == name)


@statement
def save_success(
    due_at: Placeholder,
    last_run_at: Placeholder,
    seconds: Placeholder,
    done: Placeholder,
    name: Placeholder,
) -> Query:
    return Chore.update(
        due_at=due_at, last_run_at=last_run_at, seconds=seconds, done=done, error=None, failures=0
    ).where(Chore.name == name)


@statement
def open_sessions() -> Query:
    """Number of sessions that are played or paused."""
    open_ones = PlaybackSession.end_time.is_null()
    return PlaybackSession.select(fn.COUNT(SQL("*"))).where(open_ones).tuples()


@statement
def scans() -> Query:
    """The library of each scan, and when it ended."""
    return MediaScan.select(MediaScan.library, MediaScan.ended_at).tuples()


@statement
def transcodes() -> Query:
    """Number of jobs by status."""
    status = TranscodeSession.status
    return TranscodeSession.select(status, fn.COUNT(SQL("*"))).group_by(status).tuples()


@statement
def transcode_cache() -> Query:
    """Number of cache entries, and their bytes."""
    size = fn.COALESCE(fn.SUM(TranscodeCache.file_size), 0)
    return TranscodeCache.select(fn.COUNT(SQL("*")), size).tuples()
