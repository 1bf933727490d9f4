"""The nouns of the transcoding room: what is being made, and what has been made."""

from __future__ import annotations

from peewee import BigIntegerField, Check, DoubleField, IntegerField, Model, SQL, TextField

from ..database.fields import ChoiceField, TimestampField
from ..media.models import MediaFile, reference

TRANSCODE_STATUSES = ("pending", "running", "completed", "failed", "cancelled")


class TranscodingModel(Model):  # type: ignore[misc]
    """Common to all tables of this room."""

    class Meta:
        legacy_table_names = False


class TranscodeSession(TranscodingModel):
    """Transcoding jobs, queued, running and ended."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    media_file = reference(MediaFile, null=True, on_delete="SET NULL", index=False)
    status = ChoiceField(TRANSCODE_STATUSES)
    provider = TextField(null=True, help_text="who runs it")
    content_hash = TextField(help_text="SHA-256 of the file's fingerprint and the profile")
    input_path = TextField(null=True)
    output_path = TextField(null=True)
    container = TextField(null=True)
    video_codec = TextField(null=True)
    audio_codec = TextField(null=True)
    quality = IntegerField(null=True)
    progress = DoubleField(
        default=0.0, constraints=[SQL("DEFAULT 0"), Check('"progress" BETWEEN 0 AND 1')], help_text="0 to 1"
    )
    error_message = TextField(null=True)
    created_at = TimestampField()
    started_at = TimestampField(null=True)
    completed_at = TimestampField(null=True)

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
    content_hash = TextField(unique=True)
    container = TextField(null=True)
    video_codec = TextField(null=True)
    audio_codec = TextField(null=True)
    quality = IntegerField(null=True)
    file_size = BigIntegerField(help_text="bytes")
    created_at = TimestampField()
    last_accessed = TimestampField()
    access_count = IntegerField(default=0, constraints=[SQL("DEFAULT 0")])

    class Meta:
        table_name = "transcode_cache"


TranscodeCache.add_index(
    TranscodeCache.index(TranscodeCache.content_hash, name="idx_cache_hash")
)

MODELS = (TranscodeSession, TranscodeCache)
