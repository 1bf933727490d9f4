"""A plugin whose check() or run() never ends holds neither the host nor another plugin."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.configured import configured
from tests.support.threads import in_thread
from viewra_lite import FileFacts, Store
from viewra_lite.errors import PluginError, StoreBusyError
from viewra_lite.plugins import Plugin

DEADLINE_S = 60.0
"""For what comes at once, whatever the machine has to do besides."""


class Hanging(Plugin):
    """Hangs where a test says, until it is released."""

    id = "ahanging"
    hangs_in = ""
    calls = 0
    entered = threading.Event()
    release = threading.Event()

    def check(self) -> None:
        self.hang("check")

    def run(self, now: datetime) -> None:
        type(self).calls += 1
        self.hang("run")

    def hang(self, where: str) -> None:
        self.entered.set()
        if self.hangs_in == where:
            self.release.wait(DEADLINE_S)


class Holding(Hanging):
    """Hangs while it holds the writer of the store."""

    id = "aholding"

    def run(self, now: datetime) -> None:
        while True:  # run_due() may write just then, for longer than busy_timeout_ms
            with suppress(StoreBusyError), self.writing():  # the next attempt may get it
                super().run(now)
                return


class Other(Plugin):
    id = "other"
    ran = threading.Event()

    def run(self, now: datetime) -> None:
        self.ran.set()


class Answering(Plugin):
    id = "answering"
    answers = ("movie",)
    enabled: Answering

    def check(self) -> None:
        type(self).enabled = self


class NotRefusing(Plugin):
    id = "refusing"

    def check(self) -> None:
        raise SystemExit("no")


@pytest.fixture
def store(store_config: Any, clock: Clock) -> Iterator[Store]:
    """A store that does not wait long for the writer, and a test's own events."""
    for kind in (Hanging, Holding, Other):
        for name in ("entered", "release", "ran"):
            if hasattr(kind, name):
                setattr(kind, name, threading.Event())
    Hanging.calls = Holding.calls = 0
    with Store.open(configured(store_config, busy_timeout_ms=500), clock=clock) as opened:
        yield opened
    release_all()


def release_all() -> None:
    """Let all that hangs end, and wait for its threads."""
    for kind in (Hanging, Holding):
        kind.release.set()
    for thread in threading.enumerate():
        if thread.name.startswith("viewra-plugin-"):
            thread.join(DEADLINE_S)


def enabled(store: Store, kind: type[Plugin]) -> None:
    """Register and enable a plugin that does not hang."""
    store.plugins.register(kind)
    store.plugins.enable(kind.id)


def hurry(store: Store, milliseconds: int = 1) -> None:
    """Wait for plugins as shortly as possible from now on."""
    store.plugins.config = configured(
        store.plugins.config, plugin_check_ms=milliseconds, plugin_run_ms=milliseconds
    )


def test_a_check_that_hangs_is_refused_and_not_called_again_while_it_runs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hanging, "hangs_in", "check")
    store.plugins.register(Hanging)
    hurry(store)
    with pytest.raises(PluginError, match=r"check\(\) did not end within 0.001 s") as error:
        store.plugins.enable("ahanging")
    assert "plugin_check_ms" in error.value.remedy
    with pytest.raises(PluginError, match=r"check\(\) is still running"):
        store.plugins.enable("ahanging")
    assert store.plugins.plugin("ahanging").state == "off"
    assert store.plugins.run_due() == []
    monkeypatch.setattr(Hanging, "hangs_in", "")
    release_all()
    hurry(store, 60_000)
    enabled(store, Hanging)


@pytest.mark.parametrize("kind", [Hanging, Holding])
def test_a_run_that_hangs_is_failing_and_the_others_get_their_turn(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch, kind: type[Hanging]
) -> None:
    monkeypatch.setattr(Hanging, "hangs_in", "run")
    enabled(store, kind)
    enabled(store, Other)
    kind.entered.clear()
    hurry(store)
    first, *_ = store.plugins.run_due()
    assert (first.id, first.error) == (kind.id, "run() did not end within 0.001 s")
    assert Other.ran.wait(DEADLINE_S)
    assert store.media.movies().items == []
    status = store.plugins.plugin(kind.id)
    assert (status.state, status.reason) == ("failing", first.error)
    assert status.remedy
    assert kind.entered.wait(DEADLINE_S)
    clock.advance(7 * 86_400)
    with pytest.raises(PluginError, match=r"run\(\) is still running"):
        store.plugins.enable(kind.id)
    assert kind.id not in [run.id for run in in_thread(store.plugins.run_due)]
    assert kind.calls == 1
    monkeypatch.setattr(Hanging, "hangs_in", "")
    release_all()
    assert store.plugins.plugin(kind.id).state == "failing"
    assert store.plugins.plugin(kind.id).error == first.error
    hurry(store, 60_000)
    store.plugins.enable(kind.id)
    assert kind.id in [run.id for run in store.plugins.run_due()]
    assert kind.calls == 2


@pytest.mark.parametrize("kind", [Hanging, Holding])
def test_the_store_closes_and_opens_while_a_plugin_hangs(
    store_config: Any, clock: Clock, store: Store, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    monkeypatch.setattr(Hanging, "hangs_in", "run")
    enabled(store, kind)
    kind.entered.clear()
    hurry(store)
    store.plugins.run_due()
    assert kind.entered.wait(DEADLINE_S)
    store.close()
    with Store.open(store_config, clock=clock) as again:
        again.plugins.register(kind)
        state = again.plugins.plugin(kind.id).state
        assert kind is Holding or state == "failing"  # while it held the writer nothing was stored
        assert [run.id for run in again.plugins.run_due()] == []
    release_all()


def test_what_a_call_raises_is_the_plugins_failure(store_config: Any, clock: Clock) -> None:
    with Store.open(store_config, clock=clock) as store:
        store.plugins.register(NotRefusing)
        with pytest.raises(PluginError, match="SystemExit: no"):
            store.plugins.enable("refusing")


def test_another_process_may_not_run_it_meanwhile(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hanging, "hangs_in", "run")
    enabled(store, Hanging)
    Hanging.entered.clear()
    hurry(store)
    store.plugins.run_due()
    assert Hanging.entered.wait(DEADLINE_S)
    backend = store.media.db.backend
    assert backend.is_locked("plugin-ahanging")
    release_all()
    assert not backend.is_locked("plugin-ahanging")


def test_answers_wait_while_a_run_that_hangs_holds_the_writer(
    store: Store, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = store.media.add_library("Films", tmp_path, "movie")
    with store.media.reconcile(library.id) as files:
        files.add(FileFacts(str(tmp_path / "Heat.mkv"), 1, 1))
    [file] = store.media.files(library.id).items
    movie = store.media.save_movie(library.id, title="Heat", media_file=file.id)
    monkeypatch.setattr(Hanging, "hangs_in", "run")
    enabled(store, Holding)
    enabled(store, Answering)
    [item] = Answering.enabled.todo("movie", limit=10)
    Answering.enabled.answer(item, {"overview": "A heist."})
    hurry(store, 300)  # mostly long enough to hold the writer before answers are applied
    first, *_ = store.plugins.run_due()
    assert first.id == Holding.id and Holding.entered.wait(DEADLINE_S)
    assert store.plugins.run_due() == []
    release_all()
    store.plugins.run_due()
    assert store.media.movie(movie.id).overview == "A heist."
