"""The verbs of transcoding: requests, workers with leases, the cache."""

from __future__ import annotations

import logging
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
    checked_text,
    checked_whole,
    known_id,
    no_such,
    or_none,
)
from ..database.orm.statements import Statement
from ..database.pages import readable
from ..database.transactions.database import Database
from ..media.models import MediaFile
from ..module import Module
from . import cache, cache_queries, cleaning, queries
from .cache import CacheUsage, EvictResult
from .leases import end_leases, lost, record
from .models import MODELS, TRANSCODE_STATUSES, TranscodeCache, TranscodeSession
from .profile import Provider, TranscodeProfile

__all__ = ["CacheUsage", "EvictResult", "Provider", "TranscodeProfile", "TranscodingModule"]

_log = logging.getLogger("viewra_lite.transcoding")
LEASE_S = 60.0
SHORTEST_S = 0.001  # a shorter lease would expire at once
LONGEST_S = cache.LONGEST.total_seconds()

_SESSION, _ENTRY = "transcode session", "cache entry"


class TranscodingModule(Module):
    """Transcode sessions, the workers that run them, and the cache of their output.

    Times given as numbers are seconds, at most 30 days. Any verb may raise StoreBusyError,
    StoreClosedError, StoreUnavailableError or CorruptStoreError, and one that writes raises
    StoreFullError if the disk is full, and TransactionError inside reader().
    """

    name = "transcoding"
    requires = ("media",)
    models = MODELS
    migrations = "viewra_lite.transcoding.migrations"
    timed = ("request", "claim_next", "report_progress", "complete", "cached")

    def attach(self, db: Database, config: Config) -> None:
        """Receive the database, and subscribe to merged files."""
        super().attach(db, config)
        db.subscribe("file_merged", self._follow_file)

    def recover(self) -> None:
        """Expire running sessions without a lease, which another program wrote."""
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
        """Return the cache entry of a file and profile, else the one session that makes it.

        A cache entry counts only while its file exists. A pending or running session with the
        same content hash is joined, and raised to the higher priority. The hash covers the file's
        fingerprint, or its id, size and modification time until it has been probed. Raises
        NotFoundError for an unknown file, InvalidValueError for the profile or the priority.

            made = store.transcoding.request(file.id, {"container": "mp4", "height": 720})
            ready = isinstance(made, TranscodeCache)  # made.output_path, else wait for made.id
        """
        requested = TranscodeProfile.of(profile)
        checked_whole("priority", priority, -MOST_32_BITS)
        file = self._file(media_file_id)
        content_hash = requested.content_hash(_content(file))
        entry = self._entry(content_hash)
        if entry is not None and cache.exists(entry.output_path):
            return entry
        session = self._active(content_hash)
        if session is not None and session.priority >= priority:
            return session
        with self.db.writer():
            if entry is not None:
                self.db.run(cache_queries.forget_entries, [entry.id])
            return self._made(media_file_id, requested, content_hash, priority)

    def session(self, id: str) -> TranscodeSession:
        """Return a session. Raises NotFoundError."""
        session: TranscodeSession = self._found(_SESSION, queries.session_by_id, id)
        return session

    def sessions(self, *, status: str | None = None, limit: int = 100) -> list[TranscodeSession]:
        """Return at most limit (1 to 1000) sessions, newest first, of one status or of all.

        Of pending, running, completed, failed and cancelled. Raises InvalidValueError.
        """
        count = checked_limit(limit)
        if status is None:
            return readable(self.db, queries.sessions_newest, count)
        checked_choice("status", status, TRANSCODE_STATUSES)
        return readable(self.db, queries.sessions_by_status, status, count)

    def cancel(self, session_id: str) -> TranscodeSession:
        """Cancel a pending or running session, for every request that joined it.

        Its worker learns of it from its next report. Does nothing to a cancelled session. Raises
        ConflictError for a completed or failed one, NotFoundError.
        """
        now = self.db.now()
        session = self._changed(queries.cancel, known_id(_SESSION, session_id), now)
        session = session or self.session(session_id)
        if session.status != "cancelled":
            raise lost(session)
        return session

    # Work

    def claim_next(
        self, provider: Provider | str, *, lease: float = LEASE_S
    ) -> TranscodeSession | None:
        """Lease the next session that a provider can make to it, or return None.

        Highest priority first, then oldest. A session without report_progress() for lease seconds
        returns to the queue, and fails the third time. Pass its `attempts` as attempt= in the
        later calls, so that a worker whose lease expired cannot end the next worker's attempt.
        Raises InvalidValueError.

            session = store.transcoding.claim_next(Provider("ffmpeg-1", video_codecs=["h264"]))
            if session is not None:
                store.transcoding.report_progress(session.id, 0.5, attempt=session.attempts)
        """
        worker = Provider.of(provider)
        until = self._until("lease", lease)
        now = self.db.now()
        end_leases(self.db, now)
        limits = worker.limits()
        return self._changed(
            queries.claim(tuple(limits)), provider=worker.name, now=now, lease_until=until, **limits
        )

    def report_progress(
        self,
        session_id: str,
        progress: float,
        *,
        attempt: int | None = None,
        lease: float = LEASE_S,
    ) -> TranscodeSession:
        """Record the progress of a running session, 0 to 1, renew its lease, and return it.

        Progress never decreases within an attempt. The worker stops when the returned status is
        "cancelled". Raises ConflictError when the session has ended, waits in the queue again, or
        is in another attempt than this one; NotFoundError, InvalidValueError.
        """
        share = checked_number("progress", progress, 0, 1)
        claimed = self._claimed(session_id, attempt)
        until = self._until("lease", lease)
        session = self._changed(queries.report, *claimed, share, until)
        if session is None:
            session = self.session(session_id)
            if session.status != "cancelled":
                raise lost(session, attempt)
        return session

    def complete(
        self,
        session_id: str,
        *,
        output_path: str | PathLike[str],
        file_size: int,
        attempt: int | None = None,
    ) -> TranscodeSession:
        """Complete a running session and put its output into the cache, in one transaction.

        output_path is a file or a folder, made absolute; file_size is in bytes. Raises
        ConflictError unless the session runs (in this attempt), NotFoundError, InvalidValueError.
        """
        claimed = self._claimed(session_id, attempt)
        path, size = cache.checked_output(output_path), checked_bytes("file_size", file_size)
        now = self.db.now()
        with self.db.writer():
            session = self._changed(queries.complete, *claimed, path, now)
            if session is None:
                raise lost(self.session(session_id), attempt)
            self.db.run(
                cache_queries.save_entry,
                id=self.db.new_id(),
                media_file_id=session.media_file_id,
                content_hash=session.content_hash,
                container=session.container,
                video_codec=session.video_codec,
                audio_codec=session.audio_codec,
                quality=session.quality,
                file_size=size,
                created_at=now,
                last_accessed=now,
                output_path=path,
            )
            record(self.db, "transcode.completed", session)
        return session

    def fail(
        self, session_id: str, error_message: str, *, attempt: int | None = None
    ) -> TranscodeSession:
        """Fail a running session; the next request for the same content makes another.

        Raises ConflictError unless the session runs (in this attempt), NotFoundError,
        InvalidValueError.
        """
        claimed = self._claimed(session_id, attempt)
        checked_text("error_message", error_message)
        with self.db.writer():
            session = self._changed(queries.fail, *claimed, error_message, self.db.now())
            if session is None:
                raise lost(self.session(session_id), attempt)
            record(self.db, "transcode.failed", session)
        return session

    # Cache

    def cached(self, content_hash: str, *, hold_s: float = 0) -> TranscodeCache | None:
        """Return the cache entry of a content hash and record a hit, or None.

        Does not check that the file still exists. evict() spares the entry for hold_s seconds,
        or until the end of an earlier, longer hold. Raises InvalidValueError.
        """
        checked_id("content_hash", content_hash)
        now = self.db.now()
        until = self._until("hold_s", hold_s, least=0.0)
        rows = self.db.run_returning(
            cache_queries.use_entry,
            content_hash,
            now,
            now - cache.ACCESS_RESOLUTION,
            until,
            now + cache.LONGEST,
        )
        return rows[0] if rows else None

    def pin(self, content_hash: str) -> TranscodeCache:
        """Protect a cache entry from evict() until unpin(). Raises NotFoundError."""
        return self._pinned(content_hash, True)

    def unpin(self, content_hash: str) -> TranscodeCache:
        """Let evict() remove a cache entry again. Raises NotFoundError."""
        return self._pinned(content_hash, False)

    def cache_usage(self) -> CacheUsage:
        """Count the cache entries and their bytes."""
        return cache.usage(self.db)

    def evict(self, *, max_bytes: int) -> EvictResult:
        """Remove entries from a cache that is over max_bytes, and return the paths to delete.

        Least recently used first, down to 90 % of max_bytes. Entries that are pinned, in use (see
        cached()) or being made again stay, and the result says how much they hold. Files are not
        touched, and concurrent callers never get the same path. First forgets the entries whose
        files are gone, which stats every file: call it outside writer(). Raises
        InvalidValueError.
        """
        limit = checked_bytes("max_bytes", max_bytes)
        cache.forget_vanished(self.db)
        return cache.evict(self.db, limit)

    # Chores

    def tidy(self, now: datetime) -> None:
        """Return sessions with an expired lease to the queue, or fail them after three attempts.

        A request dated in the future, by a clock that ran ahead, is dated now: else it waits for
        years. Keeps the cache below transcode_cache_max_mib. Raises InvalidValueError.
        """
        moment = checked_moment("now", now)
        if self.db.one(queries.session_of_the_future, moment) is not None:
            self.db.run(queries.pull_back_sessions, moment)
        end_leases(self.db, moment)
        cleaning.keep_below(self.db, self.config.transcode_cache_max_mib)

    # Inside

    def _made(
        self, media_file_id: str, requested: TranscodeProfile, content_hash: str, priority: int
    ) -> TranscodeSession | TranscodeCache:
        """Return the active session of a hash, inserting one if needed. Call inside a writer."""
        while True:
            entry = self._entry(content_hash)
            if entry is not None:
                return entry  # completed since the first lookup
            file = self._file(media_file_id)
            self.db.run(
                queries.insert_session,
                id=self.db.new_id(),
                media_file=file.id,
                content_hash=content_hash,
                input_path=file.path,
                container=requested.container,
                video_codec=requested.video_codec,
                audio_codec=requested.audio_codec,
                quality=requested.quality,
                height=requested.height,
                profile=requested.as_json(),
                priority=priority,
                created_at=self.db.now(),
            )
            self.db.run(queries.raise_priority, priority, content_hash)
            session = self._active(content_hash)
            if session is not None:
                return session  # else it was cancelled or failed in between

    def _entry(self, content_hash: str) -> TranscodeCache | None:
        entry: TranscodeCache | None = self.db.one(cache_queries.entry_by_hash, content_hash)
        return entry

    def _active(self, content_hash: str) -> TranscodeSession | None:
        session: TranscodeSession | None = self.db.one(queries.active_session, content_hash)
        return session

    def _changed(
        self, statement: Statement, *arguments: object, **named: object
    ) -> TranscodeSession | None:
        rows = self.db.run_returning(statement, *arguments, **named)
        return rows[0] if rows else None

    def _pinned(self, content_hash: str, pinned: bool) -> TranscodeCache:
        rows = self.db.run_returning(
            cache_queries.pin_entry, pinned, known_id(_ENTRY, content_hash)
        )
        if not rows:
            raise no_such(_ENTRY, content_hash)
        entry: TranscodeCache = rows[0]
        return entry

    def _follow_file(self, gone_id: str, kept_id: str) -> None:
        """Point sessions and entries at the file that was kept, inside media's writer."""
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
        """Return the session id and the attempt that a worker names, checked."""
        or_none(checked_whole, "attempt", attempt)
        return known_id(_SESSION, session_id), attempt

    def _until(self, name: str, seconds: float, *, least: float = SHORTEST_S) -> datetime:
        """Return the time that many seconds from now."""
        checked = checked_number(name, seconds, least, LONGEST_S)
        return self.db.now() + timedelta(seconds=checked)


def _content(file: MediaFile) -> str:
    """Identify a file's content; the fingerprint of a pending file may be the previous one."""
    if file.fingerprint and file.probe_state != "pending":
        return str(file.fingerprint)
    return f"{file.id}:{file.size}:{file.modified_ns}"
