"""The verbs of store.importing: import watch history, undo an import, export a user's data."""

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
    """The verbs of `store.importing`: import watch history, undo an import, export user data.

    Any verb may raise StoreBusyError, StoreClosedError, StoreUnavailableError or
    CorruptStoreError, and one that writes raises StoreFullError if the disk is full, and
    TransactionError inside reader().
    """

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
        """Import another program's export, as it was downloaded, or a list of records.

            result = store.importing.watched("trakt-export.zip", user_id="anna")
            for row in result.unmatched:
                print(row.number, row.what, row.why, row.near)

        The format is detected, unless `format` names it. user_id is the user of all rows, which
        may name one user at most; None takes the user that each row names. timezone, such as
        "Europe/Berlin", applies to times without a zone; None is UTC. dry_run=True returns the same
        result and changes nothing. progress(phase, done, total) is called after each batch.

        Importing a file again adds nothing, nor does another program's record of the same play.
        Rows are written in transactions of 500: repeat the call after an interruption. Raises
        InvalidValueError if the file as a whole cannot be read, or if it names several users but
        user_id is given; a faulty row is in the result instead.
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
        """Match again the rows that had no match; return the number of rows imported now.

        A scan calls this when it ends. The rows belong to the import that they came with, and are
        undone with it.
        """
        return self._run(timezone.utc, None, progress).waiting()

    def _run(self, zone: tzinfo, user_id: str | None, progress: Progress | None) -> Run:
        return Run(self._db, self._config, zone, user_id, progress or _silent)

    def list(self) -> Sequence[PlaybackImport]:
        """Return the imports that changed something, the latest first."""
        found: Sequence[PlaybackImport] = self._db.all(queries.imports)
        return found

    def undo(self, id: str) -> int:
        """Undo an import; return the number of plays and progress states that were undone.

        Later changes are kept: only the import's plays and marks are removed from a state that has
        changed since. Its waiting rows are deleted. Works in bounded transactions: repeat the call
        after an interruption. Raises NotFoundError, and ConflictError if it was already undone.
        """
        known: PlaybackImport | None = None
        if isinstance(id, str):
            known = self._db.one(queries.import_by_id, id)
        if known is None:
            raise no_such("import", id)
        if known.undone_at is not None:
            raise ConflictError(f"import {id} was already undone")
        return take_back(self._db, id)

    def export(self, user_id: str) -> dict[str, Any]:
        """Return all watch data of a user as a document for json.dump().

        Each movie, episode or track has its external ids. Written to a file and passed to watched()
        of another store, it restores the same state. Raises InvalidValueError.
        """
        return user_data.export(self._db, checked_id("user_id", user_id))


def zone_of(name: object) -> tzinfo:
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
    raise InvalidValueError(
        f"timezone must be the name of a zone, such as Europe/Berlin, not {shown}"
    )


def _records(source: object, zone: tzinfo) -> list[WatchedRecord]:
    if isinstance(source, (bytes, Mapping)) or not isinstance(source, Iterable):
        raise InvalidValueError(
            f"source must be a path or a list of records, not {type(source).__name__}"
        )
    return [_record(each, number, zone) for number, each in enumerate(source, 1)]


def _refuse_many_users(records: Sequence[WatchedRecord], label: str) -> None:
    """Refuse to import the rows of several users for one user."""
    users = sorted({record.user for record in records if record.user is not None})
    if len(users) > 1:
        named = ", ".join(map(shown, users[:_MOST_NAMED]))
        more = f" and {len(users) - _MOST_NAMED} more" if len(users) > _MOST_NAMED else ""
        raise InvalidValueError(
            f"{label or 'the list'}: has rows of {len(users)} users ({named}{more}): import it "
            "without naming a user, so that each row is imported for its own user, or import the "
            "rows of one user only"
        )


def _record(record: object, number: int, zone: tzinfo) -> WatchedRecord:
    if isinstance(record, WatchedRecord):
        number = record.number or number
        return record if record.problem else record_of(record.values(), number, zone)
    if isinstance(record, Mapping):
        return record_of(record, number, zone)
    return WatchedRecord(number, problem="is neither a WatchedRecord nor a mapping")


def _silent(phase: str, done: int, total: int) -> None:
    """Report nothing."""
