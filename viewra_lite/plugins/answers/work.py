"""The work list of a plugin: the files that it is to be asked about, and its answers.

A file that todo() returns has a row, which stays due until it is answered: a process that is killed
loses nothing. Which files are new or changed is read from the feed of changes, and at first by
comparing all files in the order of their ids. The comparing never ends: each call looks at some
more files, so that those are found too that no event has named, such as rows of other programs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from ...database.checks import checked_limit, checked_number, refused
from ...database.transactions.database import Database
from ...database.transactions.slices import in_slices
from ...errors import InvalidValueError, PluginError, shown
from ...events import queries as event_queries
from ...events.models import Change
from ..models import PluginCursor
from . import queries
from .facts import checked_facts
from .items import KINDS, Item, items_of
from .queries import Known

AT_ONCE = datetime(1970, 1, 1, tzinfo=timezone.utc)
"""due_at of a file that is new or has changed: before all others, whatever the clock says."""
_BATCH = 500  # changes, or files, that are compared in a transaction
STEP = 100  # files compared by each call once all were compared
_FIRST_RETRY_S = 60
_LONGEST_RETRY_S = 86_400
_OF_FILES = ("file.added", "file.updated", "file.moved")


def retry_after(failures: int) -> timedelta:
    """Return how long to wait after failures in a row: 1, 2, 4 minutes and so on up to a day."""
    seconds = _FIRST_RETRY_S << min(failures - 1, 16)
    return timedelta(seconds=min(seconds, _LONGEST_RETRY_S))


class WorkList:
    """What one plugin is to be asked, and its answers."""

    def __init__(
        self, db: Database, plugin: Any, reason_of: Callable[[BaseException], str]
    ) -> None:
        self._db = db
        self._id: str = plugin.id
        self._kinds = tuple(plugin.answers)
        self._recheck = timedelta(days=plugin.recheck_days)
        self._recheck_unknown = timedelta(days=plugin.recheck_unknown_days)
        self._reason_of = reason_of

    def todo(self, kind: str, limit: int) -> list[Item]:
        """Return the files of a kind that are due, the oldest first."""
        self._check_kind(kind)
        count = checked_limit(limit)
        self._compare_some(kind)
        items = self._due(kind, count)
        while len(items) < count:
            found = self._read_on(kind)
            if found is None:
                break
            if found:
                items = self._due(kind, count)
            self._db.yield_to_writers()
        return items

    def answer(self, answers: Iterable[tuple[Item, object]], confidence: float) -> None:
        """Store answers in place of the plugin's earlier ones."""
        checked_number("confidence", confidence, 0, 1)
        rows = []
        for item, facts in answers:
            self._check_item(item)
            rows.append((item, checked_facts(item.type, facts)))
        in_slices(self._db, (partial(self._answer, *row, float(confidence)) for row in rows))

    def failed(self, item: Item, exc: object) -> None:
        """Note that an item could not be answered, and when to try it again."""
        self._check_item(item)
        if not isinstance(exc, (BaseException, str)):
            raise refused("exc", "an exception or text", exc)
        error = self._reason_of(exc if isinstance(exc, BaseException) else PluginError(exc))
        place = (self._id, item.type, item.id)
        with self._db.writer():
            row = self._db.one(queries.failures, *place)
            if row is not None:
                count = (row[0] or 0) + 1
                due_at = self._db.now() + retry_after(count)
                self._db.run(queries.fail, count, error, due_at, *place, item.question)

    # Inside

    def _check_kind(self, kind: object) -> None:
        if kind not in self._kinds:
            declared = ", ".join(map(str, self._kinds)) or "nothing"
            raise InvalidValueError(
                f"{self._id} cannot ask about {shown(kind)}: its `answers` declares {declared}"
            )

    def _check_item(self, item: object) -> None:
        if not isinstance(item, Item):
            raise refused("item", "an item of todo()", item)
        self._check_kind(item.type)

    def _answer(self, item: Item, facts: dict[str, Any] | None, confidence: float) -> None:
        now = self._db.now()
        due_at = now + self._recheck_after(facts is None)
        place = (self._id, item.type, item.id, item.question)
        self._db.run(queries.answer, facts, confidence, now, due_at, *place)

    def _recheck_after(self, is_unknown: bool) -> timedelta:
        return self._recheck_unknown if is_unknown else self._recheck

    def _due(self, kind: str, limit: int) -> list[Item]:
        """Return the items of the rows that are due.

        A file that is missing, or belongs to nothing of this kind now, is due when it changes.
        """
        while True:
            rows = self._db.all(queries.due_files, self._id, kind, self._db.now(), limit)
            ids = [id for (id,) in rows]
            items = items_of(self._db, kind, ids)
            gone = [id for id in ids if id not in items]
            if not gone:
                break
            self._db.run(queries.park, self._id, kind, gone)
            self._db.yield_to_writers()
        if items:
            with self._db.writer():  # their questions are those of the rows
                self._compare(kind, items)
        return [items[id] for id in ids]

    def _read_on(self, kind: str) -> int | None:
        """Read the next changes or files; return how many became due, or None at the end."""
        with self._db.writer():
            cursor, newest = self._cursor(kind), self._newest()
            ids: Collection[str]
            if cursor.change_id < newest.id:
                ids = self._changed(kind, cursor, newest)
            elif not cursor.is_complete:
                ids = self._next_files(cursor, _BATCH)
            else:
                return None
            self._save(cursor)
            return self._compare(kind, items_of(self._db, kind, ids))

    def _compare_some(self, kind: str) -> None:
        """Compare some of all files once more."""
        with self._db.writer():
            cursor = self._cursor(kind)
            if cursor.is_complete:
                before = cursor.file_id
                self._compare(kind, items_of(self._db, kind, self._next_files(cursor, STEP)))
                if cursor.file_id != before:
                    self._save(cursor)

    # Cursors

    def _cursor(self, kind: str) -> PluginCursor:
        """Return the plugin's cursor; a new one the first time, or if its changes are gone."""
        cursor: PluginCursor | None = self._db.one(queries.cursor, self._id, kind)
        if cursor is None:
            newest = self._newest()
            row = (self._id, kind, "", newest.id, newest.created_at)
            queries.insert_cursors.run(self._db, [row])
            cursor = self._db.one(queries.cursor, self._id, kind)
            assert cursor is not None
        elif not self._is_kept(cursor):
            newest = self._newest()
            cursor.file_id, cursor.is_complete = "", False
            cursor.change_id, cursor.change_at = newest.id, newest.created_at
            self._save(cursor)
        return cursor

    def _is_kept(self, cursor: PluginCursor) -> bool:
        """Whether all changes after a cursor are in the feed."""
        change: Change | None = self._db.one(event_queries.change_by_id, cursor.change_id)
        if change is None:
            return cursor.change_id == self._newest().id  # there have been no changes yet
        return bool(change.created_at == cursor.change_at)

    def _newest(self) -> Change:
        change: Change | None = self._db.one(event_queries.newest_change)
        return change or Change(id=0, created_at=AT_ONCE)

    def _save(self, cursor: PluginCursor) -> None:
        place = (self._id, cursor.metadata_type)
        self._db.run(
            queries.save_cursor,
            cursor.file_id,
            cursor.is_complete,
            cursor.change_id,
            cursor.change_at,
            *place,
        )

    def _next_files(self, cursor: PluginCursor, count: int) -> list[str]:
        ids = [id for (id,) in self._db.all(queries.files_after, cursor.file_id, count)]
        is_end = len(ids) < count
        cursor.file_id = "" if is_end else ids[-1]
        cursor.is_complete = cursor.is_complete or is_end
        return ids

    def _changed(self, kind: str, cursor: PluginCursor, newest: Change) -> set[str]:
        """Return the files that the next changes may concern."""
        files = KINDS[kind].files
        of_rows = (f"{kind}.added", f"{kind}.updated") if files is not None else ()
        events = [*_OF_FILES, *of_rows]
        changes = self._db.all(queries.changes_between, cursor.change_id, newest.id, events, _BATCH)
        last = changes[-1] if len(changes) == _BATCH else newest
        cursor.change_id, cursor.change_at = last.id, last.created_at
        ids = {one.facts["media_file_id"] for one in changes if one.event in _OF_FILES}
        rows = [one.facts[f"{kind}_id"] for one in changes if one.event in of_rows]
        if files is not None and rows:
            ids.update(id for (id,) in self._db.all(files, rows))
        return ids

    # Comparing

    def _compare(self, kind: str, items: dict[str, Item]) -> int:
        """Make new and changed files due, in the open writer; return how many."""
        if not items:
            return 0
        rows: list[Known] = self._db.all(queries.known, self._id, kind, list(items))
        known = {row.media_file_id: row for row in rows}
        new = [item for id, item in sorted(items.items()) if id not in known]
        if new:
            self._insert(kind, new)
        found = len(new)
        for id, row in known.items():
            found += self._compare_one(row, items[id])
        return found

    def _insert(self, kind: str, items: list[Item]) -> None:
        now = self._db.now()
        queries.insert_due.run(
            self._db,
            [
                (id, self._id, item.id, kind, now, AT_ONCE, item.question, item.subject_id, now)
                for id, item in zip(self._db.new_ids(len(items)), items)
            ],
        )

    def _compare_one(self, row: Known, item: Item) -> bool:
        """Make a file due whose question has changed; return whether it was."""
        due_at = row.due_at
        if row.subject_id not in (None, item.subject_id):
            if row.answered_at is not None:
                self._db.run(queries.withdraw, row.id)
            due_at = AT_ONCE
        elif row.question not in (None, item.question):
            due_at = AT_ONCE
        elif row.due_at is None or row.due_at > self._latest():
            due_at = self._due_at(row)
        if (due_at, item.question) == (row.due_at, row.question):
            return False
        self._db.run(queries.ask_again, due_at, item.question, item.subject_id, row.id)
        return True

    def _latest(self) -> datetime:
        """Return the latest that a row may be due; a later one is of a clock that ran ahead."""
        day = timedelta(seconds=_LONGEST_RETRY_S)
        return self._db.now() + max(self._recheck, self._recheck_unknown, day)

    def _due_at(self, row: Known) -> datetime:
        """Return when a file is due that was not present, or of which nothing is stored."""
        if row.answered_at is None or row.failures:
            return AT_ONCE
        return min(row.answered_at, self._db.now()) + self._recheck_after(row.is_unknown)
