"""Drift names what differs from the tables that the migrations make, and nothing else."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import peewee
import pytest

from tests.support.torture import TORTURE
from viewra_lite import Finding, Module, Store
from viewra_lite.database.migrations import migrator, scripts
from viewra_lite.errors import NewerSchemaError, TransactionError

DATA = Path(__file__).parents[2] / "data"

# Damage, and the words that a finding has to have. Each is done to an undamaged store.
BOTH: tuple[tuple[str, str], ...] = (
    ("DROP TABLE media_chapters", "media_chapters"),
    ("DROP TABLE playback_daily_totals", "playback_daily_totals"),
    ("DROP TABLE plugin_metadata", "plugin_metadata"),
    ("ALTER TABLE media_scans RENAME TO media_scan", "media_scans"),
    ("ALTER TABLE movies DROP COLUMN tagline", "movies.tagline"),
    ("ALTER TABLE media_files DROP COLUMN hdr", "media_files.hdr"),
    ("ALTER TABLE playback_sessions DROP COLUMN device_id", "playback_sessions.device_id"),
    ("ALTER TABLE tracks DROP COLUMN replay_gain", "tracks.replay_gain"),
    ("ALTER TABLE movies RENAME COLUMN director TO directors", "movies.directors "),
    ("ALTER TABLE movies RENAME COLUMN runtime TO minutes", "movies.runtime "),
    ("ALTER TABLE user_media_progress RENAME COLUMN marked TO flag", "user_media_progress.marked"),
    ("ALTER TABLE movies ADD COLUMN stars INTEGER", "movies.stars"),
    ("ALTER TABLE works ADD COLUMN x INTEGER NOT NULL DEFAULT 1", "works.x"),
    ("ALTER TABLE tracks ADD COLUMN x INTEGER CHECK (x > 1)", "tracks"),
    ("DROP INDEX idx_movies_title", "idx_movies_title of movies"),
    ("DROP INDEX idx_media_files_missing", "idx_media_files_missing of media_files"),
    ("DROP INDEX media_libraries_path", "media_libraries_path of media_libraries"),
    ("DROP INDEX idx_works_episode", "idx_works_episode of works"),
    ("DROP INDEX idx_transcode_active", "idx_transcode_active of transcode_sessions"),
    ("DROP INDEX search_documents_movie_id", "search_documents_movie_id of search_documents"),
    ("DROP INDEX idx_history_recent", "idx_history_recent of playback_history"),
    (
        "DROP INDEX idx_movies_title; CREATE INDEX idx_movies_title ON movies (sort_title)",
        "idx_movies_title of movies",
    ),
    (
        "DROP INDEX idx_media_files_missing; CREATE INDEX idx_media_files_missing "
        "ON media_files (library_id, missing_since)",
        "idx_media_files_missing of media_files",
    ),
    (
        "DROP INDEX idx_transcode_active; CREATE UNIQUE INDEX idx_transcode_active "
        "ON transcode_sessions (content_hash) WHERE status = 'pending'",
        "idx_transcode_active of transcode_sessions",
    ),
    (
        "DROP INDEX idx_transcode_active; CREATE INDEX idx_transcode_active "
        "ON transcode_sessions (content_hash) WHERE status IN ('pending', 'running')",
        "idx_transcode_active of transcode_sessions",
    ),
    (
        "DROP INDEX idx_history_recent; CREATE INDEX idx_history_recent "
        "ON playback_history (played_at, id)",
        "idx_history_recent of playback_history",
    ),
    (
        "DROP INDEX idx_cache_media; CREATE INDEX idx_cache_media ON transcode_cache (quality)",
        "idx_cache_media of transcode_cache",
    ),
    ("CREATE INDEX mine ON movies (rating)", "mine of movies"),
    ("CREATE UNIQUE INDEX mine ON movies (title)", "mine of movies"),
    ("CREATE VIEW media_chapter AS SELECT 1 AS x", "media_chapter"),
    ("DROP TABLE removed_files; CREATE VIEW removed_files AS SELECT 1 AS id", "removed_files"),
    ("CREATE TABLE notes (x INTEGER)", "notes"),
)
SQLITE = (
    ("DROP TRIGGER search_documents_insert", "search_documents_insert of search_documents"),
    ("DROP TRIGGER search_documents_update", "search_documents_update of search_documents"),
    (
        "DROP TRIGGER search_documents_delete; CREATE TRIGGER search_documents_delete "
        "AFTER DELETE ON search_documents BEGIN SELECT 1; END",
        "search_documents_delete of search_documents",
    ),
    ("CREATE TRIGGER mine AFTER UPDATE ON movies BEGIN DELETE FROM tracks; END", "mine of movies"),
    ("DROP TABLE search_index", "search_index"),
    ("DROP TABLE search_index_idx", "search_index_idx"),
    (
        "DROP TABLE search_index; CREATE VIRTUAL TABLE search_index USING "
        "fts5(terms, content='search_documents', content_rowid='seq')",
        "search_index",
    ),
    ("DROP TABLE search_index; CREATE TABLE search_index (terms TEXT)", "search_index"),
)
# What SQLite can change only by writing a table anew, as programs with windows do.
REBUILT = (
    ("media_chapters", '"start" REAL NOT NULL', '"start" TEXT NOT NULL', "media_chapters.start"),
    ("media_chapters", '"start" REAL NOT NULL', '"start" REAL', "media_chapters.start"),
    ("media_chapters", '"title" TEXT', '"title" TEXT NOT NULL', "media_chapters.title"),
    ("media_chapters", '"title" TEXT', "title TEXT DEFAULT 'x'", "media_chapters.title"),
    ("media_chapters", '"title" TEXT', "[title] TEXT COLLATE NOCASE", "media_chapters.title"),
    ("media_chapters", '"title" TEXT,', '"title" TEXT, x INT NOT NULL,', "media_chapters.x"),
    (
        "media_chapters",
        'PRIMARY KEY ("media_file_id", "chapter_index")',
        "CHECK (1)",
        "media_chapters lost the",
    ),
    ("media_chapters", " ON DELETE CASCADE", "", "media_chapters lost the constraint foreign key"),
    ("media_chapters", "CASCADE)", "CASCADE) WITHOUT ROWID", "media_chapters has the option"),
    ("media_streams", "DEFAULT FALSE", "DEFAULT TRUE", "media_streams.is_forced"),
    ("media_streams", "'subtitle', 'image')", "'subtitle')", "media_streams.kind"),
    ("media_streams", "CHECK (\"kind\" IN ('video', 'audio', 'subtitle', 'image'))", "", "s.kind"),
    ("media_folders", '"path" TEXT NOT NULL', '"path" TEXT NOT NULL UNIQUE', "media_folders.path"),
)
POSTGRES = (
    ("ALTER TABLE media_files ALTER COLUMN size TYPE integer", "media_files.size"),
    ("ALTER TABLE media_streams ALTER COLUMN frame_rate TYPE real", "media_streams.frame_rate"),
    ("ALTER TABLE movies ALTER COLUMN genres TYPE json USING genres::json", "movies.genres"),
    ('ALTER TABLE works ALTER COLUMN key TYPE text COLLATE "POSIX"', "works.key"),
    ("ALTER TABLE media_libraries ALTER COLUMN last_scan TYPE timestamp", "libraries.last_scan"),
    ("ALTER TABLE movies ALTER COLUMN title DROP NOT NULL", "movies.title"),
    ("ALTER TABLE movies ALTER COLUMN year SET NOT NULL", "movies.year"),
    ("ALTER TABLE works ALTER COLUMN kept SET DEFAULT '{}'", "works.kept"),
    ("ALTER TABLE plugins ALTER COLUMN enabled DROP DEFAULT", "plugins.enabled"),
    ("ALTER TABLE search_documents ALTER COLUMN seq DROP DEFAULT", "search_documents.seq"),
    ("ALTER TABLE search_documents ALTER COLUMN lexemes DROP EXPRESSION", "lexemes"),
    ("ALTER TABLE works DROP CONSTRAINT works_kind_check", "works lost the constraint CHECK"),
    (
        "ALTER TABLE movies DROP CONSTRAINT movies_work_id_fkey",
        "movies lost the constraint FOREIGN",
    ),
    ("ALTER TABLE media_streams DROP CONSTRAINT media_streams_pkey", "media_streams lost the"),
    ("ALTER TABLE albums DROP CONSTRAINT albums_library_id_identity_key", "albums lost the"),
    ("ALTER TABLE movies ADD CHECK (year > 1880)", "movies has a constraint"),
    (
        "ALTER TABLE movies DROP CONSTRAINT movies_work_id_fkey; ALTER TABLE movies ADD "
        "FOREIGN KEY (work_id) REFERENCES works (id) NOT VALID",
        "movies has a constraint",
    ),
    ("ALTER TABLE movies DISABLE TRIGGER ALL", "movies has the option disabled triggers"),
    ("ALTER TABLE media_folders SET UNLOGGED", "media_folders has the option unlogged"),
    ("ALTER TABLE works ENABLE ROW LEVEL SECURITY", "works has the option row security"),
    ("CREATE RULE r AS ON DELETE TO works DO INSTEAD NOTHING", "works has the option rules"),
    (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER mine BEFORE INSERT ON movies FOR EACH ROW EXECUTE FUNCTION f()",
        "mine of movies",
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'works_key'::regclass",
        "works_key",
    ),
)


EMPTY: list[Finding] = []


def test_there_are_enough_damages() -> None:
    assert len(BOTH) + len(SQLITE) + len(REBUILT) >= 50 and len(BOTH) + len(POSTGRES) >= 50


def batches(damages: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Divide damages so that each part is damaged once in a store; under torture one at a time."""
    left = list(damages)
    while left:
        batch: dict[str, tuple[str, str]] = {}
        for damage in left[:1] if TORTURE else left:
            batch.setdefault(re.sub("search_index.*", "search_index", damage[1]), damage)
        yield list(batch.values())
        left = [damage for damage in left if damage not in batch.values()]


