"""Runs and failures of plugins, and their storage."""

from peewee import (
    Check,
    CompositeKey,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    SqliteDatabase,
    TextField,
)


def up(migrator, db):
    columns = {
        "last_run_at": DateTimeField(null=True),
        "due_at": DateTimeField(null=True),
        "failures": IntegerField(null=True),
        "error": TextField(null=True),
    }
    for name, field in columns.items():
        migrator.migrate(migrator.add_column("plugins", name, field))

    class Plugin(Model):
        id = TextField(primary_key=True)

        class Meta:
            database = db
            table_name = "plugins"

    class PluginStorage(Model):
        plugin = ForeignKeyField(Plugin, on_delete="CASCADE", backref="+", index=False)
        key = TextField()
        # JSONB needs no check.
        value = JSONField(
            null=True,
            constraints=[Check('"value" IS NULL OR json_valid("value")')]
            if isinstance(db, SqliteDatabase)
            else None,
        )
        size = IntegerField()
        expires_at = DateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "plugin_storage"
            primary_key = CompositeKey("plugin", "key")

    db.create_tables([PluginStorage], safe=False)
