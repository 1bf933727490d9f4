"""The transcoding module's verbs: requests, workers with leases, the cache."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from os import PathLike
from typing import Any

from ..config.options import Config
from ..database.checks import (
    MOST_32_BITS,
    checked_bytes,
    checked_choice,
    checked_id,
    checked_limit,
    checked_moment,
    checked_number,
    checked_path,
    checked_text,
    checked_whole,
    known_id,
    no_such,
    or_none,
)
from ..database.orm.fields import stored_path, timestamp_text
from ..database.orm.statements import Statement
from ..database.transactions.database import Database
from ..errors import ConflictError
from ..media.models import MediaFile
from ..module import Module
from . import cache, cache_queries, queries
from .cache import CacheUsage, EvictResult
from .models import MODELS, TRANSCODE_STATUSES, TranscodeCache, TranscodeSession, filled
from .profile import Provider, TranscodeProfile

__all__ = ["CacheUsage", "EvictResult", "Provider", "TranscodeProfile", "TranscodingModule"]

MAX_ATTEMPTS = 3
LEASE_S = 60.0
MOMENT_S = 0.001  # shorter leases would be over at once
LONGEST_S = cache.LONGEST.total_seconds()
_BATCH = 100  # leases that are ended in a transaction


_SESSION, _ENTRY = "transcode session", "cache entry"


class TranscodingModule(Module):
    """What is being made for people to watch."""

    name = "transcoding"
    requires = ("media",)
    models = MODELS
    migrations = "viewra_lite.transcoding.migrations"

    def attach(self, db: Database, config: Config) -> None:
        """Receive the database, and follow files that turn out to be known ones."""
        super().attach(db, config)
        db.subscribe("file_merged", self._follow_file)

    def recover(self) -> None:
        """Let sessions go back to the queue that another program left running, without a lease."""
        if self.db.one(queries.session_without_lease) is not None:
            self.db.run(queries.end_missing_leases, self.db.now())

    # Requests

    def request(
        self,
        media_file_id: str,
        profile: TranscodeProfile | Mapping[str, Any],
        *,
        priority: int = 0,
    ) -> TranscodeSession | TranscodeCache:
        """Return what was made of a file by this profile, else the one session that makes it.

        An entry of the cache counts only while its file is there. A pending or running session of
        the same content hash is joined, and rises to the higher priority. The hash is of the
        file's fingerprint, or of its id, size and time as long as nobody has looked into it since
        it came or changed. Raises NotFoundError, InvalidValueError.
        """
        wanted = TranscodeProfile.of(profile)
        checked_whole("priority", priority, -MOST_32_BITS)
        file = self._file(media_file_id)
        content_hash = wanted.content_hash(_content(file))
        entry = self._entry(content_hash)
        if entry is not None and cache.exists(entry.output_path):
            return entry
        session = self._active(content_hash)
        if session is not None and session.priority >= priority:
            return session
        with self.db.writer():
            if entry is not None:
                self.db.run(cache_queries.forget_entries, [entry.id])
            return self._made(media_file_id, wanted, content_hash, priority)

    def session(self, id: str) -> TranscodeSession:
        """Return a session; raises NotFoundError."""
        session: TranscodeSession = self._found(_SESSION, queries.session_by_id, id)
        return session

    def sessions(self, *, status: str | None = None, limit: int = 100) -> list[TranscodeSession]:
        """Return sessions, the newest first; all, or pending, running, completed, ..."""
        count = checked_limit(limit)
        if status is None:
            return self.db.all(queries.sessions_newest, count)
        checked_choice("status", status, TRANSCODE_STATUSES)
        return self.db.all(queries.sessions_by_status, status, count)

    def cancel(self, session_id: str) -> TranscodeSession:
        """End a session that is pending or running; whoever joined it loses it too.

        Its worker sees it at its next report. Does nothing to a cancelled one; raises
        ConflictError for one that ended otherwise, and NotFoundError.
        """
        now = self.db.now()
        session = self._changed(queries.cancel, known_id(_SESSION, session_id), now)
        session = session or self.session(session_id)
        if session.status != "cancelled":
            raise _lost(session)
        return session

    # Work

    def claim_next(
        self, provider: Provider | str, *, lease: float = LEASE_S
    ) -> TranscodeSession | None:
        """Hand the next session that a provider can make to it alone, or return None.

        Highest priority first, then oldest. Without report_progress() for lease seconds it goes
        back to the queue, and the third time fails. The worker passes the `attempts` of what it
        got as attempt= from then on. Raises InvalidValueError.
        """
        worker = Provider.of(provider)
        until = self._until("lease", lease)
        now = self.db.now()
        self._end_leases(now)
        limits = worker.limits()
        return self._changed(
            queries.claim(tuple(limits)), worker.name, now, until, *limits.values()
        )

    def report_progress(
        self,
        session_id: str,
        progress: float,
        *,
        attempt: int | None = None,
        lease: float = LEASE_S,
    ) -> TranscodeSession:
        """Note how far a session is, 0 to 1, and renew its lease; return it as it is now.

        Progress never goes back within an attempt. A worker that gets the status "cancelled"
        stops. Raises ConflictError when the session has ended, or is not this worker's any more:
        it went back to the queue, or (told by attempt) to another; and NotFoundError.
        """
        share = checked_number("progress", progress, 0, 1)
        claimed = self._claimed(session_id, attempt)
        until = self._until("lease", lease)
        session = self._changed(queries.report, *claimed, share, until)
        if session is None:
            session = self.session(session_id)
            if session.status != "cancelled":
                raise _lost(session, attempt)
        return session

    def complete(
        self,
        session_id: str,
        *,
        output_path: str | PathLike[str],
        file_size: int,
        attempt: int | None = None,
    ) -> TranscodeSession:
        """End a running session and put what it made into the cache, in one transaction.

        A relative path is made absolute; it may name a folder; file_size is in bytes. Raises
        ConflictError unless it runs (in this attempt), NotFoundError, InvalidValueError.
        """
        claimed = self._claimed(session_id, attempt)
        path, size = _output_path(output_path), checked_bytes("file_size", file_size)
        now = self.db.now()
        with self.db.writer():
            session = self._changed(queries.complete, *claimed, path, now)
            if session is None:
                raise _lost(self.session(session_id), attempt)
            self.db.run(
                cache_queries.save_entry,
                self.db.new_id(),
                session.media_file_id,
                session.content_hash,
                session.container,
                session.video_codec,
                session.audio_codec,
                session.quality,
                size,
                now,
                now,
                path,
            )
        return session

    def fail(
        self, session_id: str, error_message: str, *, attempt: int | None = None
    ) -> TranscodeSession:
        """End a running session that cannot be made; a later request makes another.

        Raises ConflictError unless it runs (in this attempt), NotFoundError, InvalidValueError.
        """
        claimed = self._claimed(session_id, attempt)
        checked_text("error_message", error_message)
        session = self._changed(queries.fail, *claimed, error_message, self.db.now())
        if session is None:
            raise _lost(self.session(session_id), attempt)
        return session

    # Cache

    def cached(self, content_hash: str, *, hold_s: float = 0) -> TranscodeCache | None:
        """Return an entry and count its use, or None; it is not looked whether its file is there.

        evict() leaves it alone for hold_s seconds, or longer where somebody asked for longer.
        """
        checked_id("content_hash", content_hash)
        now = self.db.now()
        until = self._until("hold_s", hold_s, least=0.0)
        rows = self.db.run_returning(
            cache_queries.use_entry,
            content_hash,
            timestamp_text(now),
            now - cache.TOUCHED_EVERY,
            until,
            now,
            now + cache.LONGEST,
        )
        return filled(TranscodeCache, rows[0]) if rows else None

    def pin(self, content_hash: str) -> TranscodeCache:
        """Keep an entry from being evicted until unpin(); raises NotFoundError."""
        return self._pinned(content_hash, True)

    def unpin(self, content_hash: str) -> TranscodeCache:
        """Let an entry be evicted again; raises NotFoundError."""
        return self._pinned(content_hash, False)

    def cache_usage(self) -> CacheUsage:
        """Count the entries and their bytes."""
        return cache.usage(self.db)

    def evict(self, *, max_bytes: int) -> EvictResult:
        """Remove entries from a cache that is over max_bytes, and return the paths to delete.

        Least recently used first, down to 90 % of max_bytes; only what is pinned, in use (see
        cached()) or being made anew stays, and the result says how much that is. Each path goes to
        one caller only, whoever else evicts; files are not touched. First forgets the entries
        whose files are gone, which looks at each of them: call it outside writer().
        """
        limit = checked_bytes("max_bytes", max_bytes)
        cache.forget_vanished(self.db)
        return cache.evict(self.db, limit)

    # Chores

    def tidy(self, now: datetime) -> None:
        """Put sessions whose leases ran out back into the queue, or end them.

        What was requested while the clock ran ahead takes its place in the queue again.
        """
        moment = checked_moment("now", now)
        if self.db.one(queries.session_of_the_future, moment) is not None:
            self.db.run(queries.pull_back_sessions, moment)
        self._end_leases(moment)

    # Inside

    def _made(
        self, media_file_id: str, wanted: TranscodeProfile, content_hash: str, priority: int
    ) -> TranscodeSession | TranscodeCache:
        """Return the active session of a hash, made if there is none, inside a writer."""
        while True:
            entry = self._entry(content_hash)
            if entry is not None:
                return entry  # completed since it was looked for
            file = self._file(media_file_id)
            self.db.run(
                queries.insert_session,
                self.db.new_id(),
                file.id,
                "pending",
                content_hash,
                file.path,
                wanted.container,
                wanted.video_codec,
                wanted.audio_codec,
                wanted.quality,
                wanted.height,
                wanted.wanted(),
                priority,
                self.db.now(),
            )
            self.db.run(queries.raise_priority, priority, content_hash)
            session = self._active(content_hash)
            if session is not None:
                return session  # else it was just cancelled, or failed

    def _entry(self, content_hash: str) -> TranscodeCache | None:
        entry: TranscodeCache | None = self.db.one(cache_queries.entry_by_hash, content_hash)
        return entry

    def _active(self, content_hash: str) -> TranscodeSession | None:
        session: TranscodeSession | None = self.db.one(queries.active_session, content_hash)
        return session

    def _end_leases(self, now: datetime) -> None:
        reason = f"the lease ran out {MAX_ATTEMPTS} times; last worker: "
        latest = now + cache.LONGEST
        values = (timestamp_text(now), latest, _BATCH, MAX_ATTEMPTS, reason)
        # Looking first: a worker that waits for work writes nothing.
        while self.db.one(queries.lease_that_is_over, now, latest) is not None:
            if not self.db.run(queries.end_leases, *values):
                break  # others are at it

    def _changed(self, statement: Statement, *arguments: Any) -> TranscodeSession | None:
        rows = self.db.run_returning(statement, *arguments)
        return filled(TranscodeSession, rows[0]) if rows else None

    def _pinned(self, content_hash: str, pinned: bool) -> TranscodeCache:
        rows = self.db.run_returning(
            cache_queries.pin_entry, pinned, known_id(_ENTRY, content_hash)
        )
        if not rows:
            raise no_such(_ENTRY, content_hash)
        entry: TranscodeCache = filled(TranscodeCache, rows[0])
        return entry

    def _follow_file(self, gone_id: str, kept_id: str) -> None:
        """Point at the known file that a new one turned out to be, inside the media's writer."""
        for statement in (queries.move_sessions, queries.move_entries):
            self.db.run(statement, kept_id, gone_id)

    def _file(self, id: str) -> MediaFile:
        file: MediaFile = self._found("media file", queries.file_by_id, id)
        return file

    def _found(self, noun: str, by_id: Statement, id: str) -> Any:
        row = self.db.one(by_id, known_id(noun, id))
        if row is None:
            raise no_such(noun, id)
        return row

    def _claimed(self, session_id: str, attempt: int | None) -> tuple[str, int | None]:
        """Return what a worker says that it holds, checked."""
        or_none(checked_whole, "attempt", attempt)
        return known_id(_SESSION, session_id), attempt

    def _until(self, name: str, seconds: float, *, least: float = MOMENT_S) -> str:
        """Return the time in so many seconds, as text."""
        checked = checked_number(name, seconds, least, LONGEST_S)
        return timestamp_text(self.db.now() + timedelta(seconds=checked))


def _content(file: MediaFile) -> str:
    """Return what tells a file's content; a pending file may still have that of what it was."""
    if file.fingerprint and file.probe_state != "pending":
        return str(file.fingerprint)
    return f"{file.id}:{file.size}:{file.modified_ns}"


def _lost(session: TranscodeSession, attempt: int | None = None) -> ConflictError:
    """Return the error that says why a session cannot be changed."""
    if session.status == "pending":
        why = "waits in the queue, perhaps because its lease ran out: claim_next() hands it out"
    elif session.status == "running":
        why = f"is in attempt {session.attempts}, by {session.provider}, and not in {attempt}: stop"
    else:
        why = f"is {session.status}, which is final: request() makes another"
    return ConflictError(f"transcode session {session.id} {why}")


def _output_path(path: Any) -> str:
    absolute = os.path.abspath(checked_path("output_path", path))
    stored_path(absolute)  # refuses what no path is
    return absolute
