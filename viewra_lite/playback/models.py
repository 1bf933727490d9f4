"""The nouns of the playback module: what people watch, where they were, what they have watched.

All of it outlives the file, so a file is named by its id and never by a foreign key.
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
KINDS = ("movie", "episode", "track", "other")


def _false(help_text: str) -> Any:
    return BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")], help_text=help_text)


def _zero(field: Any, help_text: str) -> Any:
    nothing = 0.0 if field is DoubleField else 0
    return field(default=nothing, constraints=[SQL("DEFAULT 0")], help_text=help_text)


class PlaybackSession(StoreModel):
    """Active and historical playback sessions."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    media_file_id = TextField(
        null=True, help_text="what is watched: media_files.id, perhaps of a removed file"
    )
    user_id = TextField(help_text="who watches; the host program's id")
    device_id = TextField(null=True, help_text="where; the host program's id")
    method = ChoiceField(METHODS, help_text="direct, transcode or remux")
    state = ChoiceField(SESSION_STATES, help_text="where the session stands")
    position = _zero(DoubleField, "seconds")
    duration = DoubleField(null=True, help_text="seconds")
    start_time = TimestampField(help_text="UTC")
    last_activity = TimestampField(help_text="when the last heartbeat came, UTC")
    end_time = TimestampField(null=True, help_text="UTC; NULL while it is open")
    reported_at = TimestampField(
        null=True, help_text="the last heartbeat's own time, where the device told it, UTC"
    )
    watched = _zero(DoubleField, "seconds that were watched in it")
    completed = _false("it came to the end")
    kind = ChoiceField(
        KINDS, default="other", constraints=[SQL("DEFAULT 'other'")], help_text="what it is"
    )
    title = TextField(null=True, help_text="what it was called when it began")
    top_title = TextField(null=True, help_text="the show, else the title: what is counted")

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
    """How far each user is in each file; other versions of the same movie or episode share it."""

    user_id = TextField(help_text="the host program's id")
    media_file_id = TextField(help_text="media_files.id, perhaps of a removed file")
    position = _zero(DoubleField, "seconds")
    completed = _false("watched to the end, or marked so")
    updated_at = TimestampField(help_text="when it was so: what was reported last, UTC")
    duration = DoubleField(null=True, help_text="seconds, of the file that was watched")
    play_count = _zero(IntegerField, "plays of this file to the end in the history")
    marked = _false("was marked as watched by hand, which is no play")
    last_played_at = TimestampField(
        null=True, help_text="when it was last watched to the end, UTC; NULL if unknown"
    )
    reported_at = TimestampField(
        null=True, help_text="the device's own time of the report, else when it came, UTC"
    )
    dropped = _false("taken off the list of what to continue")
    session_id = TextField(null=True, help_text="the session that reported it last")
    previous = JSONField(null=True, help_text="JSON array of earlier states, for undo")

    resume_position: float  # set by progress(): where to begin, 0.0 = at the start
    reported_in: str  # the version that position and duration are of
    kept_in: str  # the version whose row has these earlier states

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
    """The columns of a play, as it happened and once it is archived."""

    id = TextField(primary_key=True, help_text="UUIDv7; the session's, where it was one")
    user_id = TextField(help_text="the host program's id")
    media_file_id = TextField(null=True, help_text="media_files.id, perhaps of a removed file")
    played_at = TimestampField(help_text="when it started, UTC")
    duration_watched = IntegerField(null=True, help_text="seconds")
    completed = _false("watched to the end")
    kind = ChoiceField(
        KINDS, default="other", constraints=[SQL("DEFAULT 'other'")], help_text="what it was"
    )
    title = TextField(null=True, help_text="what it was called when it was played")
    top_title = TextField(null=True, help_text="the show, else the title: what is counted")
    device_id = TextField(null=True, help_text="the host program's id")
    method = TextField(null=True, help_text="direct, transcode, remux; NULL where not played here")


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
    """What was archived, counted by day, user and title; kept for ever."""

    day = DateField(help_text="UTC, of played_at")
    user_id = TextField(help_text="the host program's id")
    kind = ChoiceField(KINDS, help_text="what it was")
    top_title = TextField(help_text="the show, else the title; empty where it is unknown")
    plays = _zero(IntegerField, "how many")
    completed = _zero(IntegerField, "how many of them to the end")
    seconds = _zero(BigIntegerField, "how long all of them were watched")

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
