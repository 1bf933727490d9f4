"""The blocks of a plugin: what is allowed in them, how they nest, and how they end."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from peewee import IntegrityError, fn

from tests.support.guest import Guest, Line, Note, Other, dump, guest_of
from tests.support.asking import Films, answer_row, started
from tests.support.configured import configured
from tests.support.plugins import importable
from viewra_lite import MediaLibrary, Store
from viewra_lite.errors import ConflictError, PluginError, TransactionError
from viewra_lite.media.models import Movie


@pytest.fixture
def guest(store: Store, tmp_path: Path) -> Iterator[Guest]:
    with guest_of(store, tmp_path) as plugin:
        yield plugin


def texts(store: Store) -> list[str]:
    with store.reader():
        return sorted(note.text for note in Note.select())


def refused_write() -> None:
    MediaLibrary.update(name="x").execute()


def test_what_plugins_do_is_allowed(store: Store, guest: Guest) -> None:
    database: Any = Note._meta.database
    with guest.writing():
        library = MediaLibrary.select().get()
        Note.insert_many([{"library": library, "text": f"note {n}"} for n in range(9)]).execute()
        Note.insert(text="note 1", library=None).on_conflict(
            conflict_target=[Note.text], preserve=[Note.library]
        ).execute()
        Note.insert(text="note 1").on_conflict_ignore().execute()
        Note.insert_from(MediaLibrary.select(MediaLibrary.name), [Note.text]).execute()
        Note.update(text=Note.text.concat("!")).where(Note.text == "note 2").execute()
        note = Note.create(text="delete from media_libraries; select into plugins from plugins()")
        Line.create(note=note)
        assert Line.delete().where(Line.note == note).execute() == 1
        Line.create(note=note)
        assert note.delete_instance() == 1  # and its line, by the cascade
        with database.atomic() as savepoint:
            Note.create(text="undone")
            savepoint.rollback()
        joined = Note.select(Note, MediaLibrary).join(MediaLibrary).order_by(fn.random())
        assert len(list(joined)) == 8
        recent = Note.select(Note.id).cte("recent", columns=["id"])
        assert Note.select().join(recent, on=(Note.id == recent.c.id)).with_cte(recent).count()
        assert Movie.select().count() == 0 and database.get_tables()
        assert database.get_columns("plugin_guest_note")
        assert store.media.movies().items == [] and store.media.search("dune") == []
        assert store.media.library(library.id).name == "Films"
        guest.storage["seen"] = 9
        assert guest.storage["seen"] == 9 and list(guest.storage) == ["seen"]
        del guest.storage["seen"]
        with guest.reading():
            assert Note.select().count() == 11
        with guest.writing():
            Note.create(text="nested")
        database.execute_sql("UPDATE plugin_guest_note SET text = 'once' WHERE text = 'nested'")
    assert len(texts(store)) == 12 and "once" in texts(store)
    if store.engine == "postgres":
        with guest.writing():
            database.execute_sql(
                "SELECT id FROM media_libraries FOR NO KEY UPDATE OF media_libraries"
            )


def test_a_nested_block_is_a_savepoint(store: Store, guest: Guest) -> None:
    with guest.writing():
        Note.create(text="outer")
        with pytest.raises(KeyError), guest.writing():
            Note.create(text="inner")
            raise KeyError("of the plugin")
        with pytest.raises(ConflictError), guest.writing():
            Note.create(text="outer")
    assert texts(store) == ["first", "outer"]


def test_what_was_refused_ends_the_whole_block_whoever_catches_it(
    store: Store, guest: Guest
) -> None:
    before = dump(store)
    with pytest.raises(PluginError, match="media_libraries"), guest.writing():
        Note.create(text="outer")
        with pytest.raises(PluginError, match="media_libraries"), guest.writing():
            refused_write()
        Note.create(text="after it")
    with pytest.raises(KeyError), guest.writing():  # an error of its own is not replaced
        with pytest.raises(PluginError), guest.writing():
            refused_write()
        raise KeyError("of the plugin")
    assert dump(store) == before


def test_the_plugins_own_verbs_leave_no_gap(store: Store, guest: Guest) -> None:
    before = dump(store)
    for sql in (
        "DELETE FROM plugin_storage",
        "DELETE FROM plugin_metadata",
        "SELECT value FROM plugin_storage",
        "UPDATE media_libraries SET name = 'x'",
    ):
        for moment in ("before", "after"):
            with pytest.raises(PluginError), guest.writing():
                if moment == "after":
                    guest.storage["seen"] = 1
                Note._meta.database.execute_sql(sql)  # type: ignore[attr-defined]
                guest.storage["seen"] = 1
    assert dump(store) == before


def test_it_asks_and_answers_in_a_block(store: Store, tmp_path: Path, guest: Guest) -> None:
    plugin = started(store)
    Films(store, tmp_path / "films").film("Dune.mkv")
    with pytest.raises(PluginError, match="media_files"), plugin.writing():
        [item] = plugin.todo("movie")
        plugin.answer(item, {"title": "Dune"})
        Note._meta.database.execute_sql("DELETE FROM media_files")  # type: ignore[attr-defined]
    with plugin.writing():
        [item] = plugin.todo("movie")
        plugin.failed(item, "away")
        plugin.answer(item, {"title": "Dune"})
    assert plugin.todo("movie") == []
    assert answer_row(store, item.id).metadata == {"title": "Dune"}


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_however_a_block_ends_the_store_is_free_after_it(
    store: Store, guest: Guest, error: type[BaseException]
) -> None:
    for block in (guest.writing, guest.reading):
        with pytest.raises(error), block():
            Note.select().count()
            raise error()
        is_free(store)


def test_a_block_that_is_never_left_is_rolled_back(store: Store, guest: Guest) -> None:
    def abandoned(block: Callable[[], Any]) -> Iterator[None]:
        with block():
            Note.select().count()
            yield

    for block in (guest.writing, guest.reading):
        running = abandoned(block)
        next(running)
        del running
        gc.collect()
        is_free(store)


def test_a_block_inside_the_hosts_ends_with_itself(store: Store, guest: Guest) -> None:
    with store.writer():
        MediaLibrary.update(name="Before").execute()
        with guest.writing():
            Note.create(text="inside")
        with pytest.raises(PluginError), guest.writing():
            Note.create(text="undone")
            refused_write()
        with pytest.raises(PluginError), guest.reading():
            refused_write()
        with guest.reading():
            assert Note.select().count() == 2
        is_free(store)
        MediaLibrary.update(name="After").execute()
    assert [one.name for one in store.media.libraries()] == ["After"]
    assert texts(store) == ["first", "inside"]
    with store.reader():
        with pytest.raises(PluginError), guest.reading(), guest.reading():
            list(Note._meta.database.execute_sql("SELECT * FROM plugins"))  # type: ignore[attr-defined]
    is_free(store)


def test_a_block_of_another_plugin_is_not_part_of_this_one(store: Store, guest: Guest) -> None:
    with guest.writing(), pytest.raises(PluginError, match="other .* guest"):
        with Other.instance.writing():
            pass
    with guest.writing(), pytest.raises(PluginError, match="other .* guest"):
        with Other.instance.reading():
            pass
    is_free(store)


def test_a_writing_block_inside_a_reading_one_is_refused(store: Store, guest: Guest) -> None:
    with pytest.raises(TransactionError), guest.reading(), guest.writing():
        pass
    with pytest.raises(TransactionError), guest.writing(), guest.reading():
        Note.create(text="x")
    is_free(store)


def test_errors_of_its_own_statements_are_the_usual_ones(store: Store, guest: Guest) -> None:
    with pytest.raises(ConflictError), guest.writing():
        Note.create(text="first")
    with guest.writing():
        with pytest.raises(IntegrityError), Note._meta.database.atomic():  # type: ignore[attr-defined]
            Note.create(text="first")
        Note.create(text="second")
    assert texts(store) == ["first", "second"]


def test_a_block_that_takes_too_long_is_rolled_back(
    store_config: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Store.open(store_config) as store, guest_of(store, tmp_path):
        before = dump(store)
    with (
        importable(tmp_path / "code", {}),
        Store.open(configured(store_config, plugin_writing_ms=1)) as store,
    ):
        store.plugins.register(Guest)
        guest = Guest.instance
        with pytest.raises(PluginError, match="0.001 s") as error, guest.writing():
            over = monotonic() + 0.001
            while monotonic() <= over:  # at its end
                pass
        with pytest.raises(PluginError, match="0.001 s") as error, guest.writing():
            for _ in range(1_000_000):  # at the next statement
                Note.select().count()
        assert "plugin_writing_ms" in error.value.remedy
        assert "0.001 s" in caplog.text
        assert dump(store) == before
        with guest.reading():
            assert Note.select().count() == 1
        is_free(store)


def is_free(store: Store) -> None:
    """The thread may do again what a plugin may not, and no setting of the block is left."""
    database: Any = MediaLibrary._meta.database
    with store.writer():
        MediaLibrary.update(name="Films").execute()
        assert database.execute_sql("SELECT config FROM plugins").fetchall()
        if store.engine == "sqlite":
            large = database.execute_sql("SELECT length(zeroblob(20000000))").fetchone()[0]
            assert large == 20_000_000
        else:
            assert database.execute_sql("SHOW statement_timeout").fetchone() == ("0",)
            database.execute_sql("SELECT pg_advisory_xact_lock(7)")
