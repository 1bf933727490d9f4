"""The tests of viewra_listing, with the fixtures of viewra_lite: run pytest in this folder."""

import os

import pytest
from viewra_listing import Listing

from viewra_lite.errors import PluginError


@pytest.fixture
def listing(tmp_path):
    return tmp_path / "films.tsv"


@pytest.fixture
def library(viewra_store, tmp_path, listing):
    """A library, of which only the empty folder is here, and the plugin switched on."""
    (tmp_path / "films").mkdir()
    found = viewra_store.media.add_library("Films", str(tmp_path / "films"), "movie")
    viewra_store.plugins.register(Listing)
    config = {"library": found.path, "file": str(listing)}
    viewra_store.plugins.configure("listing", config)
    viewra_store.plugins.enable("listing")
    return found


def run(store, clock, listing, *lines):
    """Let the plugin read a listing, and return its error and the names of the present files."""
    listing.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    clock.advance(86_400)
    [ran] = store.plugins.run_due()
    [library] = store.media.libraries()
    files = store.media.files(library.id).items
    return ran.error, {os.path.basename(one.path) for one in files if one.status == "present"}


def test_files_come_and_go_with_the_listing(viewra_store, viewra_clock, library, listing):
    lines = [f"{1000 + number}\tFilm {number}.mkv" for number in range(8)]
    assert run(viewra_store, viewra_clock, listing, *lines)[1] == {
        f"Film {number}.mkv" for number in range(8)
    }
    error, present = run(viewra_store, viewra_clock, listing, *lines[1:], "5\tmore/New.mkv")
    assert error is None and "Film 0.mkv" not in present and "New.mkv" in present


def test_half_a_listing_marks_nothing_missing(viewra_store, viewra_clock, library, listing):
    lines = [f"{1000 + number}\tFilm {number}.mkv" for number in range(8)]
    run(viewra_store, viewra_clock, listing, *lines)
    error, present = run(viewra_store, viewra_clock, listing, *lines[:7], "10")
    assert "line 8 of the listing" in error and len(present) == 8


def test_a_library_that_is_missing_is_named(viewra_store, library, tmp_path):
    config = {"library": str(tmp_path / "other"), "file": "films.tsv"}
    viewra_store.plugins.configure("listing", config)
    with pytest.raises(PluginError, match="add the library first"):
        viewra_store.plugins.enable("listing")
