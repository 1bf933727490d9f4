"""A plugin with tables whose trigger, view and cascade reach further than they should."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peewee import ForeignKeyField, TextField

from tests.support.plugins import importable
from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary
from viewra_lite.plugins import Plugin, PluginModel

SCRIPT = """
from peewee import ForeignKeyField, Model, PostgresqlDatabase, TextField

TRIGGERS = {
    False: '''CREATE TRIGGER plugin_guest_reach AFTER INSERT ON plugin_guest_reaching
        BEGIN UPDATE media_libraries SET name = 'reached'; END''',
    True: '''CREATE FUNCTION plugin_guest_reach() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
            UPDATE media_libraries SET name = 'reached';
            RETURN NEW; END $f$;
        CREATE TRIGGER plugin_guest_reach AFTER INSERT ON plugin_guest_reaching
        FOR EACH ROW EXECUTE FUNCTION plugin_guest_reach()''',
}

def up(migrator, db):
    class MediaLibrary(Model):
        id = TextField(primary_key=True)
        class Meta:
            database = db
            table_name = "media_libraries"

    class Note(Model):
        library = ForeignKeyField(MediaLibrary, null=True, on_delete="CASCADE", backref="+")
        text = TextField(unique=True)
        class Meta:
            database = db
            table_name = "plugin_guest_note"

    class Line(Model):
        note = ForeignKeyField(Note, on_delete="CASCADE", backref="+")
        class Meta:
            database = db
            table_name = "plugin_guest_line"

    db.create_tables([Note, Line], safe=False)
    db.execute_sql("CREATE TABLE plugin_guest_reaching (x INTEGER)")
    db.execute_sql("CREATE VIEW plugin_guest_view AS SELECT config FROM plugins")
    db.execute_sql(TRIGGERS[isinstance(db, PostgresqlDatabase)])
"""


class Note(PluginModel):
    library = ForeignKeyField(
        MediaLibrary, null=True, on_delete="CASCADE", backref="+", lazy_load=False
    )
    text = TextField(unique=True)


class Line(PluginModel):
    note = ForeignKeyField(Note, on_delete="CASCADE", backref="+", lazy_load=False)


class Guest(Plugin):
    id = "guest"
    models = (Note, Line)
    migrations = "guest_migrations"
    instance: Guest

    def __init__(self) -> None:
        type(self).instance = self


class Other(Plugin):
    id = "other"
    instance: Other

    def __init__(self) -> None:
        type(self).instance = self


@contextmanager
def guest_of(store: Store, folder: Path) -> Iterator[Guest]:
    """Enable Guest in a store that has a library, and another plugin with a configuration."""
    code = {"guest_migrations/__init__.py": "", "guest_migrations/0001_initial.py": SCRIPT}
    with importable(folder / "code", code):
        for kind in (Guest, Other):
            store.plugins.register(kind)
            store.plugins.enable(kind.id)
        store.plugins.configure("other", {"key": "s3cret"})
        Other.instance.storage["token"] = "s3cret"
        films = folder / "guests"
        films.mkdir()
        store.media.add_library("Films", films, "movie")
        with Guest.instance.writing():
            note = Note.create(text="first")
            Line.create(note=note)
        yield Guest.instance


def dump(store: Store) -> Any:
    """Return the rows of all tables, the catalogue, and what a session could leave behind."""
    with store.reader():
        database: Any = MediaLibrary._meta.database
        looks = [f'SELECT * FROM "{table}"' for table in sorted(database.get_tables())]
        looks += LEFT[store.engine]
        if store.engine == "postgres":  # in one round trip
            parts = ", ".join(
                f"(SELECT string_agg(x::text, ',' ORDER BY x::text) FROM ({sql}) x)"
                for sql in looks
            )
            return dict(zip(looks, database.execute_sql(f"SELECT {parts}").fetchone()))
        return {sql: sorted(map(repr, database.execute_sql(sql))) for sql in looks}


LEFT = {
    "sqlite": (
        "SELECT type, name, sql FROM sqlite_master",
        "SELECT name FROM sqlite_temp_master",
        "SELECT name, file FROM pragma_database_list",
        *(
            f"PRAGMA {name}"
            for name in "user_version application_id auto_vacuum encoding journal_mode foreign_keys"
            " synchronous recursive_triggers".split()
        ),
    ),
    "postgres": (
        "SELECT relname, relkind, relacl FROM pg_class WHERE relnamespace = 'public'::regnamespace",
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
        "SELECT nspname, nspacl FROM pg_namespace",
        "SELECT rolname FROM pg_roles",
        "SELECT oid FROM pg_largeobject_metadata",
        "SELECT pg_listening_channels()",
        "SELECT objid FROM pg_locks WHERE locktype = 'advisory'",
        "SELECT description FROM pg_description WHERE objoid >= 16384",
        "SELECT name, setting FROM pg_settings WHERE source = 'session'",
        "SELECT name FROM pg_prepared_statements WHERE NOT from_sql AND name = 'mine'",
        "SELECT extname FROM pg_extension",
        "SELECT sequencename, last_value FROM pg_sequences WHERE"
        " NOT starts_with(sequencename, 'plugin_guest')",
    ),
}
