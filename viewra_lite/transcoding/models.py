"""The tables of the transcoding module: sessions, and the cache of their output."""

from __future__ import annotations

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import BigIntegerField, BooleanField, Check, DoubleField, IntegerField, SQL, TextField

from ..database.orm.fields import ChoiceField, JSONField, PathField, TimestampField
from ..database.orm.models import StoreModel, index, reference
from ..media.models import MediaFile

ACTIVE_STATUSES = ("pending", "running")
TRANSCODE_STATUSES = (*ACTIVE_STATUSES, "completed", "failed", "cancelled")


def _zero(help_text: str) -> IntegerField:
    return IntegerField(default=0, constraints=[SQL("DEFAULT 0")], help_text=help_text)


class TranscodeSession(StoreModel):
    """Transcoding jobs, queued, running and ended."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    media_file = reference(
        MediaFile,
        null=True,
        on_delete="SET NULL",
        index=False,
        help_text="the source; NULL once the file is purged",
    )
    status = ChoiceField(TRANSCODE_STATUSES, help_text="state of the job")
    provider = TextField(null=True, help_text="the worker that runs it, or ran it last")
    content_hash = TextField(help_text="SHA-256 of the file's fingerprint and the profile")
    input_path = PathField(null=True, help_text="file to read")
    output_path = PathField(null=True, help_text="file or folder written")
    container = TextField(null=True, help_text="requested: mp4, webm, hls, ...")
    video_codec = TextField(null=True, help_text="requested: h264, hevc, av1, ...")
    audio_codec = TextField(null=True, help_text="requested: aac, opus, ...")
    quality = IntegerField(null=True, help_text="requested, in the provider's own scale")
    progress = DoubleField(
        default=0.0,
        constraints=[SQL("DEFAULT 0"), Check('"progress" BETWEEN 0 AND 1')],
        help_text="0 to 1, in this attempt",
    )
    error_message = TextField(null=True, help_text="why it failed")
    created_at = TimestampField(help_text="when it was requested, UTC")
    started_at = TimestampField(null=True, help_text="when it was last claimed, UTC")
    completed_at = TimestampField(null=True, help_text="when it ended, UTC")
    height = IntegerField(null=True, help_text="requested: at most, pixels")
    profile = JSONField(null=True, help_text="the whole request; see TranscodeProfile.of()")
    priority = _zero("higher is sooner")
    attempts = _zero("times it was claimed")
    lease_until = TimestampField(
        null=True, help_text="while running: returns to the queue unless renewed by then, UTC"
    )

    media_file_id: str | None

    class Meta:
        table_name = "transcode_sessions"


index(TranscodeSession, "idx_transcode_media", TranscodeSession.media_file)
index(TranscodeSession, "idx_transcode_status", TranscodeSession.status)
# Makes a hundred requests for the same content one session.
TranscodeSession.add_index(
    TranscodeSession.index(
        TranscodeSession.content_hash,
        name="idx_transcode_active",
        unique=True,
        where=TranscodeSession.status.in_(ACTIVE_STATUSES),
    )
)
# Starts with the status, though it is the same in every row: else SQLite chooses the index of the
# status alone, and sorts the whole queue for each claim.
index(
    TranscodeSession,
    "idx_transcode_queue",
    TranscodeSession.status,
    TranscodeSession.priority.desc(),
    TranscodeSession.created_at,
    TranscodeSession.id,
    where=TranscodeSession.status == "pending",
)
index(
    TranscodeSession,
    "idx_transcode_leases",
    TranscodeSession.status,
    TranscodeSession.lease_until,
    where=TranscodeSession.status == "running",
)
index(TranscodeSession, "idx_transcode_recent", TranscodeSession.created_at, TranscodeSession.id)


class TranscodeCache(StoreModel):
    """Finished output that later requests reuse."""

    id = TextField(primary_key=True, help_text="UUIDv7, a new one each time it is made")
    media_file_id = TextField(null=True, help_text="media_files.id, possibly of a removed file")
    content_hash = TextField(unique=True, help_text="as in transcode_sessions")
    container = TextField(null=True, help_text="mp4, webm, hls, ...")
    video_codec = TextField(null=True, help_text="h264, hevc, av1, ...")
    audio_codec = TextField(null=True, help_text="aac, opus, ...")
    quality = IntegerField(null=True, help_text="in the provider's own scale")
    file_size = BigIntegerField(help_text="bytes")
    created_at = TimestampField(help_text="UTC")
    last_accessed = TimestampField(help_text="UTC, to the minute; the oldest are evicted first")
    access_count = _zero("number of hits")
    output_path = PathField(null=True, help_text="absolute path; NULL if unknown")
    in_use_until = TimestampField(null=True, help_text="not evicted before then, UTC")
    pinned = BooleanField(
        default=False, constraints=[SQL("DEFAULT FALSE")], help_text="never evicted"
    )

    class Meta:
        table_name = "transcode_cache"


index(TranscodeCache, "idx_cache_hash", TranscodeCache.content_hash)
index(TranscodeCache, "idx_cache_media", TranscodeCache.media_file_id)
index(TranscodeCache, "idx_cache_used", TranscodeCache.last_accessed, TranscodeCache.id)
index(TranscodeCache, "idx_cache_size", TranscodeCache.file_size, TranscodeCache.pinned)

MODELS = (TranscodeSession, TranscodeCache)
