"""A store of the first schema, with rows in every table, is upgraded and loses none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.libraries import clip
from tests.support.media import write_audio
from viewra_lite import Store
from viewra_lite.database.migrations import migrator, scripts
from viewra_lite.database.orm.models import open_database
from viewra_lite.media.models import Episode, Movie, Season, TVShow
from viewra_lite.media.module import MediaModule
from viewra_lite.playback.module import PlaybackModule
from viewra_lite.transcoding.module import TranscodingModule

pytestmark = [pytest.mark.usefixtures("probing_here"), pytest.mark.makes_tables]

MODELS = [*MediaModule.models, *PlaybackModule.models, *TranscodingModule.models]
NEW = {"media_extras", "media_streams", "media_chapters", "media_scans", "media_folders"}


@pytest.fixture(params=["sqlite", "postgres"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The URLs of an empty store, and of one that does not exist yet."""
    if request.param == "postgres":
        return tuple(request.getfixturevalue(f"postgres_{name}") for name in ("store", "url"))
    return f"sqlite:///{tmp_path}/today/viewra.db", f"sqlite:///{tmp_path}/old/viewra.db"


def fill(store: Store, clock: Clock, folder: Path) -> None:
    """Make rows in every table."""
    media, playback, transcoding = store.media, store.playback, store.transcoding
    for seed, name in enumerate(("Dune (2021)", "Gone (2001)", "Heat (1995)")):
        clip(folder / "films" / name / f"{name}.mkv", seed)
    for number in (1, 2):
        clip(folder / f"tv/Lost (2004)/Season 1/Lost S01E0{number} - Pilot.mkv", 10 + number)
    tags = {"artist": "Gould", "album": "Goldberg", "year": 1955, "genre": "Classical"}
    for number in (1, 2):
        write_audio(folder / f"music/{number}.mp3", seconds=0.1, title=f"Aria {number}", **tags)
    kinds = {"films": "movie", "tv": "tv", "music": "music"}
    ids = [media.add_library(name, folder / name, kind).id for name, kind in kinds.items()]
    for id in ids:
        media.scan(id)
    (folder / "films/Gone (2001)/Gone (2001).mkv").unlink()
    media.scan(ids[0], accept_missing=True)
    media.tidy(clock.advance(400 * 86400))  # forgets the file
    dune, heat = media.movies().items
    media.save_movie(ids[0], id=heat.id, year=None, cast=[{"name": "Al Pacino"}])
    for position in (0.05, 0.15):
        playback.set_progress("ann", dune.media_file_id, position)
    playback.start_session(heat.media_file_id, user_id="bob")
    playback.mark_watched("ann", heat.media_file_id)
    transcoding.request(dune.media_file_id, {"height": 480})


def everything(names: dict[str, list[str]]) -> dict[str, list[Any]]:
    """Return all rows of some columns, as text."""
    return {
        table: sorted(
            open_database.execute_sql(
                f"SELECT {', '.join(f'CAST({name} AS TEXT)' for name in columns)} FROM {table}"
            ).fetchall(),
            key=str,
        )
        for table, columns in names.items()
    }


def columns_of(store: Store) -> dict[str, list[str]]:
    """Return the columns of all tables that a store has, but those that are computed."""
    with store.reader():
        tables = {model._meta.table_name for model in MODELS} & set(store.tables())
        return {
            table: [
                f'"{column.name}"'
                for column in open_database.get_columns(table)
                if column.name != "lexemes"
            ]
            for table in tables
        }