def rebuilt(connection: sqlite3.Connection, table: str, old: str, new: str) -> None:
    """Write an empty table anew with another definition, and its indexes."""
    parts = connection.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY rowid",
        (table,),
    ).fetchall()
    assert old in parts[0][0]
    connection.execute(f"DROP TABLE {table}")
    connection.execute(parts[0][0].replace(old, new))
    for (sql,) in parts[1:]:
        connection.execute(sql)


def drift_of(url: str, *modules: Module) -> list[Finding]:
    with Store.open(url, migrate=False, modules=modules) as store:
        return store.migrations.drift()


def named(damages: Sequence[tuple[str, str]], findings: list[Finding]) -> None:
    """Each damage is named, and nothing else is found."""
    texts = [finding.text for finding in findings]
    for damage, words in damages:
        assert any(words in text for text in texts), (damage, texts)
    for finding in findings:
        assert finding.id == "schema" and finding.severity in ("info", "warning", "error")
        assert finding.remedy or finding.severity == "info", finding
        of_table = re.split(r"\W", finding.text)
        assert any(set(re.split(r"\W", words)) & set(of_table) for _, words in damages), finding


def test_what_was_damaged_is_named_on_sqlite(sqlite_template: Path, tmp_path: Path) -> None:
    for number, batch in enumerate(batches(BOTH + SQLITE)):
        path = shutil.copytree(sqlite_template, tmp_path / str(number)) / "viewra.db"
        with closing(sqlite3.connect(path)) as connection:
            for sql, _ in batch:
                connection.executescript(sql)
        named(batch, drift_of(f"sqlite:///{path}"))


