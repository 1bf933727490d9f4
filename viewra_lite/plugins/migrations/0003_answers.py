"""One answer of a plugin about a file, when it is due again, and how far a plugin has read."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CompositeKey,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    Model,
    SQL,
    TextField,
)

DROPS = ("plugin_metadata_plugin_id",)


def up(migrator, db):
    # Of several answers about a file the newest is kept.
    db.execute_sql(
        """
        DELETE FROM plugin_metadata WHERE EXISTS (
            SELECT 1 FROM plugin_metadata AS newer
            WHERE newer.media_file_id = plugin_metadata.media_file_id
            AND newer.plugin_id = plugin_metadata.plugin_id
            AND newer.metadata_type = plugin_metadata.metadata_type
            AND (
                newer.created_at > plugin_metadata.created_at
                OR newer.created_at = plugin_metadata.created_at AND newer.id > plugin_metadata.id
            )
        )
        """
    )
    columns = {
        "answered_at": DateTimeField(null=True),
        "due_at": DateTimeField(null=True),
        "failures": IntegerField(null=True),
        "error": TextField(null=True),
        "question": TextField(null=True),
        "subject_id": TextField(null=True),
        "applied_at": DateTimeField(null=True),
    }
    migrator.drop_not_null("plugin_metadata", "metadata").run()
    migrator.drop_index("plugin_metadata", "plugin_metadata_plugin_id").run()
    for name, field in columns.items():
        migrator.add_column("plugin_metadata", name, field).run()
    db.execute_sql("UPDATE plugin_metadata SET answered_at = created_at")

    class Plugin(Model):
        id = TextField(primary_key=True)

        class Meta:
            database = db
            table_name = "plugins"

    class PluginMetadata(Model):
        plugin_id = TextField()
        media_file_id = TextField()
        metadata_type = TextField()
        due_at = DateTimeField(null=True)
        applied_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "plugin_metadata"
            primary_key = False

    answer = PluginMetadata
    for index in (
        answer.index(
            answer.plugin_id,
            answer.media_file_id,
            answer.metadata_type,
            unique=True,
            name="idx_plugin_metadata_answer",
        ),
        answer.index(
            answer.plugin_id,
            answer.metadata_type,
            answer.due_at,
            answer.media_file_id,
            where=answer.due_at.is_null(False),
            name="idx_plugin_metadata_due",
        ),
        answer.index(
            answer.media_file_id,
            where=answer.applied_at.is_null(),
            name="idx_plugin_metadata_unapplied",
        ),
    ):
        db.execute(index)

    class PluginCursor(Model):
        plugin = ForeignKeyField(Plugin, on_delete="CASCADE", backref="+", index=False)
        metadata_type = TextField()
        file_id = TextField()
        is_complete = BooleanField(constraints=[SQL("DEFAULT FALSE")])
        change_id = BigIntegerField()
        change_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "plugin_cursors"
            primary_key = CompositeKey("plugin", "metadata_type")

    db.create_tables([PluginCursor], safe=False)
