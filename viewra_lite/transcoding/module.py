"""The transcoding room's verbs: requests, workers with leases, the cache."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from os import PathLike
from typing import Any

from ..config import Config
from ..database.fields import checked_value, timestamp_text
from ..database.pages import checked_limit
from ..database.sessions import Sessions
from ..database.statements import Statement
from ..errors import ConflictError, InvalidValueError, NotFoundError
from ..media.models import MediaFile
from ..module import Module
from . import cache, queries
from .cache import CacheUsage
from .models import MODELS, TRANSCODE_STATUSES, TranscodeCache, TranscodeSession, filled
from .profile import Provider, TranscodeProfile

__all__ = ["CacheUsage", "Provider", "TranscodeProfile", "TranscodingModule"]

MAX_ATTEMPTS = 3
LEASE_S = 60.0
MOMENT_S = 0.001  # shorter leases would be over at once
LONGEST_S = 30 * 86400.0  # of a lease, and of being in use
_BATCH = 100  # leases that are ended in a transaction


class TranscodingModule(Module):
    """What is being made for people to watch."""

    name = "transcoding"
    requires = ("media",)
    models = MODELS
    migrations = "viewra_lite.transcoding.migrations"

    def seat(self, sessions: Sessions, config: Config) -> None:
        """Receive the sessions, and listen for files that turn out to be known ones."""
        super().seat(sessions, config)
        del self.sessions  # a verb here, which the attribute would hide
        self._store = sessions
        sessions.listen("file_absorbed", self._follow_file)

    def recover(self) -> None:
        """Let sessions go back to the queue that another program left running, without a lease."""
        if self._store.one(queries.session_without_lease) is not None:
            self._store.run(queries.end_missing_leases, self._store.now())

    # Requests

    def request(
        self, media_file_id: str, profile: TranscodeProfile | Mapping[str, Any], *,
        priority: int = 0,
    ) -> TranscodeSession | TranscodeCache:
        """Return what was made of a file by this profile, else the one session that makes it.

        An entry of the cache counts only while its file is there. A pending or running session of
        the same content hash is joined, and rises to the higher priority. The hash is of the
        file's fingerprint, or of its id, size and time as long as nobody has looked into it since
        it came or changed. Raises NotFoundError, InvalidValueError.
        """
        wanted = TranscodeProfile.of(profile)
        checked_value(TranscodeSession.priority, priority)
        file = self._file(media_file_id)
        content_hash = wanted.content_hash(_content(file))
        entry = self._entry(content_hash)
        if entry is not None and cache.is_there(entry.output_path):
            return entry
        session = self._active(content_hash)
        if session is not None and session.priority >= priority:
            return session
        with self._store.writer():
            if entry is not None:
                self._store.run(queries.forget_entries, [entry.id])
            return self._made(media_file_id, wanted, content_hash, priority)

    def session(self, id: str) -> TranscodeSession:
        """Return a session; raises NotFoundError."""
        session: TranscodeSession = self._found("transcode session", queries.session_by_id, id)
        return session

    def sessions(  # type: ignore[override]
        self, *, status: str | None = None, limit: int = 100
    ) -> list[TranscodeSession]:
        """Return sessions, the newest first; all, or pending, running, completed, ..."""
        count = checked_limit(limit)
        if status is None:
            return self._store.all(queries.sessions_newest, count)
        if status not in TRANSCODE_STATUSES:
            raise InvalidValueError(
                f"status cannot be {status!r}: one of {', '.join(TRANSCODE_STATUSES)}"
            )
        return self._store.all(queries.sessions_by_status, status, count)

    def cancel(self, session_id: str) -> TranscodeSession:
        """End a session that is pending or running; whoever joined it loses it too.

        Its worker sees it at its next report. Does nothing to a cancelled one; raises
        ConflictError for one that ended otherwise, and NotFoundError.
        """
        now = self._store.now()
        session = self._changed(queries.cancel, _known_id("transcode session", session_id), now)
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
        now = self._store.now()
        self._end_leases(now)
        limits = worker.limits()
        return self._changed(
            queries.claim(tuple(limits)), worker.name, now, until, *limits.values()
        )

    def report_progress(
        self, session_id: str, progress: float, *, attempt: int | None = None,
        lease: float = LEASE_S,
    ) -> TranscodeSession:
        """Note how far a session is, 0 to 1, and renew its lease; return it as it is now.

        Progress never goes back within an attempt. A worker that gets the status "cancelled"
        stops. Raises ConflictError when the session has ended, or is not this worker's any more:
        it went back to the queue, or (told by attempt) to another; and NotFoundError.
        """
        checked_value(TranscodeSession.progress, progress)
        if not 0 <= progress <= 1:
            raise InvalidValueError(f"progress cannot be {progress!r}: 0 to 1")
        claimed = self._claimed(session_id, attempt)
        until = self._until("lease", lease)
        session = self._changed(queries.report, *claimed, float(progress), until)
        if session is None:
            session = self.session(session_id)
            if session.status != "cancelled":
                raise _lost(session, attempt)
        return session

    def complete(
        self, session_id: str, *, output_path: str | PathLike[str], file_size: int,
        attempt: int | None = None,
    ) -> TranscodeSession:
        """End a running session and put what it made into the cache, in one transaction.

        A relative path is made absolute; it may name a folder; file_size is in bytes. Raises
        ConflictError unless it runs (in this attempt), NotFoundError, InvalidValueError.
        """
        claimed = self._claimed(session_id, attempt)
        path, size = _output_path(output_path), _bytes("file_size", file_size)
        now = self._store.now()
        with self._store.writer():
            session = self._changed(queries.complete, *claimed, path, now)
            if session is None:
                raise _lost(self.session(session_id), attempt)
            self._store.run(
                queries.save_entry, self._store.new_id(), session.media_file_id,
                session.content_hash, session.container, session.video_codec,
                session.audio_codec, session.quality, size, now, now, path,
            )
        return session

    def fail(
        self, session_id: str, error_message: str, *, attempt: int | None = None
    ) -> TranscodeSession:
        """End a running session that cannot be made; a later request makes another.

        Raises ConflictError unless it runs (in this attempt), NotFoundError, InvalidValueError.
        """
        claimed = self._claimed(session_id, attempt)
        if not isinstance(error_message, str):
            raise InvalidValueError(f"error_message cannot be {error_message!r}: text")
        checked_value(TranscodeSession.error_message, error_message)
        session = self._changed(queries.fail, *claimed, error_message, self._store.now())
        if session is None:
            raise _lost(self.session(session_id), attempt)
        return session

    # Cache

    def cached(self, content_hash: str, *, hold_s: float = 0) -> TranscodeCache | None:
        """Return an entry and count its use, or None; it is not looked whether its file is there.

        evict() leaves it alone for hold_s seconds, or longer where somebody asked for longer.
        """
        _hash(content_hash)
        now = self._store.now()
        until = self._until("hold_s", hold_s, least=0.0)
        rows = self._store.run_returning(
            queries.use_entry, content_hash, timestamp_text(now), now - cache.TOUCHED_EVERY, until
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
        return cache.usage(self._store)

    def evict(self, *, max_bytes: int) -> list[str]:
        """Remove entries from a cache that is over max_bytes, and return the paths to delete.

        Least recently used first, down to 90 % of max_bytes; never what is in use, pinned, being
        made anew or younger than an hour. Each path goes to one caller only, whoever else evicts;
        files are not touched. First forgets the entries whose files are gone, which looks at each
        of them: call it outside writer().
        """
        limit = _bytes("max_bytes", max_bytes)
        cache.forget_vanished(self._store)
        return cache.evict(self._store, limit)

    # Chores

    def tidy(self, now: datetime) -> None:
        """Put sessions whose leases ran out back into the queue, or end them."""
        checked_value(TranscodeSession.lease_until, now)
        self._end_leases(now)

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
            self._store.run(
                queries.insert_session, self._store.new_id(), file.id, "pending", content_hash,
                file.path, wanted.container, wanted.video_codec, wanted.audio_codec,
                wanted.quality, wanted.height, wanted.wanted(), priority, self._store.now(),
            )
            self._store.run(queries.raise_priority, priority, content_hash)
            session = self._active(content_hash)
            if session is not None:
                return session  # else it was just cancelled, or failed

    def _entry(self, content_hash: str) -> TranscodeCache | None:
        entry: TranscodeCache | None = self._store.one(queries.entry_by_hash, content_hash)
        return entry

    def _active(self, content_hash: str) -> TranscodeSession | None:
        session: TranscodeSession | None = self._store.one(queries.active_session, content_hash)
        return session

    def _end_leases(self, now: datetime) -> None:
        reason = f"the lease ran out {MAX_ATTEMPTS} times; last worker: "
        values = (timestamp_text(now), _BATCH, MAX_ATTEMPTS, reason)
        # Looking first: a worker that waits for work writes nothing.
        while self._store.one(queries.lease_that_is_over, now) is not None:
            if not self._store.run(queries.end_leases, *values):
                break  # others are at it

    def _changed(self, statement: Statement, *arguments: Any) -> TranscodeSession | None:
        rows = self._store.run_returning(statement, *arguments)
        return filled(TranscodeSession, rows[0]) if rows else None

    def _pinned(self, content_hash: str, pinned: bool) -> TranscodeCache:
        rows = self._store.run_returning(queries.pin_entry, pinned, _hash(content_hash))
        if not rows:
            raise NotFoundError(f"there is nothing in the cache for {content_hash}")
        entry: TranscodeCache = filled(TranscodeCache, rows[0])
        return entry

    def _follow_file(self, gone_id: str, kept_id: str) -> None:
        """Point at the known file that a new one turned out to be, inside the media's writer."""
        for statement in (queries.move_sessions, queries.move_entries):
            self._store.run(statement, kept_id, gone_id)

    def _file(self, id: str) -> MediaFile:
        file: MediaFile = self._found("media file", queries.file_by_id, id)
        return file

    def _found(self, noun: str, by_id: Statement, id: str) -> Any:
        row = self._store.one(by_id, _known_id(noun, id))
        if row is None:
            raise NotFoundError(f"there is no {noun} {id}")
        return row

    def _claimed(self, session_id: str, attempt: int | None) -> tuple[str, int | None]:
        """Return what a worker says that it holds, checked."""
        if attempt is not None:
            checked_value(TranscodeSession.attempts, attempt)
        return _known_id("transcode session", session_id), attempt

    def _until(self, name: str, seconds: float, *, least: float = MOMENT_S) -> str:
        """Return the time in so many seconds, as text."""
        if type(seconds) not in (int, float) or not least <= seconds <= LONGEST_S:
            raise InvalidValueError(
                f"{name} cannot be {seconds!r}: seconds, {least:g} to {LONGEST_S:.0f}"
            )
        return timestamp_text(self._store.now() + timedelta(seconds=seconds))


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
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        raise InvalidValueError(f"output_path cannot be {path!r}: a path")
    if not os.fspath(path):
        raise InvalidValueError("output_path cannot be empty")
    absolute = os.path.abspath(path)
    checked_value(TranscodeCache.output_path, absolute)
    return absolute


def _bytes(name: str, value: int) -> int:
    try:
        checked_value(TranscodeCache.file_size, value)
        if value >= 0:
            return value
    except InvalidValueError:
        pass
    raise InvalidValueError(f"{name} cannot be {value!r}: bytes, a whole number from 0")


def _hash(value: str) -> str:
    try:
        return str(checked_value(TranscodeCache.content_hash, value))
    except InvalidValueError as exc:
        raise InvalidValueError(f"a content hash cannot be {value!r}") from exc


def _known_id(noun: str, id: Any) -> str:
    """Return an id; raises NotFoundError for what cannot be one."""
    try:
        return str(checked_value(TranscodeSession.id, id))
    except InvalidValueError as exc:
        raise NotFoundError(f"there is no {noun} {id!r}") from exc
