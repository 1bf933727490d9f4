"""The first tables of the plugins module."""

from peewee import (
    BooleanField,
    Check,
    DateTimeField,
    DoubleField,
    ForeignKeyField,
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

    class MediaFile(Model):
        id = TextField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "media_files"

    class Plugin(Model):
        id = TextField(primary_key=True)
        name = TextField()
        type = TextField()
        version = TextField(null=True)
        enabled = BooleanField(constraints=[SQL('DEFAULT TRUE')])
        config = JSONField(null=True, constraints=valid("config"))
        capabilities = JSONField(null=True, constraints=valid("capabilities"))
        last_health_check = DateTimeField(null=True)
        created_at = DateTimeField()
        updated_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "plugins"

    class PluginMetadata(Model):
        id = TextField(primary_key=True)
        plugin = ForeignKeyField(Plugin, on_delete="CASCADE", backref="+")
        media_file = ForeignKeyField(MediaFile, on_delete="CASCADE", backref="+")
        metadata_type = TextField()
        metadata = JSONField(constraints=valid("metadata"))
        confidence = DoubleField(
            constraints=[SQL('DEFAULT 1'), Check('"confidence" BETWEEN 0 AND 1')]
        )
        created_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "plugin_metadata"

    db.create_tables([Plugin, PluginMetadata], safe=False)