def test_what_was_written_anew_is_named_on_sqlite(sqlite_template: Path, tmp_path: Path) -> None:
    path = shutil.copytree(sqlite_template, tmp_path / "data") / "viewra.db"
    whole = path.read_bytes()
    for table, old, new, words in REBUILT:
        path.write_bytes(whole)
        with closing(sqlite3.connect(path)) as connection:
            rebuilt(connection, table, old, new)
            connection.commit()
        named([(new, words)], drift_of(f"sqlite:///{path}"))


def test_what_was_damaged_is_named_on_postgres(postgres_stores: Any) -> None:
    import psycopg

    for batch in batches(BOTH + POSTGRES):
        with postgres_stores.one() as url:
            with psycopg.connect(url, autocommit=True) as connection:
                for sql, _ in batch:
                    connection.execute(sql)
            named(batch, drift_of(url))


def test_an_undamaged_store_has_none(store: Store) -> None:
    assert store.migrations.drift() == EMPTY
    store.migrations.drift()
    with store.writer():  # what it made is gone, and the connection as it was
        pass
    assert store.migrations.drift() == EMPTY
    with store.reader(), pytest.raises(TransactionError, match="leave that block first"):
        store.migrations.drift()


@pytest.fixture(params=["sqlite", "postgres"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: Any) -> str:
    """The URL of a store that does not exist yet."""
    monkeypatch.chdir(tmp_path)  # where the backups of a server's store go
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/data/viewra.db"


def test_nor_has_one_that_was_upgraded(new_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrator, "scripts", lambda *of: scripts.scripts(*of)[:1])
        Store.open(new_url).close()
    assert drift_of(new_url) == EMPTY  # what is pending is not missing
    Store.open(new_url).close()
    assert drift_of(new_url) == EMPTY


def test_nor_has_one_that_was_restored(new_url: str) -> None:
    with Store.open(new_url) as store:
        path = store.backups.create().path
    Store.restore(new_url, path)
    assert drift_of(new_url) == EMPTY


def test_nor_has_one_that_was_adopted(tmp_path: Path) -> None:
    path = tmp_path / "viewra.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / "specification.sql").read_text(encoding="utf-8"))
        connection.executescript("ALTER TABLE movies ADD COLUMN mine TEXT")
        connection.executescript("INSERT INTO movies (id, title, mine) VALUES ('1', 'Dune', 'x')")
    Store.open(f"sqlite:///{path}").close()
    assert drift_of(f"sqlite:///{path}") == EMPTY


class Note(peewee.Model):
    """A note of another package."""

    text = peewee.TextField()

    class Meta:
        table_name = "notes_note"


class Notes(Module):
    """Notes of another package, which creates its table itself."""

    name = "notes"
    models = (Note,)


def test_the_tables_of_neighbours_modules_and_plugins_are_known(store_config: Any) -> None:
    with Store.open(store_config) as store, store.writer():
        for name in (
            "_litestream_seq",
            "adopted_movies",
            "plugin_lyrics_songs",
            "viewra_migrations_reviews",
            "notes_note",
        ):
            store.media.db.backend.database.execute_sql(f"CREATE TABLE {name} (x INTEGER)")
    assert drift_of(store_config, Notes()) == EMPTY
    [finding] = drift_of(store_config)
    assert finding.severity == "info" and finding.text.endswith("not loaded: notes_note")


def test_a_lost_history_is_named(store_config: Any) -> None:
    with Store.open(store_config) as store, store.writer():
        store.media.db.backend.database.execute_sql("DROP TABLE viewra_migrations_transcoding")
    [finding] = drift_of(store_config)
    assert finding.severity == "error"
    assert finding.text.startswith("the history viewra_migrations_transcoding is missing")
    assert "transcode_sessions" in finding.text


def test_the_drift_of_a_newer_store_is_not_guessed(store: Store) -> None:
    with store.writer():
        store.media.db.backend.database.execute_sql(
            "INSERT INTO viewra_migrations_media (name, applied) VALUES ('0009_x', '2030-01-01')"
        )
    with pytest.raises(NewerSchemaError):
        store.migrations.drift()
