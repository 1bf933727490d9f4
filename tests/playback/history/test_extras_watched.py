"""A trailer that was watched is an extra, with its title and of what it is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip
from viewra_lite import Store
from viewra_lite.playback.history.stats import TitleTotal

pytestmark = pytest.mark.usefixtures("probing_here")
pytest.importorskip("guessit")

EXTRAS = {
    "movie": {
        "Dune (2021)/Dune (2021).mkv": ("movie", "Dune (2021)", "Dune (2021)"),
        "Dune (2021)/Trailers/Teaser.mkv": ("extra", "Dune (2021) - Teaser", "Dune (2021)"),
        "Dune (2021)/Dune (2021)-behindthescenes.mkv": (
            "extra",
            "Dune (2021) - Behind the scenes",
            "Dune (2021)",
        ),
    },
    "tv": {
        "Dark/Season 1/Dark S01E01.mkv": ("episode", "Dark S01E01", "Dark"),
        "Dark/Season 1/Interviews/Cast.mkv": ("extra", "Dark - Cast", "Dark"),
        "Dark/Trailers/First look.mkv": ("extra", "Dark - First look", "Dark"),
    },
}


def watched(store: Store, clock: Any, file_id: str) -> None:
    """Watch all of a file, a minute after the last one."""
    clock.advance(3600)
    session = store.playback.start_session(file_id, user_id="ann", duration=100.0)
    clock.advance(99)
    store.playback.heartbeat(session.id, 99.0)
    store.playback.stop_session(session.id, position=100.0)


def library_of(store: Store, folder: Path, kind: str) -> dict[str, str]:
    """Scan a library of clips; return the ids of its files by their names."""
    for seed, name in enumerate(EXTRAS[kind]):
        clip(folder / name, seed=seed)
    library = store.media.add_library(kind, folder, kind)
    store.media.scan(library.id)
    found = {}
    for name in EXTRAS[kind]:
        file = store.media.find_file(library.id, folder / name)
        assert file is not None
        found[name] = file.id
    return found


@pytest.mark.parametrize("kind", ["movie", "tv"])
def test_history_names_an_extra_and_what_it_belongs_to(
    store: Store, tmp_path: Path, clock: Any, kind: str
) -> None:
    files = library_of(store, tmp_path / kind, kind)
    for id in files.values():
        watched(store, clock, id)
    plays = store.playback.history("ann").items
    assert [(play.kind, play.title, play.top_title) for play in reversed(plays)] == list(
        EXTRAS[kind].values()
    )


def test_statistics_list_extras_apart_and_count_all(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    film, *extras = library_of(store, tmp_path / "films", "movie").values()
    for id in (film, *extras):
        watched(store, clock, id)
    for _ in range(2):
        stats = store.playback.stats()
        assert (stats.plays, stats.completed) == (3, 3)
        [of_film], [of_extras] = stats.top_titles, stats.top_extras
        assert (of_film.kind, of_film.title, of_film.plays) == ("movie", "Dune (2021)", 1)
        assert of_extras == TitleTotal("extra", "Dune (2021)", 2, 2, of_film.hours * 2)
        store.playback.archive_history(older_than=timedelta(0))


def test_a_play_from_elsewhere_and_an_open_session_are_of_an_extra_too(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    _, teaser, _ = library_of(store, tmp_path / "films", "movie").values()
    session = store.playback.start_session(teaser, user_id="bob", duration=100.0)
    assert (session.kind, session.title) == ("extra", "Dune (2021) - Teaser")
    store.playback.record_play("ann", teaser, played_at=clock())
    [play] = store.playback.history("ann").items
    assert (play.kind, play.top_title) == ("extra", "Dune (2021)")
    assert store.playback.continue_watching("bob") == []


def test_an_extra_of_a_film_that_is_not_there_has_its_own_title(
    store: Store, tmp_path: Path
) -> None:
    clip(tmp_path / "films/Gone (1999)/Trailers/Teaser.mkv")
    library = store.media.add_library("films", tmp_path / "films", "movie")
    store.media.scan(library.id)
    [file] = store.media.files(library.id).items
    session = store.playback.start_session(file.id, user_id="ann", duration=100.0)
    assert (session.kind, session.title, session.top_title) == ("extra", "Teaser", "Teaser")
