"""The table of changes."""

from peewee import BigAutoField, Check, DateTimeField, JSONField, Model, SqliteDatabase, TextField


def up(migrator, db):
    # JSONB needs no check.
    is_sqlite = isinstance(db, SqliteDatabase)
    valid = [Check('"facts" IS NULL OR json_valid("facts")')] if is_sqlite else []

    class Change(Model):
        id = BigAutoField()
        event = TextField()
        facts = JSONField(constraints=valid)
        created_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "changes"

    db.create_tables([Change], safe=False)
