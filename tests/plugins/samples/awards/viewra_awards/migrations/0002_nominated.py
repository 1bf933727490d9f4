"""Add the nominations."""

from peewee import IntegerField


def up(migrator, db):
    nominated = IntegerField(default=0)
    migrator.migrate(migrator.add_column("plugin_awards_award", "nominated", nominated))
