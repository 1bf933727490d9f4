"""Create the table of awards."""

from peewee import ForeignKeyField, IntegerField, Model, TextField


def up(migrator, db):  # with models of its own: a released script never changes
    class Movie(Model):
        id = TextField(primary_key=True)

        class Meta:
            database = db
            table_name = "movies"

    class Award(Model):
        movie = ForeignKeyField(Movie, unique=True, on_delete="CASCADE", backref="+")
        won = IntegerField()

        class Meta:
            database = db
            table_name = "plugin_awards_award"

    db.create_tables([Award], safe=False)
