"""Plugins are registered, enabled, run, and removed, and none disturbs another."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from peewee import ForeignKeyField, IntegerField

from tests.support.clock import Clock
from tests.support.plugins import AWARD, MORE, importable
from viewra_lite import Finding, MediaLibrary, Store
from viewra_lite.errors import InvalidValueError, NotFoundError, PluginError, TransactionError
from viewra_lite.media.models import Movie
from viewra_lite.plugins import Plugin, PluginModel, on


MADE: dict[str, Plugin] = {}
"""By id: the instance that was enabled last."""


class Counter(Plugin):
    id = "counter"
    version = "2.1"

    def check(self) -> None:
        MADE[self.id] = self

    def run(self, now: datetime) -> None:
        self.storage["runs"] = self.storage.get("runs", 0) + 1

    @on("library.added")
    def added(self, library_id: str) -> None:
        self.storage["library"] = library_id


class Award(PluginModel):
    movie = ForeignKeyField(Movie, on_delete="CASCADE", backref="+", lazy_load=False)
    won = IntegerField()


class Omdb(Plugin):
    id = "omdb"
    models = (Award,)
    migrations = "omdb_migrations"

    def check(self) -> None:
        MADE[self.id] = self

    def run(self, now: datetime) -> None:
        with self.writing():
            Movie.select().count()
        with self.reading():
            found = Award.select().count()
        self.storage["awards"] = found


class Failing(Plugin):
    id = "failing"

    def run(self, now: datetime) -> None:
        raise OSError("the server does not answer")


@pytest.fixture
def scripts(tmp_path: Path) -> Iterator[Path]:
    """The migrations of Omdb."""
    folder = tmp_path / "code"
    files = {"omdb_migrations/__init__.py": "", "omdb_migrations/0001_initial.py": AWARD}
    with importable(folder, files):
        yield folder / "omdb_migrations"


def add_folder(store: Store, path: Path) -> MediaLibrary:
    path.mkdir()
    return store.media.add_library("Films", path, "movie")


def value(id: str, key: str) -> Any:
    return MADE[id].storage.get(key)


def test_a_plugin_is_off_until_it_is_enabled(store: Store) -> None:
    found = store.plugins.register(Counter)
    assert (found.id, found.name, found.version, found.state) == (
        "counter",
        "counter",
        "2.1",
        "off",
    )
    assert found.reason and "enable" in found.remedy
    assert store.plugins.run_due() == []
    found = store.plugins.enable("counter")
    assert (found.state, found.reason, found.remedy) == ("on", "", "")
    assert [run.id for run in store.plugins.run_due()] == ["counter"]
    assert store.plugins.plugin("counter").last_run == store.media.db.now()
    off = store.plugins.disable("counter")
    assert off.state == "off" and off.finding is None
    assert store.plugins.run_due() == []
    assert value("counter", "runs") == 1


def test_an_enabled_plugin_is_on_when_it_is_registered_again(
    store_config: Any, tmp_path: Path
) -> None:
    for expected in ("off", "on", "on"):
        with Store.open(store_config) as store:
            assert store.plugins.register(Counter).state == expected
            store.plugins.enable("counter")
            store.plugins.run_due()
            runs = value("counter", "runs")
    assert runs == 3
    with Store.open(store_config) as store:
        [absent] = store.plugins.plugins()
        assert (absent.id, absent.state, absent.version) == ("counter", "absent", "2.1")
        with pytest.raises(PluginError, match="not installed") as error:
            store.plugins.enable("counter")
        assert "purge=True" in error.value.remedy
        assert store.plugins.run_due() == []


def test_it_listens_while_it_is_on_and_after_the_commit(store: Store, tmp_path: Path) -> None:
    store.plugins.register(Counter)
    store.plugins.enable("counter")
    store.plugins.disable("counter")
    add_folder(store, tmp_path / "a")
    assert value("counter", "library") is None
    store.plugins.enable("counter")
    with store.writer():
        library = add_folder(store, tmp_path / "b")
        assert value("counter", "library") is None
    assert value("counter", "library") == library.id
    store.plugins.uninstall("counter", purge=True)
    add_folder(store, tmp_path / "c")


def test_a_listener_that_fails_stops_no_other_and_ends_its_own_plugin_in_the_end(
    store: Store, tmp_path: Path
) -> None:
    class Deaf(Plugin):
        id = "adeaf"  # called before the counter

        @on("library.added")
        def added(self) -> None:
            raise ValueError("no ears")

    for kind in (Deaf, Counter):
        store.plugins.register(kind)
        store.plugins.enable(kind.id)
    for number in range(5):
        assert store.plugins.plugin("adeaf").state == "on"
        library = add_folder(store, tmp_path / str(number))
        assert value("counter", "library") == library.id
    found = store.plugins.plugin("adeaf")
    assert found.state == "failing" and "ValueError: no ears" in found.reason
    assert store.plugins.plugin("counter").state == "on"


def test_a_plugin_that_fails_is_tried_later_and_later_and_then_is_off(
    store: Store, clock: Clock
) -> None:
    for kind in (Failing, Counter):
        store.plugins.register(kind)
        store.plugins.enable(kind.id)
    for again_s in (60, 120, 240, 480):
        first, second = store.plugins.run_due()
        assert first.error == "OSError: the server does not answer" and second.error is None
        assert store.plugins.plugin("failing").error == first.error
        clock.advance(again_s - 1)
        assert [run.id for run in store.plugins.run_due()] == ["counter"]
        clock.advance(1)
    store.plugins.run_due()
    found = store.plugins.plugin("failing")
    assert found.state == "failing" and "5 times" in found.reason and found.last_run == clock()
    text = f"the plugin {found.id} is failing: {found.reason}"
    assert found.finding == Finding("plugins", "warning", text, found.remedy)
    assert [one.id for one in store.plugins.plugins(state="failing")] == ["failing"]
    clock.advance(100_000)
    assert [run.id for run in store.plugins.run_due()] == ["counter"]
    assert store.plugins.enable("failing").state == "on"
    assert len(store.plugins.run_due(clock() + timedelta(days=1))) == 2


def test_a_success_ends_the_count_of_failures(store: Store, clock: Clock) -> None:
    class Moody(Plugin):
        id = "moody"

        def run(self, now: datetime) -> None:
            self.storage["runs"] = number = self.storage.get("runs", 0) + 1
            if number % 3:
                raise OSError(number)

    store.plugins.register(Moody)
    store.plugins.enable("moody")
    for _ in range(12):
        store.plugins.run_due()
        clock.advance(600)
    assert store.plugins.plugin("moody").state == "on"


def test_own_tables_come_with_enable_and_go_with_purge(store: Store, scripts: Path) -> None:
    store.plugins.register(Omdb)
    assert not [name for name in store.tables() if "omdb" in name]
    store.plugins.enable("omdb")
    tables = {name for name in store.tables() if "omdb" in name}
    assert tables == {"plugin_omdb_award", "viewra_migrations_plugin_omdb"}
    store.plugins.run_due()
    assert value("omdb", "awards") == 0
    [usage] = store.plugins.usage()
    assert usage.tables == {"plugin_omdb_award": 0} and usage.storage_keys == 1
    assert store.migrations.drift() == []
    assert store.plugins.uninstall("omdb", dry_run=True, purge=True) == usage
    assert store.plugins.plugin("omdb").state == "on"

    assert store.plugins.uninstall("omdb") == usage
    assert store.plugins.plugin("omdb").state == "absent"
    assert store.plugins.register(Omdb).state == "off"
    store.plugins.enable("omdb")
    assert value("omdb", "awards") == 0

    store.plugins.uninstall("omdb")
    assert store.plugins.uninstall("omdb", purge=True) == usage  # without the code
    assert not [name for name in store.tables() if "omdb" in name]
    assert store.plugins.plugins() == [] and store.plugins.usage() == []
    with pytest.raises(NotFoundError):
        store.plugins.uninstall("omdb")
    store.plugins.register(Omdb)
    store.plugins.enable("omdb")
    assert "plugin_omdb_award" in store.tables()


def test_a_newer_version_is_migrated_and_an_older_one_is_incompatible(
    store_config: Any, scripts: Path
) -> None:
    with Store.open(store_config) as store:
        store.plugins.register(Omdb)
        store.plugins.enable("omdb")
    more = scripts / "0002_more.py"
    more.write_text(MORE)
    with Store.open(store_config) as store:
        assert store.plugins.register(Omdb).state == "on"
        columns = store.media.db.backend.database.get_columns
        with store.reader():
            assert "year" in {column.name for column in columns("plugin_omdb_award")}
    more.unlink()
    with Store.open(store_config) as store:
        found = store.plugins.register(Omdb)
        assert found.state == "incompatible" and "0002_more" in found.reason and found.remedy
        with pytest.raises(PluginError, match="0002_more"):
            store.plugins.enable("omdb")
        assert store.plugins.run_due() == []
        assert store.plugins.plugin("omdb").state == "incompatible"
        more.write_text(MORE)
        assert store.plugins.enable("omdb").state == "on"


def test_tables_without_a_history_are_not_taken_over(store: Store, scripts: Path) -> None:
    store.plugins.register(Omdb)
    store.plugins.enable("omdb")
    store.plugins.uninstall("omdb")
    with store.writer():
        store.media.db.backend.database.execute_sql("DROP TABLE viewra_migrations_plugin_omdb")
    store.plugins.register(Omdb)
    with pytest.raises(PluginError, match="without a history"):
        store.plugins.enable("omdb")
    found = store.plugins.plugin("omdb")
    assert found.state == "broken" and "purge" in found.remedy
    store.plugins.uninstall("omdb", purge=True)
    store.plugins.register(Omdb)
    assert store.plugins.enable("omdb").state == "on"


def test_check_decides_before_anything_is_changed(store: Store, scripts: Path) -> None:
    class Refusing(Omdb):
        def check(self) -> None:
            raise PluginError("the key is refused", remedy="get one at omdbapi.com")

    store.plugins.register(Refusing)
    with pytest.raises(PluginError, match="the key is refused: get one at omdbapi.com") as error:
        store.plugins.enable("omdb")
    assert error.value.remedy == "get one at omdbapi.com"
    assert store.plugins.plugin("omdb").state == "off"
    assert "plugin_omdb_award" not in store.tables()


def test_what_another_process_has_switched_counts_at_the_next_run(store: Store) -> None:
    store.plugins.register(Counter)
    store.plugins.enable("counter")
    with store.writer():  # as another process does
        store.media.db.backend.database.execute_sql("UPDATE plugins SET enabled = FALSE")
    assert store.plugins.run_due() == []
    with store.writer():
        store.media.db.backend.database.execute_sql("UPDATE plugins SET enabled = TRUE")
    assert [run.error for run in store.plugins.run_due()] == [None]


def test_a_plugin_runs_once_at_a_time(store: Store) -> None:
    store.plugins.register(Counter)
    store.plugins.enable("counter")
    with store.media.db.exclusive("plugin-counter"):
        assert store.plugins.run_due() == []
    assert len(store.plugins.run_due()) == 1


@pytest.mark.parametrize("wrong", [Plugin(), "omdb", None, int, Movie])
def test_only_a_class_of_plugins_can_be_registered(store: Store, wrong: Any) -> None:
    with pytest.raises(InvalidValueError, match="plugin_class must be a subclass of Plugin"):
        store.plugins.register(wrong)
    assert store.plugins.plugins() == []


def test_verbs_refuse_what_they_do_not_know(store: Store) -> None:
    plugins = store.plugins
    for verb in (plugins.plugin, plugins.enable, plugins.disable, plugins.uninstall):
        for id in ("nothing", "", "a\0b", "x" * 1000, 5, None, ["a"]):
            with pytest.raises(NotFoundError):
                verb(id)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        plugins.configure("nothing", {})
    with pytest.raises(InvalidValueError, match="off, on"):
        plugins.plugins(state="asleep")
    with pytest.raises(InvalidValueError):
        plugins.run_due("now")  # type: ignore[arg-type]
    with store.reader(), pytest.raises(TransactionError):
        plugins.run_due()
    with store.writer(), pytest.raises(TransactionError):
        plugins.register(Counter)


def test_a_plugin_of_an_adopted_database_is_absent_and_can_be_removed(store: Store) -> None:
    weird = ("omdb_extra", 'a"b', "metadata", "storage")
    insert = (
        "INSERT INTO plugins (id, name, type, enabled, config, created_at, updated_at) VALUES "
        "('{}', 'n', 't', TRUE, '{{\"key\": \"s3cret\"}}', '2024-01-01', '2024-01-01')"
    )
    with store.writer():
        for id in weird:
            store.media.db.backend.database.execute_sql(insert.format(id))
        store.media.db.backend.database.execute_sql("CREATE TABLE plugin_omdb_extra_x (id INTEGER)")
    before = set(store.tables())
    found = store.plugins.plugins(state="absent")
    assert {one.id for one in found} == set(weird)
    assert "s3cret" not in repr(found)
    for id in weird:
        store.plugins.uninstall(id, purge=True)
    assert store.plugins.plugins() == [] and set(store.tables()) == before


def test_a_plugin_has_a_logger_of_its_own(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    class Talking(Plugin):
        id = "talking"

        def run(self, now: datetime) -> None:
            self.log.info("it is %s", "time")

    store.plugins.register(Talking)
    store.plugins.enable("talking")
    with caplog.at_level(logging.INFO, logger="viewra_lite.plugins"):
        store.plugins.run_due()
    assert ("viewra_lite.plugins.talking", logging.INFO, "it is time") in caplog.record_tuples
