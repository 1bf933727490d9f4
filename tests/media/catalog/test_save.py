"""save_*: what plugins and people know is stored as they say it, and scans leave it alone."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip, counts, ids
from viewra_lite import Store
from viewra_lite.errors import ConflictError, InvalidValueError, NotFoundError
from viewra_lite.media.models import MediaLibrary

pytestmark = pytest.mark.usefixtures("probing_here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m").mkdir()
    return tmp_path / "m"


@pytest.fixture
def library(store: Store, folder: Path) -> MediaLibrary:
    return store.media.add_library("m", folder, "movie")


def test_a_movie_is_inserted_then_updated_by_its_key_and_by_its_id(
    store: Store, library: MediaLibrary, clock: Any
) -> None:
    movie = store.media.save_movie(
        library.id,
        title="The Thing",
        year=1982,
        overview="Ice",
        genres=["Horror", "Été"],
        cast=[{"name": "Kurt"}],
        rating=8.5,
        release_date=date(1982, 6, 25),
        runtime=109,
        tmdb_id=1,
    )
    assert (movie.title, movie.sort_title, movie.year) == ("The Thing", "thing", 1982)
    assert (movie.genres, movie.cast) == (["Horror", "Été"], [{"name": "Kurt"}])
    assert (movie.release_date, movie.rating) == (date(1982, 6, 25), 8.5)
    assert movie.created_at == movie.updated_at == clock()
    clock.advance(5)
    again = store.media.save_movie(library.id, title="The thing", year=1982, rating=None)
    assert (again.id, again.title, again.rating, again.overview) == (
        movie.id,
        "The thing",
        None,
        "Ice",
    )
    assert again.updated_at == clock() > again.created_at
    renamed = store.media.save_movie(library.id, title="Das Ding", year=1983, id=movie.id)
    assert (renamed.id, renamed.title, renamed.sort_title) == (movie.id, "Das Ding", "ding")
    assert store.media.save_movie(library.id, title="Das Ding", year=1983).id == movie.id
    assert store.media.save_movie(library.id, title="The Thing", year=2011).id != movie.id
    assert len(store.media.movies().items) == 2


@pytest.mark.parametrize("title", ["Das Ding", "x" * 300, "?!"])
def test_what_was_given_another_title_is_known_by_it(
    title: str, store: Store, library: MediaLibrary, tmp_path: Path
) -> None:
    media = store.media
    (tmp_path / "other").mkdir()
    other = media.add_library("other", tmp_path / "other", "movie")
    for of_library in (library, other):
        movie = media.save_movie(of_library.id, title="The Thing", year=1982)
        media.save_movie(of_library.id, title=title, year=1982, id=movie.id)
        album = media.save_album(of_library.id, title="Thing", album_artist="Ennio")
        media.save_album(of_library.id, title=title, album_artist="Ennio", id=album.id)
    assert media.save_movie(other.id, title=title, year=1982).id == movie.id
    assert media.save_movie(other.id, title=title, year=1983).id != movie.id
    assert media.save_album(other.id, title=title, album_artist="Ennio").id == album.id
    assert media.save_album(other.id, title=title).id != album.id


def test_shows_seasons_and_episodes_are_saved(store: Store, library: MediaLibrary) -> None:
    media = store.media
    show = media.save_show(library.id, title="Lost", year=2004, status="ended", creators=["J"])
    assert (show.status, show.creators, show.seasons) == ("ended", ["J"], [])
    season = media.save_season(show.id, season_number=2, title="Two")
    assert (season.title, season.episodes) == ("Two", [])
    third = media.save_episode(show.id, season_number=1, episode_number=3, title="Tabula Rasa")
    assert (third.season_number, third.episode_number, third.title) == (1, 3, "Tabula Rasa")
    again = media.save_episode(
        show.id, season_number=1, episode_number=3, air_date=date(2004, 10, 6)
    )
    assert (again.id, again.title, again.air_date) == (third.id, "Tabula Rasa", date(2004, 10, 6))
    moved = media.save_episode(show.id, season_number=2, episode_number=1, id=third.id)
    assert (moved.id, moved.season_id) == (third.id, season.id)
    found = media.show(show.id)
    assert [(s.season_number, len(s.episodes)) for s in found.seasons] == [(1, 0), (2, 1)]
    assert media.save_season(show.id, season_number=2, overview="x").title == "Two"


def test_albums_and_tracks_are_saved(store: Store, library: MediaLibrary) -> None:
    media = store.media
    album = media.save_album(library.id, title="Low", album_artist="David Bowie", year=1977)
    assert media.save_album(library.id, title="LOW", album_artist="David Bowie").id == album.id
    assert media.save_album(library.id, title="Low").id != album.id
    track = media.save_track(album.id, title="Warszawa", track_number=8, lyrics="la")
    again = media.save_track(album.id, title="Warszawa", track_number=8, duration=380.5)
    assert (again.id, again.lyrics, again.duration) == (track.id, "la", 380.5)
    renamed = media.save_track(album.id, title="Warsaw", track_number=8, id=track.id)
    assert [t.title for t in media.album(album.id).tracks] == ["Warsaw"]
    assert renamed.id == track.id


@pytest.mark.parametrize(
    ("column", "hint"),
    [
        ("overvew", "did you mean overview?"),
        ("tmdbid", "did you mean tmdb_id?"),
        ("xyzzy", "'xyzzy': one of .*overview"),
        ("identity", "identity"),
        ("created_at", "created_at"),
        ("library", "library"),
        ("updated_at", "updated_at"),
    ],
)
def test_a_column_that_there_is_not_is_refused_with_a_hint(
    store: Store, library: MediaLibrary, column: str, hint: str
) -> None:
    with pytest.raises(InvalidValueError, match=f"movie has no .*{hint}"):
        store.media.save_movie(library.id, title="A", **{column: "x"})
    assert store.media.movies().items == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("year", "2001"),
        ("year", 2.5),
        ("year", True),
        ("year", 2**31),
        ("rating", "8"),
        ("rating", float("nan")),
        ("rating", float("inf")),
        ("overview", 5),
        ("overview", b"x"),
        ("overview", "a\0b"),
        ("overview", "\ud800"),
        ("genres", {1, 2}),
        ("genres", [float("nan")]),
        ("genres", ["a\0b"]),
        ("cast", object()),
        ("release_date", "1982"),
        ("tmdb_id", "5"),
        ("release_date", datetime(1982, 1, 1)),
        ("imdb_id", 5),
        ("title", ""),
        ("title", None),
        ("title", 5),
        ("title", "\ud800"),
        ("title", "a\0b"),
        ("media_file_id", 5),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_alike_on_both_engines(
    store: Store, library: MediaLibrary, column: str, value: Any
) -> None:
    saved = store.media.save_movie(library.id, title="A", year=1)
    values = {"title": "B", "year": 2, column: value}
    for id in (None, saved.id):
        with pytest.raises(InvalidValueError) as refused:
            store.media.save_movie(library.id, id=id, **values)
        assert column in str(refused.value) or "JSON" in str(refused.value)
    assert [movie.title for movie in store.media.movies().items] == ["A"]


@pytest.mark.parametrize("wrong", ["nobody", "", None, 5, "a\0b", "\ud800"])
def test_an_unknown_parent_row_or_file_is_not_found(
    store: Store, library: MediaLibrary, wrong: Any
) -> None:
    media = store.media
    attempts: list[Any] = [
        lambda: media.save_movie(wrong, title="A"),
        lambda: media.save_show(wrong, title="A"),
        lambda: media.save_album(wrong, title="A"),
        lambda: media.save_track(wrong, title="A"),
        lambda: media.save_season(wrong, season_number=1),
        lambda: media.save_episode(wrong, season_number=1, episode_number=1),
    ]
    if wrong is not None:
        attempts += [lambda: media.save_movie(library.id, title="A", id=wrong)]
    for attempt in attempts:
        with pytest.raises((NotFoundError, InvalidValueError)):
            attempt()
    with pytest.raises(NotFoundError, match="^no media file 'nobody'$"):
        media.save_movie(library.id, title="A", media_file_id="nobody")
    assert media.movies().items == media.shows().items == media.albums().items == []


def test_an_id_of_another_library_or_a_key_that_is_taken_is_refused(
    store: Store, library: MediaLibrary, tmp_path: Path
) -> None:
    (tmp_path / "o").mkdir()
    other = store.media.add_library("o", tmp_path / "o", "movie")
    first = store.media.save_movie(library.id, title="A")
    second = store.media.save_movie(library.id, title="B")
    with pytest.raises(NotFoundError, match=first.id):
        store.media.save_movie(other.id, title="A", id=first.id)
    with pytest.raises(ConflictError, match=second.id):
        store.media.save_movie(library.id, title="B", id=first.id)
    show = store.media.save_show(library.id, title="S")
    one = store.media.save_episode(show.id, season_number=1, episode_number=1)
    store.media.save_episode(show.id, season_number=1, episode_number=2)
    with pytest.raises(ConflictError):
        store.media.save_episode(show.id, season_number=1, episode_number=2, id=one.id)


def test_a_scan_leaves_alone_what_was_saved_and_still_knows_the_movie(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    clip(folder / "Il buono (1966) 480p.mkv", seed=1)
    store.media.scan(library.id)
    (movie,) = store.media.movies().items
    saved = store.media.save_movie(
        library.id, title="The Good, the Bad and the Ugly", year=1967, id=movie.id, overview="West"
    )
    assert [file.id for file in saved.files] == [movie.media_file_id]
    clip(folder / "Il buono (1966) 1080p.mkv", seed=2, width=128)
    clip(folder / "Il buono (1966) 480p.mkv", seed=3, width=96)
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"added": 1, "updated": 1}
    (after,) = store.media.movies().items
    assert (after.id, after.title, after.year, after.overview) == (
        movie.id,
        "The Good, the Bad and the Ugly",
        1967,
        "West",
    )
    assert len(store.media.movie(movie.id).files) == 2 and after.media_file.width == 128
    for path in folder.iterdir():
        path.rename(folder / path.name.replace("Il buono", "The Good"))
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"moved": 2}
    (after,) = store.media.movies().items
    assert (after.id, after.title) == (movie.id, "The Good, the Bad and the Ugly")
    assert len(store.media.movie(movie.id).files) == 2


def test_a_movie_that_was_saved_first_gets_its_file_from_the_scan(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    saved = store.media.save_movie(library.id, title="Amélie", year=2001, overview="Paris")
    clip(folder / "Amelie.2001.mkv")
    store.media.scan(library.id)
    (movie,) = store.media.movies().items
    assert (movie.id, movie.title, movie.overview) == (saved.id, "Amélie", "Paris")
    assert movie.media_file_id == ids(store, library.id)["Amelie.2001.mkv"]


def test_a_file_that_was_chosen_by_hand_is_among_the_movies_files(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    clip(folder / "unnamed.mkv")
    store.media.scan(library.id)
    id = ids(store, library.id)["unnamed.mkv"]
    movie = store.media.save_movie(library.id, title="Found Footage", media_file_id=id)
    assert [file.id for file in movie.files] == [id] == [movie.media_file.id]


def test_search_finds_what_is_saved_under_its_new_name_only(
    store: Store, library: MediaLibrary
) -> None:
    media = store.media
    movie = media.save_movie(library.id, title="Original Sin")
    media.save_movie(library.id, title="Renamed Virtue", id=movie.id)
    show = media.save_show(library.id, title="Some Show")
    media.save_episode(show.id, season_number=1, episode_number=1, title="Penguin")
    album = media.save_album(library.id, title="Record")
    track = media.save_track(album.id, title="Giraffe")
    media.save_track(album.id, title="Okapi", id=track.id)
    found = {
        word: [hit.kind for hit in media.search(word)]
        for word in ("original", "virtue", "penguin", "giraffe", "okapi", "record")
    }
    assert found["original"] == found["giraffe"] == []
    assert [found[word] for word in ("virtue", "penguin", "okapi")] == [
        ["movie"],
        ["episode"],
        ["track"],
    ]
    with pytest.raises(ZeroDivisionError):
        with store.writer():
            media.save_movie(library.id, title="Never Was")
            raise ZeroDivisionError
    assert media.search("never") == []


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"cast": "Audrey Tautou"}, "cast must be a list, not 'Audrey Tautou'"),
        ({"genres": {"name": "Drama"}}, "genres must be a list, not"),
        ({"rating": 99.0}, "rating must be 0 to 10, not 99.0"),
        ({"rating": -1.0}, "rating must be"),
        ({"year": 20211}, "year must be 0 to 9999, not 20211"),
        ({"runtime": 10**9}, "runtime must be 0 to 200000, not 1000000000"),
        ({"original_title": "x" * 501}, "original_title must have at most 500 characters, not 501"),
    ],
)
def test_what_the_columns_do_not_mean_is_refused(
    store: Store, tmp_path: Path, columns: dict[str, Any], reason: str
) -> None:
    library = store.media.add_library("m", tmp_path, "movie")
    with pytest.raises(InvalidValueError, match=reason):
        store.media.save_movie(library.id, title="Amélie", **columns)
    assert store.media.movies().items == []


def test_the_longest_titles_fit_both_engines(store: Store, tmp_path: Path) -> None:
    title = "".join(chr(0x20000 + number) for number in range(500))
    library = store.media.add_library("m", tmp_path, "music")
    movie = store.media.save_movie(library.id, title=title)
    album = store.media.save_album(library.id, title=title, album_artist=title[::-1])
    track = store.media.save_track(album.id, title=title, artist=title)
    assert movie.title == album.title == track.title == title
