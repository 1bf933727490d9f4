"""The table of chores."""

from peewee import DateTimeField, DoubleField, IntegerField, Model, SQL, TextField


def up(migrator, db):
    class Chore(Model):
        name = TextField(primary_key=True)
        due_at = DateTimeField()
        last_run_at = DateTimeField(null=True)
        seconds = DoubleField(null=True)
        done = TextField(null=True)
        error = TextField(null=True)
        failures = IntegerField(constraints=[SQL('DEFAULT 0')])

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "maintenance_chores"

    db.create_tables([Chore], safe=False)
