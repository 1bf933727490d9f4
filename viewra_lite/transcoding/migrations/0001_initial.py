"""The first tables of the transcoding module."""

from peewee import (
    BigIntegerField,
    BooleanField,
    Check,
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

    def index(model, name, *columns, **options):
        model.add_index(model.index(*columns, name=name, **options))

    class MediaFile(Model):
        id = TextField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "media_files"

    class TranscodeSession(Model):
        id = TextField(primary_key=True)
        media_file = ForeignKeyField(
            MediaFile, null=True, on_delete="SET NULL", index=False, backref="+"
        )
        status = TextField(
            constraints=[Check('"status" IN (\'pending\', \'running\', \'completed\', \'failed\', \'cancelled\')')]
        )
        provider = TextField(null=True)
        content_hash = TextField()
        input_path = TextField(null=True)
        output_path = TextField(null=True)
        container = TextField(null=True)
        video_codec = TextField(null=True)
        audio_codec = TextField(null=True)
        quality = IntegerField(null=True)
        progress = DoubleField(
            constraints=[SQL('DEFAULT 0'), Check('"progress" BETWEEN 0 AND 1')]
        )
        error_message = TextField(null=True)
        created_at = DateTimeField()
        started_at = DateTimeField(null=True)
        completed_at = DateTimeField(null=True)
        height = IntegerField(null=True)
        profile = JSONField(null=True, constraints=valid("profile"))
        priority = IntegerField(constraints=zero())
        attempts = IntegerField(constraints=zero())
        lease_until = DateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "transcode_sessions"

    session = TranscodeSession
    index(session, "idx_transcode_media", session.media_file)
    index(session, "idx_transcode_status", session.status)
    index(
        session, "idx_transcode_active", session.content_hash, unique=True,
        where=session.status.in_(('pending', 'running')),
    )
    index(
        session, "idx_transcode_queue", session.status, session.priority.desc(),
        session.created_at, session.id, where=session.status == 'pending',
    )
    index(
        session, "idx_transcode_leases", session.status, session.lease_until,
        where=session.status == 'running',
    )
    index(session, "idx_transcode_recent", session.created_at, session.id)

    class TranscodeCache(Model):
        id = TextField(primary_key=True)
        media_file_id = TextField(null=True)
        content_hash = TextField(unique=True)
        container = TextField(null=True)
        video_codec = TextField(null=True)
        audio_codec = TextField(null=True)
        quality = IntegerField(null=True)
        file_size = BigIntegerField()
        created_at = DateTimeField()
        last_accessed = DateTimeField()
        access_count = IntegerField(constraints=zero())
        output_path = TextField(null=True)
        in_use_until = DateTimeField(null=True)
        pinned = BooleanField(constraints=[SQL('DEFAULT FALSE')])

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "transcode_cache"

    cache = TranscodeCache
    index(cache, "idx_cache_hash", cache.content_hash)
    index(cache, "idx_cache_media", cache.media_file_id)
    index(cache, "idx_cache_used", cache.last_accessed, cache.id)
    index(cache, "idx_cache_size", cache.file_size, cache.pinned)

    db.create_tables([TranscodeSession, TranscodeCache], safe=False)
