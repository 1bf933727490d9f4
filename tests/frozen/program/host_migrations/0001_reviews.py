"""Create the reviews: their stars, with a source that is not ASCII (★)."""

from peewee import IntegerField, Model


def up(migrator, db):
    class Review(Model):
        stars = IntegerField()

        class Meta:
            database = db
            table_name = "reviews"

    db.create_tables([Review], safe=False)
