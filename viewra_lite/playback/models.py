"""The nouns of the playback room: what people watch and where they were."""

from __future__ import annotations

from ..database import drivers  # noqa: F401  (before peewee, see there)
from peewee import BooleanField, CompositeKey, DoubleField, IntegerField, Model, SQL, TextField

from ..database.fields import ChoiceField, TimestampField
from ..media.models import MediaFile, reference

METHODS = ("direct", "transcode", "remux")
SESSION_STATES = ("starting", "playing", "paused", "stopped", "completed", "expired", "failed")


class PlaybackModel(Model):
    """Common to all tables of this room."""

    class Meta:
        legacy_table_names = False


class PlaybackSession(PlaybackModel):
    """Active and historical playback sessions."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    media_file = reference(
        MediaFile, null=True, on_delete="SET NULL",
        help_text="what is watched; NULL once the file is purged",
    )
    user_id = TextField(help_text="who watches; the host program's id")
    device_id = TextField(null=True, help_text="where; the host program's id")
    method = ChoiceField(METHODS, help_text="direct, transcode or remux")
    state = ChoiceField(SESSION_STATES, help_text="where the session stands")
    position = DoubleField(default=0.0, constraints=[SQL("DEFAULT 0")], help_text="seconds")
    duration = DoubleField(null=True, help_text="seconds")
    start_time = TimestampField(help_text="UTC")
    last_activity = TimestampField(help_text="last heartbeat, UTC")
    end_time = TimestampField(null=True, help_text="UTC; NULL while it is open")

    class Meta:
        table_name = "playback_sessions"


PlaybackSession.add_index(
    PlaybackSession.index(
        PlaybackSession.user_id, PlaybackSession.start_time.desc(), name="idx_sessions_user_time"
    )
)
PlaybackSession.add_index(
    PlaybackSession.index(
        PlaybackSession.state, name="idx_sessions_active",
        where=PlaybackSession.state.in_(["playing", "paused"]),
    )
)


class UserMediaProgress(PlaybackModel):
    """How far each user is in each file; outlives the file, so the file is no foreign key."""

    user_id = TextField(help_text="the host program's id")
    media_file_id = TextField(help_text="media_files.id, or the id of a file that was removed")
    position = DoubleField(default=0.0, constraints=[SQL("DEFAULT 0")], help_text="seconds")
    completed = BooleanField(
        default=False, constraints=[SQL("DEFAULT FALSE")], help_text="watched to the end"
    )
    updated_at = TimestampField(help_text="when the position was reported, UTC")

    class Meta:
        table_name = "user_media_progress"
        primary_key = CompositeKey("user_id", "media_file_id")


UserMediaProgress.add_index(
    UserMediaProgress.index(UserMediaProgress.media_file_id, name="idx_progress_media_file")
)


class PlaybackHistory(PlaybackModel):
    """Historical playback records; they outlive the file."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    user_id = TextField(help_text="the host program's id")
    media_file_id = TextField(null=True, help_text="media_files.id, perhaps of a removed file")
    played_at = TimestampField(help_text="when it started, UTC")
    duration_watched = IntegerField(null=True, help_text="seconds")
    completed = BooleanField(
        default=False, constraints=[SQL("DEFAULT FALSE")], help_text="watched to the end"
    )

    class Meta:
        table_name = "playback_history"


PlaybackHistory.add_index(
    PlaybackHistory.index(
        PlaybackHistory.user_id, PlaybackHistory.played_at.desc(), name="idx_history_user_recent"
    )
)

MODELS = (PlaybackSession, UserMediaProgress, PlaybackHistory)
