"""save_*: what is not given stays, what is given as None is cleared, for every verb and column."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import blob
from viewra_lite import Store
from viewra_lite.errors import ConflictError, InvalidValueError
from viewra_lite.media.models import Album, Episode, Movie, Season, Track, TVShow

pytestmark = pytest.mark.usefixtures("probing_here")

KEYS: dict[Any, dict[str, Any]] = {
    Movie: {"title": "Dune", "year": 2021},
    TVShow: {"title": "Dark", "year": 2017},
    Season: {"season_number": 2},
    Episode: {"season_number": 2, "episode_number": 5},
    Album: {"title": "Low", "album_artist": "David Bowie"},
    Track: {"title": "Warszawa", "disc_number": 2, "track_number": 8},
}

PARENTS = {"library", "show", "album"}
OURS = {"id", "identity", "work", "season", "created_at", "updated_at", "cleared", "sources"}
VALUES: dict[str, Any] = {
    "TEXT": "words",
    "INT": 7,
    "BIGINT": 7,
    "DOUBLE": 6.5,
    "DATE": date(2021, 9, 3),
    "JSON": ["x"],
    "BOOL": True,
}


class Shelf:
    """A store with a parent for each kind of row, and a file."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.media = store.media
        blob(folder / "a.mkv")
        library = self.media.add_library("m", folder, "movie")
        self.media.scan(library.id)
        self.file_id = self.media.files(library.id).items[0].id
        show, album = (
            self.media.save_show(library.id, title="Show"),
            self.media.save_album(library.id, title="Album"),
        )
        self.verbs: dict[Any, tuple[Callable[..., Any], str]] = {
            Movie: (self.media.save_movie, library.id),
            TVShow: (self.media.save_show, library.id),
            Season: (self.media.save_season, show.id),
            Episode: (self.media.save_episode, show.id),
            Album: (self.media.save_album, library.id),
            Track: (self.media.save_track, album.id),
        }

    def save(self, model: Any, **values: Any) -> Any:
        verb, parent_id = self.verbs[model]
        return verb(parent_id, **values)

    def full(self, model: Any) -> dict[str, Any]:
        """Return a value for every column that a person may set."""
        values = {
            name: VALUES.get(field.field_type, "words")
            for name, field in model._meta.fields.items()
            if name not in PARENTS | OURS
        }
        if "media_file" in values:
            values["media_file"] = self.file_id
        if "status" in values:
            values["status"] = "ended"
        return {**values, **KEYS[model]}


@pytest.fixture
def shelf(store: Store, tmp_path: Path) -> Shelf:
    return Shelf(store, tmp_path / "m")


def columns(row: Any) -> dict[str, Any]:
    ours = ("updated_at", "cleared", "sources")
    return {name: value for name, value in row.__data__.items() if name not in ours}


def test_what_is_not_given_stays_whatever_is_given(shelf: Shelf) -> None:
    for model in KEYS:
        each_what_is_not_given_stays_whatever_is_given(shelf, model)


def each_what_is_not_given_stays_whatever_is_given(shelf: Shelf, model: Any) -> None:
    values = shelf.full(model)
    saved = shelf.save(model, **values)
    before = columns(saved)
    assert {name: before[name] for name in values} == values
    assert columns(shelf.save(model, id=saved.id)) == before
    assert columns(shelf.save(model, **KEYS[model])) == before
    for name, value in values.items():
        assert columns(shelf.save(model, id=saved.id, **{name: value})) == before, name
    assert model.__name__ != "Movie" or columns(
        shelf.save(model, id=saved.id, title="Dune", overview="x")
    ) == {**before, "overview": "x"}


def test_none_clears_what_may_be_unknown_and_nothing_else(shelf: Shelf) -> None:
    for model in KEYS:
        each_none_clears_what_may_be_unknown_and_nothing_else(shelf, model)


def each_none_clears_what_may_be_unknown_and_nothing_else(shelf: Shelf, model: Any) -> None:
    values = shelf.full(model)
    saved = shelf.save(model, **values)
    for name in values:
        before = columns(shelf.save(model, id=saved.id, **values))
        if model._meta.fields[name].null and name != "episode_number":
            after = columns(shelf.save(model, id=saved.id, **{name: None}))
            assert after == {**before, name: None}
        elif name != "sort_title":
            with pytest.raises(InvalidValueError, match=f"^{name} must "):
                shelf.save(model, id=saved.id, **{name: None})
            assert columns(shelf.save(model, id=saved.id)) == before


def test_a_new_row_needs_what_it_is_found_by(shelf: Shelf) -> None:
    for model in KEYS:
        each_a_new_row_needs_what_it_is_found_by(shelf, model)


