"""The nouns of the transcoding room: what is being made, and what has been made."""

from __future__ import annotations

from ..database import drivers  # noqa: F401  (before peewee, see there)
from peewee import BigIntegerField, Check, DoubleField, IntegerField, Model, SQL, TextField

from ..database.fields import ChoiceField, TimestampField
from ..media.models import MediaFile, reference

TRANSCODE_STATUSES = ("pending", "running", "completed", "failed", "cancelled")


class TranscodingModel(Model):
    """Common to all tables of this room."""

    class Meta:
        legacy_table_names = False


class TranscodeSession(TranscodingModel):
    """Transcoding jobs, queued, running and ended."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    media_file = reference(
        MediaFile, null=True, on_delete="SET NULL", index=False,
        help_text="what is transcoded; NULL once the file is purged",
    )
    status = ChoiceField(TRANSCODE_STATUSES, help_text="where the job stands")
    provider = TextField(null=True, help_text="who runs it")
    content_hash = TextField(help_text="SHA-256 of the file's fingerprint and the profile")
    input_path = TextField(null=True, help_text="file that is read")
    output_path = TextField(null=True, help_text="file that is written")
    container = TextField(null=True, help_text="wanted: mp4, webm, hls, ...")
    video_codec = TextField(null=True, help_text="wanted: h264, hevc, av1, ...")
    audio_codec = TextField(null=True, help_text="wanted: aac, opus, ...")
    quality = IntegerField(null=True, help_text="wanted, in the provider's own scale")
    progress = DoubleField(
        default=0.0, constraints=[SQL("DEFAULT 0"), Check('"progress" BETWEEN 0 AND 1')],
        help_text="0 to 1",
    )
    error_message = TextField(null=True, help_text="why it failed")
    created_at = TimestampField(help_text="when it was requested, UTC")
    started_at = TimestampField(null=True, help_text="when a provider took it, UTC")
    completed_at = TimestampField(null=True, help_text="when it ended, UTC")

    class Meta:
        table_name = "transcode_sessions"


TranscodeSession.add_index(
    TranscodeSession.index(TranscodeSession.media_file, name="idx_transcode_media")
)
TranscodeSession.add_index(
    TranscodeSession.index(TranscodeSession.status, name="idx_transcode_status")
)


class TranscodeCache(TranscodingModel):
    """Transcoded content that can be used again."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    media_file_id = TextField(null=True, help_text="media_files.id, perhaps of a removed file")
    content_hash = TextField(unique=True, help_text="as in transcode_sessions")
    container = TextField(null=True, help_text="mp4, webm, hls, ...")
    video_codec = TextField(null=True, help_text="h264, hevc, av1, ...")
    audio_codec = TextField(null=True, help_text="aac, opus, ...")
    quality = IntegerField(null=True, help_text="in the provider's own scale")
    file_size = BigIntegerField(help_text="bytes")
    created_at = TimestampField(help_text="UTC")
    last_accessed = TimestampField(help_text="UTC; the oldest are evicted first")
    access_count = IntegerField(
        default=0, constraints=[SQL("DEFAULT 0")], help_text="how often it was used"
    )

    class Meta:
        table_name = "transcode_cache"


TranscodeCache.add_index(
    TranscodeCache.index(TranscodeCache.content_hash, name="idx_cache_hash")
)

MODELS = (TranscodeSession, TranscodeCache)
