"""The transcoding room's first tables."""

from peewee import (
    BigIntegerField,
    Check,
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

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "transcode_sessions"

    TranscodeSession.add_index(TranscodeSession.index(
        TranscodeSession.media_file, name="idx_transcode_media"
    ))
    TranscodeSession.add_index(TranscodeSession.index(
        TranscodeSession.status, name="idx_transcode_status"
    ))

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
        access_count = IntegerField(constraints=[SQL('DEFAULT 0')])

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "transcode_cache"

    TranscodeCache.add_index(TranscodeCache.index(
        TranscodeCache.content_hash, name="idx_cache_hash"
    ))

    db.create_tables([TranscodeSession, TranscodeCache], safe=False)