def each_a_new_row_needs_what_it_is_found_by(shelf: Shelf, model: Any) -> None:
    needed = [name for name in KEYS[model] if name in ("title", "season_number", "episode_number")]
    for name in needed:
        key = {other: value for other, value in KEYS[model].items() if other != name}
        with pytest.raises(InvalidValueError, match=f"^{name} must be given for a new "):
            shelf.save(model, **key)
    saved = shelf.save(model, **{name: KEYS[model][name] for name in needed})
    unless_given = {"year": None, "album_artist": None, "disc_number": 1, "track_number": 0}
    for name in set(KEYS[model]) - set(needed):
        assert getattr(saved, name) == unless_given[name]


def test_the_order_follows_a_title_unless_a_person_chose_it(shelf: Shelf) -> None:
    movie = shelf.save(Movie, title="The Thing")
    assert movie.sort_title == "thing"
    assert shelf.save(Movie, id=movie.id, title="A Thing").sort_title == "thing"
    assert shelf.save(Movie, id=movie.id, title="Das Ding").sort_title == "ding"
    assert shelf.save(Movie, id=movie.id, sort_title="Ding 1").sort_title == "Ding 1"
    assert shelf.save(Movie, id=movie.id, title="Das Ding!").sort_title == "Ding 1"
    assert shelf.save(Movie, id=movie.id, sort_title=None).sort_title == "ding!"


def test_an_episode_keeps_its_season_until_it_is_given_another(shelf: Shelf) -> None:
    episode = shelf.save(Episode, season_number=1, episode_number=3)
    same = shelf.save(Episode, id=episode.id, episode_number=4)
    assert (same.season_number, same.episode_number, same.season_id) == (1, 4, episode.season_id)
    moved = shelf.save(Episode, id=episode.id, season_number=2)
    assert (moved.season_number, moved.episode_number) == (2, 4)
    assert moved.season_id == shelf.save(Season, season_number=2).id != same.season_id
    with pytest.raises(InvalidValueError, match="episode has no 'season_id'"):
        shelf.save(Episode, id=episode.id, season_id=same.season_id)


def test_a_track_is_found_by_its_title_where_only_one_has_it(shelf: Shelf) -> None:
    first = shelf.save(Track, title="Untitled", track_number=3)
    again = shelf.save(Track, title="Untitled", lyrics="la")
    assert (again.id, again.track_number, again.lyrics) == (first.id, 3, "la")
    second = shelf.save(Track, title="Untitled", track_number=4)
    assert second.id != first.id
    with pytest.raises(ConflictError, match="several tracks .* 'Untitled': give disc_number and"):
        shelf.save(Track, title="Untitled", lyrics="lo")
    assert shelf.save(Track, title="Untitled", disc_number=2).id not in (first.id, second.id)


def test_a_part_of_a_key_may_not_make_two_rows_one(shelf: Shelf) -> None:
    shelf.save(Movie, title="Dune", year=1984)
    new = shelf.save(Movie, title="Dune", year=2021)
    with pytest.raises(ConflictError, match="has title 'Dune', year 1984 already"):
        shelf.save(Movie, id=new.id, year=1984)
    shelf.save(Episode, season_number=1, episode_number=1)
    two = shelf.save(Episode, season_number=1, episode_number=2)
    with pytest.raises(ConflictError, match="season_number 1, episode_number 1"):
        shelf.save(Episode, id=two.id, episode_number=1)


def test_a_row_is_found_by_a_title_that_a_person_gave_it(shelf: Shelf) -> None:
    for model in (Movie, TVShow, Album):
        saved = shelf.save(model, title="Original")
        shelf.save(model, id=saved.id, title="Renamed")
        assert shelf.save(model, title="Renamed", genres=["x"]).id == saved.id


def test_what_no_work_has_is_refused_naming_its_range(shelf: Shelf) -> None:
    for model, column, value in (
        (Season, "season_number", 10**9),
        (Season, "season_number", -1),
        (Episode, "episode_number", 10**6),
        (Episode, "absolute_number", -5),
        (Track, "track_number", 10**9),
        (Track, "disc_number", -1),
        (Track, "duration", 1e14),
        (Track, "year", -1),
        (Album, "track_count", 10**9),
        (Album, "duration", -1.0),
        (TVShow, "year", 10**6),
        (Movie, "rating", 11),
    ):
        with pytest.raises(InvalidValueError, match=f"^{column} must be 0 to .*, not "):
            shelf.save(model, **{**KEYS[model], column: value})