@contextmanager
def first_schema(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the migrator know the first script of media only."""

    def only_first(module: str, package: str) -> list[Any]:
        found = scripts.scripts(module, package)
        return found[:1] if module == "media" else found

    with monkeypatch.context() as patch:
        patch.setattr(migrator, "scripts", only_first)
        yield


def insert(rows: dict[str, list[Any]], names: dict[str, list[str]], mark: str) -> None:
    """Insert rows as text, in an order that foreign keys allow."""
    for model in MODELS:
        table = model._meta.table_name
        columns = names.get(table, [])
        parent = columns.index('"show_id"') if table == "works" else 0
        for row in sorted(rows.get(table, ()), key=lambda row: str(row[parent] or "")):
            open_database.execute_sql(
                f"INSERT INTO {table} ({', '.join(columns)}) "
                f"VALUES ({', '.join([mark] * len(row))})",
                row,
            )


def test_an_upgrade_keeps_every_row_and_what_holds_them_together(
    urls: tuple[str, str], clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today, old = urls
    with Store.open(today, clock=clock) as store:
        fill(store, clock, tmp_path)
        fresh = schema_of(store)
    with first_schema(monkeypatch), Store.open(old, clock=clock) as store:
        names = columns_of(store)
        assert not NEW & names.keys()
    with Store.open(today, clock=clock) as store, store.reader():
        before = everything(names)
        works = watched(store)
    of_media = {model._meta.table_name for model in MediaModule.models} - NEW
    assert [table for table in of_media if not before[table]] == []
    with first_schema(monkeypatch), Store.open(old, clock=clock) as store, store.writer():
        insert(before, names, "?" if store.engine == "sqlite" else "%s")
        assert everything(names) == before

    with Store.open(old, clock=clock) as store:
        assert schema_of(store) == fresh
        with store.reader():
            after = everything(names)
        for table in before:
            state = names[table].index('"probe_state"') if table == "media_files" else None
            assert [without(row, state) for row in after[table]] == [
                without(row, state) for row in before[table]
            ], table
        assert watched(store) == works
        check(store)


def without(row: Any, index: int | None) -> list[Any]:
    """Return a row without a column: probed files are to be probed again."""
    return [value for number, value in enumerate(row) if number != index]


def schema_of(store: Store) -> set[tuple[str, ...]]:
    """Return the columns, indexes and triggers of a store."""
    with store.reader():
        found = {(table, *columns) for table, columns in all_columns(store).items()}
        for table in all_columns(store):
            for index in open_database.get_indexes(table):
                found.add((table, "index", str(sorted(index.columns)), str(index.unique)))
        if store.engine == "sqlite":
            rows = open_database.execute_sql("SELECT name FROM sqlite_master WHERE type='trigger'")
            found |= {("trigger", name) for (name,) in rows.fetchall()}
    return found


def all_columns(store: Store) -> dict[str, list[str]]:
    """Return each column with its type and whether it may be NULL, by table."""
    return {
        table: sorted(
            f"{column.name} {column.data_type} {column.null}"
            for column in open_database.get_columns(table)
        )
        for table in store.tables()
        if not table.startswith("sqlite_")  # the statistics
    }


def watched(store: Store) -> list[Any]:
    """Return what a user sees of each library, and how far they are."""
    going = store.playback.continue_watching("ann")
    return [
        [movie.title for movie in store.media.movies().items],
        [(show.title, show.episode_count) for show in store.media.shows().items],
        [(album.title, album.track_count) for album in store.media.albums().items],
        [(one.media_file_id, one.position) for one in going],
        [hit.title for hit in store.media.search("a")],
    ]


def check(store: Store) -> None:
    """Use what the upgrade must not have harmed: search, keys, works, and the next scan."""
    media = store.media
    dune = media.find_movie("Dune", year=2021)
    assert dune is not None
    files = {file.id for library in media.libraries() for file in media.files(library.id).items}
    for library in media.libraries():
        assert media.scan(library.id).added == 0
    assert files == {
        file.id for library in media.libraries() for file in media.files(library.id).items
    }
    media.save_movie(dune.library_id, id=dune.id, title="Arrakis")
    assert [hit.id for hit in media.search("arrakis")] == [dune.id]
    assert media.search("dune") == []
    assert media.movie(dune.id).media_file.id in files
    with store.writer():
        episode = Episode.select().first()
        Episode.update(episode_number=None).where(Episode.id == episode.id).execute()
        TVShow.delete().execute()
        assert (Season.select().count(), Episode.select().count()) == (0, 0)
    assert media.search("pilot") == []
    media.remove_library(dune.library_id)
    with store.reader():
        assert Movie.select().count() == 0
    assert media.search("arrakis") == []
