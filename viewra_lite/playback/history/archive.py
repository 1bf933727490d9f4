"""The archive: moves old plays into it and its daily totals, batch by batch, and back."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ...database.checks import checked_moment, refused
from ...database.transactions.database import Database
from ...database.transactions.slices import repeat_in_slices
from ...errors import InvalidValueError
from . import queries
from .history import BEGINNING, END

_log = logging.getLogger("viewra_lite.playback")

_BATCH = 50  # plays moved by one step of a transaction


@dataclass(frozen=True, slots=True)
class ArchiveResult:
    """The number of plays that archive_history() moved, or would move."""

    plays: int
    before: datetime
    """The plays from before this moment, in UTC."""
    dry_run: bool


def archive(db: Database, older_than: datetime | timedelta, dry_run: bool) -> ArchiveResult:
    """Move plays from before a moment, or older than an age, into the archive."""
    before = _moment(older_than, db.now())
    if dry_run:
        plays = int(db.one(queries.count_before, before)[0])
    else:
        plays = _move_each(_archive_some, db, BEGINNING, before)
        _log.info("moved %d plays into the archive", plays)
    return ArchiveResult(plays, before, dry_run)


def archive_old(db: Database, before: datetime) -> None:
    """Move plays from before a moment into the archive, as a chore: usually there are none."""
    if plays := _move_each(_archive_some, db, BEGINNING, before):
        _log.info("moved %d plays into the archive", plays)


def restore(db: Database, since: datetime | None, until: datetime | None) -> int:
    """Move plays back from the archive; return how many."""
    return _move_each(_restore_some, db, since or BEGINNING, until or END)


def _move_each(move: Any, db: Database, since: datetime, until: datetime) -> int:
    """Move the plays of a time, a batch at a time; return how many."""
    plays, key = 0, (since, "")

    def move_some() -> list[Any]:
        nonlocal plays, key
        batch: list[Any] = move(db, key, until)
        if batch:
            plays += len(batch)
            # Forward only: an archive and a restore side by side would feed each other forever.
            key = (batch[-1].played_at, batch[-1].id)
        return batch

    repeat_in_slices(db, move_some)
    return plays


def _archive_some(db: Database, key: tuple[datetime, str], before: datetime) -> list[Any]:
    batch = db.all(queries.oldest_plays, *key, before, _BATCH)
    ids = [play.id for play in batch]
    if batch:
        db.run(queries.copy_to_archive, ids, db.now())
        db.run(queries.add_to_totals, ids)
        db.run(queries.delete_plays, ids)
    return batch


def _restore_some(db: Database, key: tuple[datetime, str], until: datetime) -> list[Any]:
    batch = db.all(queries.oldest_archived, *key, until, _BATCH)
    ids = [play.id for play in batch]
    if batch:
        first, last = batch[0].played_at.date(), batch[-1].played_at.date()
        db.run(queries.copy_from_archive, ids)
        db.run(queries.take_from_totals, ids)
        db.run(queries.delete_empty_totals, first, last)
        db.run(queries.delete_archived, ids)
    return batch


def _moment(older_than: object, now: datetime) -> datetime:
    """Return older_than as a moment in UTC; raises InvalidValueError."""
    moment = older_than
    if isinstance(older_than, timedelta) and older_than >= timedelta(0):
        try:
            moment = now - older_than
        except OverflowError:
            raise InvalidValueError(
                f"older_than {older_than} reaches back before the year 1: give a smaller age"
            ) from None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise refused(
            "older_than",
            "an age of 0 or more, for example timedelta(days=365), or an aware datetime",
            older_than,
        )
    return checked_moment("older_than", moment)
