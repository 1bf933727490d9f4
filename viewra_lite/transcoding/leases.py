"""Leases of transcoding sessions: their end, and what a worker is answered that lost its own."""

from __future__ import annotations

import logging
from datetime import datetime

from ..database.transactions.database import Database
from ..errors import ConflictError
from . import cache, queries
from .models import TranscodeSession

_log = logging.getLogger("viewra_lite.transcoding")

MAX_ATTEMPTS = 3
_BATCH = 100  # expired leases per transaction


def end_leases(db: Database, now: datetime) -> None:
    """Return sessions with an expired lease to the queue, or fail them after three attempts."""
    reason = f"the lease expired {MAX_ATTEMPTS} times; last worker: "
    latest = now + cache.LONGEST
    values = (now, latest, _BATCH, MAX_ATTEMPTS, reason)
    # SELECT first: a worker that polls for work writes nothing.
    while db.one(queries.lease_that_is_over, now, latest) is not None:
        with db.writer():
            expired = db.run_returning(queries.end_leases, *values)
            for session in expired:
                if session.status == "failed":
                    record(db, "transcode.failed", session)
        if not expired:
            break  # others are at it
        _log.info("the leases of %d transcodes expired", len(expired))


def record(db: Database, event: str, session: TranscodeSession) -> None:
    """Record an event of a session in the open writer."""
    db.events.record(event, transcode_session_id=session.id, media_file_id=session.media_file_id)


def lost(session: TranscodeSession, attempt: int | None = None) -> ConflictError:
    """Return the error that says why a session cannot be changed."""
    if session.status == "pending":
        why = "waits in the queue, perhaps because its lease expired: call claim_next()"
    elif session.status == "running":
        why = f"is in attempt {session.attempts}, by {session.provider}, not in {attempt}: stop"
    else:
        why = f"is {session.status}, which is final: call request() for another"
    return ConflictError(f"transcode session {session.id} {why}")
