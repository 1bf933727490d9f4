"""The tests of viewra_awards, with the fixtures of viewra_lite: run pytest in this folder."""

import pytest
from viewra_awards import Award, Awards

from viewra_lite.errors import PluginError

CSV = "title,year,rating,won,nominated\nMetropolis,1927,8.3,2,3\n"


@pytest.fixture
def store(viewra_store, viewra_media, tmp_path):
    """A store with two films, of which one has awards, and the plugin switched on."""
    viewra_media.film("Metropolis", 1927)
    viewra_media.film("Nosferatu", 1922)
    viewra_media.scan(viewra_store)
    (tmp_path / "awards.csv").write_text(CSV, encoding="utf-8")
    viewra_store.plugins.register(Awards)
    viewra_store.plugins.configure("awards", {"file": str(tmp_path / "awards.csv")})
    viewra_store.plugins.enable("awards")
    return viewra_store


def awards(store):
    with store.reader():
        return [(award.won, award.nominated) for award in Award.select()]


def test_a_film_gets_its_awards_once(store):
    for _ in range(2):
        assert [run.error for run in store.plugins.run_due()] == [None]
    assert awards(store) == [(2, 3)]
    assert store.plugins.usage()[0].answers == 2  # nothing known is an answer too


def test_a_newer_file_counts_after_90_days(store, viewra_clock, tmp_path):
    store.plugins.run_due()
    (tmp_path / "awards.csv").write_text(CSV.replace("2,3", "4,5"), encoding="utf-8")
    viewra_clock.advance(91 * 86_400)
    store.plugins.run_due()
    assert awards(store) == [(4, 5)]


def test_awards_go_with_their_film(store):
    store.plugins.run_due()
    for library in store.media.libraries():
        store.media.remove_library(library.id)
    assert awards(store) == []


def test_a_wrong_file_is_refused(store, tmp_path):
    store.plugins.configure("awards", {"file": str(tmp_path / "missing.csv")})
    with pytest.raises(PluginError, match="title,year,rating"):
        store.plugins.enable("awards")
