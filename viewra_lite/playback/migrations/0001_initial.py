"""The first tables of the playback module."""

from peewee import (
    BigIntegerField,
    BooleanField,
    Check,
    CompositeKey,
    DateField,
    DateTimeField,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    SQL,
    SqliteDatabase,
    TextField,
)


def up(migrator, db):
    def valid(column):
        # JSONB needs no check.
        if isinstance(db, SqliteDatabase):
            return [Check(f'"{column}" IS NULL OR json_valid("{column}")')]
        return []

    def zero():
        return [SQL('DEFAULT 0')]

    def false():
        return [SQL('DEFAULT FALSE')]

    def kinds():
        return [Check('"kind" IN (\'movie\', \'episode\', \'track\', \'extra\', \'other\')')]

    def index(model, name, *columns, where=None):
        model.add_index(model.index(*columns, name=name, where=where))

    class PlaybackSession(Model):
        id = TextField(primary_key=True)
        media_file_id = TextField(null=True)
        user_id = TextField()
        device_id = TextField(null=True)
        method = TextField(
            constraints=[Check('"method" IN (\'direct\', \'transcode\', \'remux\')')]
        )
        state = TextField(
            constraints=[Check('"state" IN (\'starting\', \'playing\', \'paused\', \'stopped\', \'completed\', \'expired\', \'failed\')')]
        )
        position = DoubleField(constraints=zero())
        duration = DoubleField(null=True)
        start_time = DateTimeField()
        last_activity = DateTimeField()
        end_time = DateTimeField(null=True)
        reported_at = DateTimeField(null=True)
        watched = DoubleField(constraints=zero())
        completed = BooleanField(constraints=false())
        kind = TextField(constraints=[SQL("DEFAULT 'other'"), *kinds()])
        title = TextField(null=True)
        top_title = TextField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "playback_sessions"

    session = PlaybackSession
    index(session, "idx_sessions_user_time", session.user_id, session.start_time.desc())
    index(
        session, "idx_sessions_active", session.state,
        where=session.state.in_(['playing', 'paused']),
    )
    index(
        session, "idx_sessions_open", session.start_time, session.id,
        where=session.end_time.is_null(),
    )
    index(session, "idx_sessions_media_file", session.media_file_id)

    class UserMediaProgress(Model):
        user_id = TextField()
        media_file_id = TextField()
        position = DoubleField(constraints=zero())
        completed = BooleanField(constraints=false())
        updated_at = DateTimeField()
        duration = DoubleField(null=True)
        play_count = IntegerField(constraints=zero())
        marked = BooleanField(constraints=false())
        last_played_at = DateTimeField(null=True)
        reported_at = DateTimeField(null=True)
        dropped = BooleanField(constraints=false())
        session_id = TextField(null=True)
        previous = JSONField(null=True, constraints=valid("previous"))

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "user_media_progress"
            primary_key = CompositeKey("user_id", "media_file_id")

    progress = UserMediaProgress
    recent = (progress.user_id, progress.updated_at.desc(), progress.media_file_id)
    index(progress, "idx_progress_media_file", progress.media_file_id)
    index(progress, "idx_progress_recent", *recent)
    index(
        progress, "idx_progress_unfinished", *recent,
        where=~progress.completed & ~progress.dropped,
    )

    class Play(Model):
        id = TextField(primary_key=True)
        user_id = TextField()
        media_file_id = TextField(null=True)
        played_at = DateTimeField()
        duration_watched = IntegerField(null=True)
        completed = BooleanField(constraints=false())
        kind = TextField(constraints=[SQL("DEFAULT 'other'"), *kinds()])
        title = TextField(null=True)
        top_title = TextField(null=True)
        device_id = TextField(null=True)
        method = TextField(null=True)

        class Meta:
            database = db
            legacy_table_names = False

    class PlaybackHistory(Play):
        class Meta:
            table_name = "playback_history"

    class PlaybackHistoryArchive(Play):
        archived_at = DateTimeField()

        class Meta:
            table_name = "playback_history_archive"

    for play, name in ((PlaybackHistory, "history"), (PlaybackHistoryArchive, "archive")):
        newest = (play.played_at.desc(), play.id.desc())
        index(play, f"idx_{name}_user_recent", play.user_id, *newest)
        index(play, f"idx_{name}_recent", *newest)
        index(play, f"idx_{name}_media_file", play.media_file_id)

    class PlaybackDailyTotal(Model):
        day = DateField()
        user_id = TextField()
        kind = TextField(constraints=kinds())
        top_title = TextField()
        plays = IntegerField(constraints=zero())
        completed = IntegerField(constraints=zero())
        seconds = BigIntegerField(constraints=zero())

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "playback_daily_totals"
            primary_key = CompositeKey("day", "user_id", "kind", "top_title")

    total = PlaybackDailyTotal
    index(total, "idx_daily_totals_user", total.user_id, total.day)

    def count():
        return IntegerField(constraints=zero())

    class PlaybackImport(Model):
        id = TextField(primary_key=True)
        source = TextField()
        format = TextField()
        user_id = TextField(null=True)
        started_at = DateTimeField()
        finished_at = DateTimeField(null=True)
        undone_at = DateTimeField(null=True)
        total = count()
        imported = count()
        already = count()
        left_out = count()
        unmatched = count()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "playback_imports"

    class ImportedRow(Model):
        batch = ForeignKeyField(
            PlaybackImport, on_delete="CASCADE", index=False, backref="+"
        )
        seq = IntegerField()
        user_id = TextField()
        media_file_id = TextField()
        play_id = TextField(null=True)
        before = JSONField(null=True, constraints=valid("before"))
        after = JSONField(null=True, constraints=valid("after"))

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "playback_import_rows"
            primary_key = CompositeKey("batch", "seq")

    index(ImportedRow, "idx_import_rows_user", ImportedRow.user_id)
    index(ImportedRow, "idx_import_rows_file", ImportedRow.media_file_id)

    class WaitingRow(Model):
        id = TextField(primary_key=True)
        batch = ForeignKeyField(
            PlaybackImport, on_delete="CASCADE", index=False, backref="+"
        )
        user_id = TextField()
        key = TextField()
        record = JSONField(constraints=valid("record"))

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "playback_import_waiting"
            constraints = [SQL('UNIQUE ("user_id", "key")')]

    index(WaitingRow, "idx_import_waiting_batch", WaitingRow.batch)

    db.create_tables(
        [
            PlaybackSession, UserMediaProgress, PlaybackHistory, PlaybackHistoryArchive,
            PlaybackDailyTotal, PlaybackImport, ImportedRow, WaitingRow,
        ],
        safe=False,
    )
