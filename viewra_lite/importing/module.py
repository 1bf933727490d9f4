"""The verbs of store.importing: what was watched elsewhere comes in, and a user's data goes out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timezone, tzinfo
from typing import Any

from ..config.options import Config
from ..database.checks import checked_id, no_such, or_none
from ..database.transactions.database import Database
from ..errors import ConflictError, InvalidValueError, shown
from ..playback.import_models import PlaybackImport
from . import formats, queries, reading, user_data
from .log import take_back
from .record import WatchedRecord, record_of
from .results import ImportResult
from .run import Run

_MOST_NAMED = 10  # users

Progress = Callable[[str, int, int], Any]
Records = Iterable["WatchedRecord | Mapping[str, Any]"]


class Importing:
    """Imports what people have watched elsewhere, and takes it back."""

    def __init__(self, db: Database, config: Config) -> None:
        self._db = db
        self._config = config

    def watched(
        self,
        source: str | os.PathLike[str] | Records,
        *,
        user_id: str | None = None,
        format: str | None = None,
        timezone: str | tzinfo | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> ImportResult:
        """Import an export of another program, as it was downloaded, or a list of records.

        What the file is is recognised, unless format names it. user_id is whose all rows are,
        which must name one user at most; None: whom each row names. timezone ("Europe/Berlin") is
        that of times without one; None is UTC. dry_run changes nothing and says the same. A second
        import adds nothing, nor does another program's record of the same evening. In transactions
        of 500 rows: one that broke off goes on when it is called again. progress(phase, done,
        total) is called as it goes. Raises InvalidValueError where the file as a whole cannot be
        read; what is wrong with one row is in the result.
        """
        or_none(checked_id, "user_id", user_id)
        zone = zone_of(timezone)
        if isinstance(source, (str, os.PathLike)):
            label = os.fspath(source)
            parts = reading.parts_of(source)
            exported = user_data.recognised(parts) if format in (None, user_data.NAME) else None
            if exported is not None:
                return user_data.restore(
                    self._db,
                    self._run(zone, user_id, progress),
                    exported,
                    os.path.basename(label),
                    user_id,
                    dry_run,
                )
            found, records = formats.records_of(parts, label, format, zone)
        else:
            label, found, records = "", "records", _records(source, zone)
        if user_id is not None:
            _refuse_many_users(records, label)
        run = self._run(zone, user_id, progress)
        return run.all(records, os.path.basename(label), found, dry_run)

    def match_waiting(self, *, progress: Progress | None = None) -> int:
        """Try again what matched nothing when it was imported; return how many rows match now.

        A scan does so when it ends. What comes in belongs to the import that it came with.
        """
        return self._run(timezone.utc, None, progress).waiting()

    def _run(self, zone: tzinfo, user_id: str | None, progress: Progress | None) -> Run:
        return Run(self._db, self._config, zone, user_id, progress or _silent)

    def list(self) -> Sequence[PlaybackImport]:
        """Return the imports that changed something, the latest first."""
        found: Sequence[PlaybackImport] = self._db.all(queries.imports)
        return found

    def undo(self, id: str) -> int:
        """Take back what an import changed; return how many plays and states that were.

        What has changed since stays: only the import's plays and marks are taken from it. What
        waited is forgotten. In bounded transactions: interrupted, it goes on when it is called
        again. Raises NotFoundError, and ConflictError where that was done.
        """
        known: PlaybackImport | None = None
        if isinstance(id, str):
            known = self._db.one(queries.import_by_id, id)
        if known is None:
            raise no_such("import", id)
        if known.undone_at is not None:
            raise ConflictError(f"import {id} was undone already")
        return take_back(self._db, id)

    def export(self, user_id: str) -> dict[str, Any]:
        """Return all that is stored of what a user has watched, as JSON can hold it.

        Each movie, episode or track has its external ids, so that watched() of the same, written
        to a file, gives the same state in another store.
        """
        return user_data.export(self._db, checked_id("user_id", user_id))


def zone_of(name: Any) -> tzinfo:
    """Return a time zone; UTC for None. Raises InvalidValueError."""
    if name is None:
        return timezone.utc
    if isinstance(name, tzinfo):
        return name
    from zoneinfo import ZoneInfo

    try:
        if isinstance(name, str):
            return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        pass  # zoneinfo raises any of them for a name that it does not know: raised below
    shown = repr(name[:60]) if isinstance(name, str) else type(name).__name__
    raise InvalidValueError(f"timezone must be the name of a zone, as Europe/Berlin, not {shown}")


def _records(source: Any, zone: tzinfo) -> list[WatchedRecord]:
    if isinstance(source, (bytes, Mapping)) or not isinstance(source, Iterable):
        raise InvalidValueError(
            f"source must be a path or a list of records, not {type(source).__name__}"
        )
    return [_record(each, number, zone) for number, each in enumerate(source, 1)]


def _refuse_many_users(records: Sequence[WatchedRecord], label: str) -> None:
    """Refuse to make the rows of several users one user's."""
    users = sorted({record.user for record in records if record.user is not None})
    if len(users) > 1:
        named = ", ".join(map(shown, users[:_MOST_NAMED]))
        more = f" and {len(users) - _MOST_NAMED} more" if len(users) > _MOST_NAMED else ""
        raise InvalidValueError(
            f"{label or 'the list'}: has rows of {len(users)} users ({named}{more}): import it "
            "without naming a user, which gives each row to the user that it names, or import "
            "the rows of one user only"
        )


def _record(record: Any, number: int, zone: tzinfo) -> WatchedRecord:
    if isinstance(record, WatchedRecord):
        number = record.number or number
        return record if record.problem else record_of(record.values(), number, zone)
    if isinstance(record, Mapping):
        return record_of(record, number, zone)
    return WatchedRecord(number, problem="is neither a WatchedRecord nor a mapping")


def _silent(phase: str, done: int, total: int) -> None:
    """Report nothing."""
