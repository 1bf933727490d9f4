"""Run: one import, which matches and records rows in batches by time, with an undo log."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone, tzinfo
from typing import Any

from ..config.options import Config
from ..database.orm.fields import dumps
from ..database.orm.reading import Reading, shaped
from ..database.orm.rows import values_of
from ..database.transactions.database import Database
from ..playback.import_models import PlaybackImport, WaitingRow
from . import queries
from .applying import Batch, Change, LeftOut, Matched
from .matching import Matcher, NotMatched
from .record import WatchedRecord, record_of
from .results import ImportResult, Unmatched

_log = logging.getLogger("viewra_lite.importing")
BATCH_ROWS = 60
"""Rows in a transaction, which takes about 30 ms beside a million files."""
_MOST_NEAR = 50  # rows; each is compared with every title
_BEGINNING = datetime.min.replace(tzinfo=timezone.utc)


class Run:
    """Imports rows for one user, or for the user that each row names."""

    def __init__(
        self,
        db: Database,
        config: Config,
        zone: tzinfo,
        user_id: str | None,
        progress: Callable[[str, int, int], Any],
    ) -> None:
        self._db = db
        self._user_id = user_id
        self._progress = progress
        self.matcher = Matcher(db)
        self._batch = Batch(db, config, zone)
        self._seqs: dict[str, int] = {}
        self._waits = True
        self._counts: Counter[str] = Counter()
        self._left_out: list[Unmatched] = []
        self._unmatched: list[Unmatched] = []

    def all(
        self,
        records: Sequence[WatchedRecord],
        source: str,
        format: str,
        dry_run: bool,
        import_id: str | None = None,
    ) -> ImportResult:
        """Import rows, oldest first; import_id continues an import that begin() has created."""
        if import_id is None and not dry_run:
            import_id = self.begin(source, format)
        total, done, waiting = len(records) + self._counts.total(), 0, 0
        for rows in _batches(sorted(records, key=_when)):
            with self._db.reader() if dry_run else self._db.writer():
                later = self._take(rows)
                if import_id is not None:
                    self.log(import_id, self._batch.write())
                    waiting += self._remember(import_id, later)
                    self._put_counts(import_id, total, finished=False)
            done += len(rows)
            self._progress("importing", done, len(records))
            self._db.yield_to_writers()
        if import_id is not None:
            import_id = self._end(import_id, total, waiting)
            _log.info(
                "import of %d rows ended: %d imported, %d known already, %d waiting",
                total,
                self._counts["imported"],
                self._counts["already"],
                waiting,
            )
        self._add_near()
        return ImportResult(
            import_id,
            format,
            total,
            self._counts["imported"],
            self._counts["already"],
            sorted(self._left_out, key=_number),
            sorted(self._unmatched, key=_number),
            waiting,
        )

    def waiting(self) -> int:
        """Import the waiting rows that match now; return their number."""
        after, count = "", 0
        while rows := self._db.all(queries.waiting_after, after, BATCH_ROWS):
            after = rows[-1].id
            with self._db.writer():
                count += self._take_waiting(rows)
            self._progress("matching", count, count)
            self._db.yield_to_writers()
        return count

    # Batches

    def _take(self, rows: list[WatchedRecord]) -> list[Matched]:
        """Match and apply rows; return the unmatched ones, with an empty file_id."""
        readable = [row for row in rows if self._is_readable(row)]
        self.matcher.prefetch(readable)
        matched, later = [], []
        for record in readable:
            user_id = self._user_id if self._user_id is not None else str(record.user)
            try:
                matched.append(Matched(record, user_id, self.matcher.file(record)))
            except NotMatched as exc:
                self._unmatched.append(
                    Unmatched(record.number, record.what, str(exc), exc.near, record)
                )
                later.append(Matched(record, user_id, ""))
        self._batch.load(matched)
        for row in matched:
            self._counts[self._apply(row)] += 1
        self._forget(matched)
        return later

    def _apply(self, row: Matched) -> str:
        try:
            return "imported" if self._batch.apply(row) else "already"
        except LeftOut as exc:
            self._left_out.append(_of(row.record, str(exc)))
            return "left out"

    def _is_readable(self, record: WatchedRecord) -> bool:
        """Whether a row can be matched; if not, add it to the result with the reason."""
        why = record.problem
        now = self._db.now()
        if why is None and record.left_out is not None:
            self._left_out.append(_of(record, record.left_out))
            return False
        if why is None and self._user_id is None and record.user is None:
            why = "has no user: add one to every row, or import the file for one (--user)"
        if why is None and record.watched_at is not None and record.watched_at > now:
            why = (
                f"{record.watched_at} is in the future (now: {now}); a time without a zone is in "
                "the zone of --timezone, or UTC"
            )
        if why is None and record.is_watched is False and not _has_position(record):
            self._left_out.append(_of(record, "is not watched"))
            return False
        if why is not None:
            self._unmatched.append(_of(record, why))
        return why is None

    def _add_near(self) -> None:
        """Add near misses to the first unmatched rows without any."""
        rows = [
            row
            for row in self._unmatched
            if not row.near and row.record is not None and row.record.problem is None
        ]
        with self._db.reader():
            for row in rows[:_MOST_NEAR]:
                assert row.record is not None
                row.near.extend(self.matcher.near(row.record))

    # The log

    def count(self, outcome: str) -> None:
        """Count a row that the caller has recorded, as "imported" or "already"."""
        self._counts[outcome] += 1

    def begin(self, source: str, format: str) -> str:
        """Create the record of an import; return its id."""
        id = self._db.new_id()
        self._db.run(
            queries.insert_import,
            **values_of(
                PlaybackImport(
                    id=id,
                    source=source,
                    format=format,
                    user_id=self._user_id,
                    started_at=self._db.now(),
                    total=0,
                    imported=0,
                    already=0,
                    left_out=0,
                    unmatched=0,
                )
            ),
        )
        self._seqs[id] = 0
        return id

    def _end(self, import_id: str, total: int, waiting: int) -> str | None:
        if self._counts["imported"] or waiting:
            self._put_counts(import_id, total, finished=True)
            return import_id
        self._db.run(queries.delete_import, import_id)  # it changed nothing
        return None

    def _put_counts(self, import_id: str, total: int, *, finished: bool) -> None:
        self._db.run(
            queries.put_counts,
            id=import_id,
            total=total,
            imported=self._counts["imported"],
            already=self._counts["already"],
            left_out=len(self._left_out),
            unmatched=len(self._unmatched),
            finished_at=self._db.now() if finished else None,
        )

    def log(self, import_id: str, changes: list[Change]) -> None:
        """Write changes to the undo log; call it in the writer that made them."""
        seq = self._seqs.get(import_id)
        if seq is None:
            last = self._db.all(queries.last_rows, import_id, 1)
            seq = last[0].seq if last else 0
        rows = [
            {"batch": import_id, "seq": seq + n, **change._asdict()}
            for n, change in enumerate(changes, 1)
        ]
        self._seqs[import_id] = seq + len(rows)
        self._db.run_many(queries.insert_imported, rows)

    # Waiting rows

    def _remember(self, import_id: str, later: list[Matched]) -> int:
        """Store unmatched rows as waiting unless they are already; return their number."""
        unmatched = {(row.user_id, _key(row.record)): row for row in later}
        keys = [key for _, key in unmatched]
        known = set(self._db.all(queries.waiting_keys, keys)) if keys else set()
        rows = [
            WaitingRow(
                id=self._db.new_id(),
                batch=import_id,
                user_id=row.user_id,
                key=key,
                record=row.record.json_values(),
            )
            for (user_id, key), row in unmatched.items()
            if (user_id, key) not in known
        ]
        self._db.run_many(queries.insert_waiting, map(values_of, rows))
        return len(rows)

    def _forget(self, matched: list[Matched]) -> None:
        """Delete the waiting rows that match now."""
        if not self._db.current or not self._db.current.writes:
            return
        if self._waits:
            self._waits = bool(self._db.all(queries.waiting_after, "", 1))
        keys: dict[str, list[str]] = {}
        for row in matched if self._waits else ():
            keys.setdefault(row.user_id, []).append(_key(row.record))
        for user_id, of_user in keys.items():
            self._db.run(queries.delete_waiting_keys, user_id, of_user)

    def _take_waiting(self, rows: Sequence[WaitingRow]) -> int:
        records = {row.id: shaped(row, "record", _RECORD) for row in rows}
        self.matcher.prefetch(list(records.values()))
        matched: dict[str, list[tuple[str, Matched]]] = {}
        for row in rows:
            try:
                file_id = self.matcher.file(records[row.id])
            except NotMatched:
                continue  # it stays waiting
            matched.setdefault(row.batch_id, []).append(
                (row.id, Matched(records[row.id], row.user_id, file_id))
            )
        for import_id, found in matched.items():
            self._batch.load([each for _, each in found])
            for _, each in found:
                self._apply(each)
            self.log(import_id, self._batch.write())
            self._db.run(queries.delete_waiting, [id for id, _ in found])
        return sum(map(len, matched.values()))


def _batches(rows: list[WatchedRecord]) -> Iterator[list[WatchedRecord]]:
    for start in range(0, len(rows), BATCH_ROWS):
        yield rows[start : start + BATCH_ROWS]


def _when(row: WatchedRecord) -> tuple[bool, datetime, bool]:
    # Undated rows come last, so that they do not hide dated ones. A day comes after exact times.
    return row.watched_at is None, row.watched_at or _BEGINNING, bool(row.is_day)


def _number(row: Unmatched) -> int:
    return row.number


def _of(record: WatchedRecord, why: str) -> Unmatched:
    return Unmatched(record.number, record.what, why, record=record)


def _has_position(record: WatchedRecord) -> bool:
    return bool(record.position or record.percent or record.watched_s)


def _key(record: WatchedRecord) -> str:
    """Return a hash that identifies a waiting row of a user."""
    values = {
        name: value for name, value in record.json_values().items() if name not in _OF_THE_FILE
    }
    return hashlib.sha256(dumps(dict(sorted(values.items()))).encode()).hexdigest()


_OF_THE_FILE = ("number", "user")


def _read_record(stored: Any) -> WatchedRecord:
    record = record_of(stored, 0)
    if record.problem is not None:
        raise ValueError(record.problem)
    return record


_RECORD = Reading("a JSON object of what a row says", _read_record)
