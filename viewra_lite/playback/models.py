"""The tables of the playback module: sessions, progress, the history and its archive.

Their rows outlive the file, so they hold its id without a foreign key.
"""

from __future__ import annotations

from typing import Any

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import (
    BigIntegerField,
    BooleanField,
    CompositeKey,
    DoubleField,
    IntegerField,
    SQL,
    TextField,
)

from ..database.orm.fields import ChoiceField, DateField, JSONField, TimestampField
from ..database.orm.models import StoreModel, index
from .import_models import ImportedRow, PlaybackImport, WaitingRow

METHODS = ("direct", "transcode", "remux")
OPEN_STATES = ("starting", "playing", "paused")
SESSION_STATES = (*OPEN_STATES, "stopped", "completed", "expired", "failed")
KINDS = ("movie", "episode", "track", "extra", "other")


def _false(help_text: str) -> Any:
    return BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")], help_text=help_text)


def _zero(field: Any, help_text: str) -> Any:
    nothing = 0.0 if field is DoubleField else 0
    return field(default=nothing, constraints=[SQL("DEFAULT 0")], help_text=help_text)


class PlaybackSession(StoreModel):
    """Active and historical playback sessions."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    media_file_id = TextField(null=True, help_text="media_files.id, possibly of a removed file")
    user_id = TextField(help_text="the viewer; the host program's id")
    device_id = TextField(null=True, help_text="the player; the host program's id")
    method = ChoiceField(METHODS, help_text="direct, transcode or remux")
    state = ChoiceField(SESSION_STATES, help_text="state of the session")
    position = _zero(DoubleField, "seconds")
    duration = DoubleField(null=True, help_text="seconds")
    start_time = TimestampField(help_text="UTC")
    last_activity = TimestampField(help_text="when the last heartbeat arrived, UTC")
    end_time = TimestampField(null=True, help_text="UTC; NULL while it is open")
    reported_at = TimestampField(
        null=True, help_text="the last heartbeat's time by the device's clock, if it sent one, UTC"
    )
    watched = _zero(DoubleField, "seconds watched in it")
    completed = _false("it reached the end")
    kind = ChoiceField(
        KINDS, default="other", constraints=[SQL("DEFAULT 'other'")], help_text="kind of title"
    )
    title = TextField(null=True, help_text="title when it began")
    top_title = TextField(null=True, help_text="the show, else the title: key of statistics")

    class Meta:
        table_name = "playback_sessions"


index(
    PlaybackSession,
    "idx_sessions_user_time",
    PlaybackSession.user_id,
    PlaybackSession.start_time.desc(),
)
index(
    PlaybackSession,
    "idx_sessions_active",
    PlaybackSession.state,
    where=PlaybackSession.state.in_(["playing", "paused"]),
)
index(
    PlaybackSession,
    "idx_sessions_open",
    PlaybackSession.start_time,
    PlaybackSession.id,
    where=PlaybackSession.end_time.is_null(),
)
index(PlaybackSession, "idx_sessions_media_file", PlaybackSession.media_file_id)


class UserMediaProgress(StoreModel):
    """Progress of each user in each file; versions of the same movie or episode share it."""

    user_id = TextField(help_text="the host program's id")
    media_file_id = TextField(help_text="media_files.id, possibly of a removed file")
    position = _zero(DoubleField, "seconds")
    completed = _false("watched to the end, or marked so")
    updated_at = TimestampField(help_text="when this state was reported or set, UTC")
    duration = DoubleField(null=True, help_text="seconds, of the file that was watched")
    play_count = _zero(IntegerField, "plays of this file to the end in the history")
    marked = _false("marked as watched by hand, without a play")
    last_played_at = TimestampField(
        null=True, help_text="when it was last watched to the end, UTC; NULL if unknown"
    )
    reported_at = TimestampField(
        null=True, help_text="time of the report by the device's clock, else of its arrival, UTC"
    )
    dropped = _false("not listed to continue until watched again")
    session_id = TextField(null=True, help_text="the session of the last report")
    previous = JSONField(null=True, help_text="JSON array of earlier states, for undo")

    resume_position: float  # seconds, set by progress(); 0.0 is the beginning
    reported_in: str  # the version that position and duration refer to
    kept_in: str  # the version whose row holds these earlier states

    class Meta:
        table_name = "user_media_progress"
        primary_key = CompositeKey("user_id", "media_file_id")


index(UserMediaProgress, "idx_progress_media_file", UserMediaProgress.media_file_id)
index(
    UserMediaProgress,
    "idx_progress_recent",
    UserMediaProgress.user_id,
    UserMediaProgress.updated_at.desc(),
    UserMediaProgress.media_file_id,
)
index(
    UserMediaProgress,
    "idx_progress_unfinished",
    UserMediaProgress.user_id,
    UserMediaProgress.updated_at.desc(),
    UserMediaProgress.media_file_id,
    where=~UserMediaProgress.completed & ~UserMediaProgress.dropped,
)


class HistoryModel(StoreModel):
    """The columns of a play, in the history and in the archive."""

    id = TextField(primary_key=True, help_text="UUIDv7; that of its session, if it had one")
    user_id = TextField(help_text="the host program's id")
    media_file_id = TextField(null=True, help_text="media_files.id, possibly of a removed file")
    played_at = TimestampField(help_text="when it started, UTC")
    duration_watched = IntegerField(null=True, help_text="seconds")
    completed = _false("watched to the end")
    kind = ChoiceField(
        KINDS, default="other", constraints=[SQL("DEFAULT 'other'")], help_text="kind of title"
    )
    title = TextField(null=True, help_text="title when it was played")
    top_title = TextField(null=True, help_text="the show, else the title: key of statistics")
    device_id = TextField(null=True, help_text="the host program's id")
    method = TextField(null=True, help_text="direct, transcode, remux; NULL if played elsewhere")


class PlaybackHistory(HistoryModel):
    """Historical playback records; they outlive the file."""

    class Meta:
        table_name = "playback_history"


class PlaybackHistoryArchive(HistoryModel):
    """Old plays, moved here from playback_history."""

    archived_at = TimestampField(help_text="when it was moved, UTC")

    class Meta:
        table_name = "playback_history_archive"


for play, name in ((PlaybackHistory, "history"), (PlaybackHistoryArchive, "archive")):
    newest = (play.played_at.desc(), play.id.desc())
    index(play, f"idx_{name}_user_recent", play.user_id, *newest)
    index(play, f"idx_{name}_recent", *newest)
    index(play, f"idx_{name}_media_file", play.media_file_id)


class PlaybackDailyTotal(StoreModel):
    """Totals of the archive by day, user and title, kept forever."""

    day = DateField(help_text="UTC day of played_at")
    user_id = TextField(help_text="the host program's id")
    kind = ChoiceField(KINDS, help_text="kind of title")
    top_title = TextField(help_text="the show, else the title; empty if unknown")
    plays = _zero(IntegerField, "number of plays")
    completed = _zero(IntegerField, "number of plays to the end")
    seconds = _zero(BigIntegerField, "seconds watched in all of them")

    class Meta:
        table_name = "playback_daily_totals"
        primary_key = CompositeKey("day", "user_id", "kind", "top_title")


index(
    PlaybackDailyTotal, "idx_daily_totals_user", PlaybackDailyTotal.user_id, PlaybackDailyTotal.day
)

MODELS = (
    PlaybackSession,
    UserMediaProgress,
    PlaybackHistory,
    PlaybackHistoryArchive,
    PlaybackDailyTotal,
    PlaybackImport,
    ImportedRow,
    WaitingRow,
)
