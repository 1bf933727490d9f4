"""The playback room's first tables."""

from peewee import (
    BooleanField,
    Check,
    CompositeKey,
    DateTimeField,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    Model,
    SQL,
    TextField,
)


def up(migrator, db):
    class MediaFile(Model):
        id = TextField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "media_files"

    class PlaybackSession(Model):
        id = TextField(primary_key=True)
        media_file = ForeignKeyField(MediaFile, null=True, on_delete="SET NULL", backref="+")
        user_id = TextField()
        device_id = TextField(null=True)
        method = TextField(
            constraints=[Check('"method" IN (\'direct\', \'transcode\', \'remux\')')]
        )
        state = TextField(
            constraints=[Check('"state" IN (\'starting\', \'playing\', \'paused\', \'stopped\', \'completed\', \'expired\', \'failed\')')]
        )
        position = DoubleField(constraints=[SQL('DEFAULT 0')])
        duration = DoubleField(null=True)
        start_time = DateTimeField()
        last_activity = DateTimeField()
        end_time = DateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "playback_sessions"

    PlaybackSession.add_index(PlaybackSession.index(
        PlaybackSession.user_id, PlaybackSession.start_time.desc(), name="idx_sessions_user_time"
    ))
    PlaybackSession.add_index(PlaybackSession.index(
        PlaybackSession.state, name="idx_sessions_active", where=PlaybackSession.state.in_(['playing', 'paused'])
    ))

    class UserMediaProgress(Model):
        user_id = TextField()
        media_file_id = TextField()
        position = DoubleField(constraints=[SQL('DEFAULT 0')])
        completed = BooleanField(constraints=[SQL('DEFAULT FALSE')])
        updated_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "user_media_progress"
            primary_key = CompositeKey("user_id", "media_file_id")

    UserMediaProgress.add_index(UserMediaProgress.index(
        UserMediaProgress.media_file_id, name="idx_progress_media_file"
    ))

    class PlaybackHistory(Model):
        id = TextField(primary_key=True)
        user_id = TextField()
        media_file_id = TextField(null=True)
        played_at = DateTimeField()
        duration_watched = IntegerField(null=True)
        completed = BooleanField(constraints=[SQL('DEFAULT FALSE')])

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "playback_history"

    PlaybackHistory.add_index(PlaybackHistory.index(
        PlaybackHistory.user_id, PlaybackHistory.played_at.desc(), name="idx_history_user_recent"
    ))

    db.create_tables([PlaybackSession, UserMediaProgress, PlaybackHistory], safe=False)
