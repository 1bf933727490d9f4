"""schema.sql, the models, the migrations and the specification tell one story."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from shutil import which

import peewee
import pytest

from tests.support.catalogue import postgres_catalogue, sqlite_catalogue
from viewra_lite import Store
from viewra_lite.database.migrations.schema import RESERVED, render, unquoted
from viewra_lite.events.module import EventsModule
from viewra_lite.maintenance.module import Maintenance
from viewra_lite.media.module import MediaModule
from viewra_lite.module import Module
from viewra_lite.playback.module import PlaybackModule
from viewra_lite.plugins.module import PluginsModule
from viewra_lite.transcoding.module import TranscodingModule

MODULES = (MediaModule, PlaybackModule, TranscodingModule, PluginsModule, Maintenance, EventsModule)
TOP = Path(__file__).parents[3]
SPECIFICATION = Path(__file__).parents[2] / "data" / "specification.sql"


def migrated(tmp_path: Path) -> Path:
    path = tmp_path / "migrated.db"
    Store.open({"database": {"type": "sqlite", "database_path": str(path)}}).close()
    return path


def test_schema_sql_is_up_to_date() -> None:
    text = (TOP / "schema.sql").read_text(encoding="utf-8")
    assert text == render(MODULES, "sqlite"), "regenerate it: viewra-lite schema > schema.sql"


def test_schema_sql_is_what_the_migrations_make(tmp_path: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript((TOP / "schema.sql").read_text(encoding="utf-8"))
        assert sqlite_catalogue(connection) == sqlite_catalogue(migrated(tmp_path))


@pytest.mark.skipif(which("sqlite3") is None, reason="the sqlite3 shell is not installed")
def test_the_sqlite_shell_loads_schema_sql(tmp_path: Path) -> None:
    path = tmp_path / "by-hand.db"
    shell = subprocess.run(
        ["sqlite3", "-bail", str(path), f".read {TOP / 'schema.sql'}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stderr == ""
    assert sqlite_catalogue(path) == sqlite_catalogue(migrated(tmp_path))


def test_the_postgres_rendering_is_what_the_migrations_make(
    postgres_server: object, postgres_url: str
) -> None:
    import psycopg

    by_hand = postgres_server.create_database("schema_by_hand")
    try:
        with psycopg.connect(by_hand) as connection:
            connection.execute(render(MODULES, "postgres"))
        Store.open(postgres_url).close()
        assert postgres_catalogue(by_hand) == postgres_catalogue(postgres_url)
    finally:
        postgres_server.drop_database("schema_by_hand")


def test_every_table_and_column_has_a_comment() -> None:
    for module in MODULES:
        for model in module.models:
            assert (model.__doc__ or "").strip().endswith("."), model
            for field in model._meta.sorted_fields:
                assert field.help_text, f"{model.__name__}.{field.name} needs a help_text"


def test_lines_are_short_and_comments_complete() -> None:
    text = render(MODULES, "sqlite")
    assert [line for line in text.splitlines() if len(line) > 100] == []
    said = " ".join(line.partition("--")[2].strip() for line in text.splitlines())
    for field in MediaModule.models[1]._meta.sorted_fields:
        assert " ".join(field.help_text.split()) in said


def specified() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SPECIFICATION.read_text(encoding="utf-8"))
    return connection


def names(connection: sqlite3.Connection, kind: str) -> set[str]:
    sql = "SELECT name FROM sqlite_master WHERE type = ? AND sql IS NOT NULL"
    return {name for (name,) in connection.execute(sql, (kind,))}


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def test_the_specification_is_there_on_sqlite(tmp_path: Path) -> None:
    ours = sqlite3.connect(migrated(tmp_path))
    with closing(specified()) as wanted, closing(ours):
        assert len(names(wanted, "table")) == 10 and len(names(wanted, "index")) == 8
        assert names(wanted, "index") <= names(ours, "index")
        for table in names(wanted, "table"):
            assert set(columns(wanted, table)) <= set(columns(ours, table)), table


def test_the_specification_is_there_on_postgres(postgres_url: str) -> None:
    Store.open(postgres_url).close()
    ours = postgres_catalogue(postgres_url)
    with closing(specified()) as wanted:
        assert names(wanted, "index") <= {name for kind, _, name in ours if kind == "index"}
        for table in names(wanted, "table"):
            for column in columns(wanted, table):
                assert ("column", table, column) in ours


def test_reserved_words_of_postgres_are_quoted(postgres_url: str) -> None:
    import psycopg

    with psycopg.connect(postgres_url) as connection:
        rows = connection.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')")
        assert {word for (word,) in rows} <= RESERVED


@pytest.mark.parametrize("word", ["position", "identity", "year", "label", "key", "end", "plan"])
def test_what_is_left_bare_needs_no_quotes_on_sqlite(word: str) -> None:
    name = unquoted(f'"{word}"')
    table = f"CREATE TABLE {name} ({name} TEXT CHECK ({name} > ''), UNIQUE ({name}))"
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(table)


def test_quotes_stay_where_they_matter() -> None:
    sql = """SELECT "cast", "Title", "a b", "title" FROM "movies" WHERE "x" = 'say "hi"'"""
    assert unquoted(sql) == (
        """SELECT "cast", "Title", "a b", title FROM movies WHERE x = 'say "hi"'"""
    )


class Review(peewee.Model):
    """What people think.

    Only the first line is the comment.
    """

    stars = peewee.IntegerField()
    text = peewee.CharField(
        null=True,
        max_length=40,
        constraints=[peewee.Check("text <> '-- no'")],
        help_text="as they wrote it",
    )

    class Meta:
        table_name = "plugin_reviews_review"


class Reviews(Module):
    """Reviews of a third party."""

    name = "reviews"
    models = (Review,)


def test_a_third_party_module_renders_too() -> None:
    text = render([Reviews()], "sqlite")
    assert "-- Reviews of a third party.\n" in text
    assert "viewra_migrations_reviews" not in text
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(text)
    assert "-- What people think.\nCREATE TABLE plugin_reviews_review (" in text
    assert "Only the first line" not in text
    assert "-- as they wrote it" in text


def test_rendering_postgres_needs_no_driver() -> None:
    script = (
        "import sys\n"
        "sys.modules.update(psycopg=None, psycopg2=None, psycopg2cffi=None)\n"
        "from viewra_lite.database.migrations.schema import render\n"
        "from viewra_lite.media.module import MediaModule\n"
        "assert 'JSONB' in render([MediaModule], 'postgres')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=TOP)


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(ValueError, match="mysql"):
        render(MODULES, "mysql")


def test_datasette_and_sqlite_utils_find_the_search_table(tmp_path: Path) -> None:
    """They look for it by how it is written: content=[...] or content="..."."""
    path = tmp_path / "viewra.db"
    with Store.open({"database": {"database_path": str(path)}}):
        pass
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE rootpage = 0 AND sql LIKE ?",
        ['%VIRTUAL TABLE%USING FTS%content="search_documents"%'],
    ).fetchall()
    connection.close()
    assert found == [("search_index",)]
