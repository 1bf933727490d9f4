"""What plugins answer becomes values of rows, and gives way to a person and to better answers."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.support.answering import Disk, answer_about, answering
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError, NotFoundError
from viewra_lite.media.models import Episode, Movie, Season, Track


pytestmark = pytest.mark.usefixtures("probing_here")


@pytest.fixture
def films(store: Store, tmp_path: Path) -> Disk:
    return Disk(store, tmp_path / "films")


@pytest.fixture
def file(films: Disk) -> str:
    [id] = films.put("Nosferatu (1922).mkv")
    return id


def movie_of(store: Store, file: str) -> Any:
    with store.reader():
        return Movie.get(Movie.media_file == file)


def movie_with(store: Store, file: str) -> Any:
    """Return the movie of a file, its best one or another version."""
    return next(
        movie
        for movie in map(lambda one: store.media.movie(one.id), store.media.movies().items)
        if file in [version.id for version in movie.files]
    )


def forget(store: Store, file: str) -> None:
    """Purge a missing file, as the chore does after some weeks."""
    store.media.tidy(store.media.db.now() + timedelta(days=60))
    with pytest.raises(NotFoundError):
        store.media.file(file)


def sources_of(row: Any) -> dict[str, Any]:
    return {name: entry[0] for name, entry in (row.sources or {}).items()}


FACTS = {
    "title": "Nosferatu, eine Symphonie des Grauens",
    "overview": "A long text. " * 60,
    "release_date": "1922-03-04",
    "rating": 7.8,
    "genres": ["Horror"],
    "imdb_id": "tt0013442",
    "awards": 3,
}


def test_answers_become_values_with_their_source_and_are_found_and_said(
    store: Store, films: Disk, file: str
) -> None:
    plugin, heard = answering(store, "omdb"), []
    store.on("metadata.applied", lambda media_file_id: heard.append(media_file_id))
    store.on("movie.updated", lambda movie_id: heard.append(movie_id))
    answer_about(plugin, "movie", file, FACTS)
    assert movie_of(store, file).title == "Nosferatu"  # not before apply
    assert store.plugins.apply() == 1
    movie = movie_of(store, file)
    assert {name: getattr(movie, name) for name in FACTS if name != "awards"} == {
        **{name: value for name, value in FACTS.items() if name != "awards"},
        "release_date": date(1922, 3, 4),
    }
    assert movie.sort_title.startswith("nosferatu, eine")
    assert movie.sources["title"] == ["plugin", FACTS["title"], "omdb", ["name", "Nosferatu"]]
    assert sources_of(movie)["year"] == "name"
    assert [hit.id for hit in store.media.search("symphonie")] == [movie.id]
    assert heard == [movie.id, file]
    assert store.plugins.apply() == 0
    films.scan()
    assert movie_of(store, file) == movie and movie_of(store, file).sources == movie.sources


def test_a_scan_does_not_undo_an_answer_but_corrects_what_it_hides(
    store: Store, films: Disk, file: str
) -> None:
    plugin = answering(store, "omdb")
    answer_about(plugin, "movie", file, {"title": "A Symphony", "year": 1921})
    store.plugins.apply()
    (films.path / "Nosferatu (1922).mkv").rename(films.path / "Nosferatu (1923).mkv")
    films.scan()
    with store.reader():
        rows = [(row.title, row.year) for row in Movie.select()]
    assert ("A Symphony", 1921) in rows
    store.plugins.uninstall("omdb", purge=True)
    with store.reader():
        assert {row.title for row in Movie.select()} == {"Nosferatu"}
        assert all(row.year in (1922, 1923) for row in Movie.select())


def test_a_better_answer_replaces_and_a_removed_one_gives_the_field_back(
    store: Store, file: str
) -> None:
    first, second = answering(store, "first"), answering(store, "second")
    answer_about(first, "movie", file, {"title": "First", "rating": 1.0, "tagline": "x"}, 0.4)
    store.plugins.apply()
    answer_about(second, "movie", file, {"title": "Second", "rating": 2.0}, 0.8)
    store.plugins.apply()
    movie = movie_of(store, file)
    assert (movie.title, movie.rating, movie.tagline) == ("Second", 2.0, "x")
    answer_about(second, "movie", file, {"rating": 3.0}, 0.8)
    store.plugins.apply()
    movie = movie_of(store, file)
    assert (movie.title, movie.rating, movie.tagline) == ("First", 3.0, "x")
    answer_about(first, "movie", file, None)
    store.plugins.apply()
    movie = movie_of(store, file)
    assert (movie.title, movie.rating, movie.tagline) == ("Nosferatu", 3.0, None)
    assert sources_of(movie) == {"title": "name", "year": "name", "rating": "plugin"}


def test_what_a_person_has_set_stays_until_it_is_unlocked(store: Store, file: str) -> None:
    plugin, movie = answering(store, "omdb"), movie_of(store, file)
    store.media.save_movie(movie.library_id, id=movie.id, title="Mine", rating=None)
    store.media.save_movie(movie.library_id, id=movie.id, overview="Ours", lock=False)
    store.plugins.lock_field("movie", movie.id, "tagline")
    said = {"title": "Theirs", "rating": 5.0, "overview": "Theirs", "tagline": "Theirs"}
    answer_about(plugin, "movie", file, said)
    store.plugins.apply()
    row = movie_of(store, file)
    assert (row.title, row.overview, row.tagline) == ("Mine", "Theirs", None)
    assert row.rating == 5.0  # it was empty before: nothing was cleared
    for name in ("title", "tagline"):
        store.plugins.unlock_field("movie", movie.id, name)
        assert getattr(movie_of(store, file), name) == "Theirs"
    store.plugins.lock_field("movie", movie.id, "overview")
    store.plugins.uninstall("omdb", purge=True)
    row = movie_of(store, file)
    assert (row.title, row.overview, row.tagline) == ("Nosferatu", "Theirs", None)
    store.plugins.unlock_field("movie", movie.id, "overview")
    assert movie_of(store, file).overview == "Ours"


def test_a_cleared_field_that_is_unlocked_has_its_value_again(store: Store, file: str) -> None:
    movie = movie_of(store, file)
    store.media.save_movie(movie.library_id, id=movie.id, year=None)
    assert movie_of(store, file).year is None
    store.plugins.unlock_field("movie", movie.id, "year")
    row = movie_of(store, file)
    assert (row.year, row.cleared, sources_of(row)["year"]) == (1922, None, "name")


def test_what_your_own_sql_wrote_stays(store: Store, file: str) -> None:
    plugin = answering(store, "omdb")
    answer_about(plugin, "movie", file, {"title": "Theirs", "overview": "Theirs", "rating": 1.0})
    with store.writer():
        Movie.update(title="By hand", overview="By hand").execute()
    store.plugins.apply()
    with store.writer():
        Movie.update(rating=9.0).execute()
    store.plugins.uninstall("omdb", purge=True)
    movie = movie_of(store, file)
    assert (movie.title, movie.overview, movie.rating) == ("By hand", "By hand", 9.0)
    store.plugins.unlock_field("movie", movie.id, "title")
    assert movie_of(store, file).title == "Nosferatu"


def test_facts_of_an_episode_may_be_about_its_show_and_its_season(
    store: Store, tmp_path: Path
) -> None:
    plugin = answering(store, "tvdb")
    shows = Disk(store, tmp_path / "shows", "tv")
    one, two = shows.put("Lost/Lost S01E01-E02.mkv", "Lost/Lost S01E03.mkv")
    facts = {
        "rating": 9.0,
        "episodes": [{"title": "Pilot, part 1"}, {"title": "Pilot, part 2", "rating": 8.0}],
        "show": {"network": "ABC", "status": "ended", "genres": ["Drama"]},
        "season": {"title": "The first"},
    }
    answer_about(plugin, "episode", one, facts, 0.5)
    answer_about(plugin, "episode", two, {"title": "Tabula", "show": {"network": "NBC"}}, 0.4)
    store.plugins.apply()
    [page] = [store.media.shows().items]
    show = store.media.show(page[0].id)
    assert (show.network, show.status, show.genres) == ("ABC", "ended", ["Drama"])
    assert [season.title for season in show.seasons] == ["The first"]
    titles = [(row.title, row.rating) for row in show.seasons[0].episodes]
    assert titles == [("Pilot, part 1", 9.0), ("Pilot, part 2", 8.0), ("Tabula", None)]
    answer_about(plugin, "episode", one, None)
    store.plugins.apply()
    show = store.media.show(show.id)
    assert (show.network, show.status, show.genres) == ("NBC", "unknown", None)
    with store.reader():
        assert [row.title for row in Season.select()] == [None]
        assert {row.title for row in Episode.select()} == {None, "Tabula"}


def test_facts_of_a_track_may_be_about_its_album(store: Store, tmp_path: Path) -> None:
    plugin = answering(store, "mb")
    music = Disk(store, tmp_path / "music", "music")
    [file] = music.put("Gould/Goldberg Variations/01 Aria.flac")
    answer_about(plugin, "track", file, {"composer": "Bach", "album": {"label": "CBS"}})
    store.plugins.apply()
    with store.reader():
        track = Track.get()
    assert track.composer == "Bach"
    assert store.media.album(track.album_id).label == "CBS"
    music.scan()
    store.plugins.uninstall("mb", purge=True)
    assert store.media.album(track.album_id).label is None


def test_metadata_for_says_who_said_what(store: Store, clock: Any, file: str) -> None:
    first, second = answering(store, "first"), answering(store, "second")
    answer_about(first, "movie", file, {"title": "First", "genres": ["Drama"], "x": 1}, 0.4)
    answer_about(second, "movie", file, {"title": "Second", "genres": ["drama", "Horror"]}, 0.8)
    store.plugins.apply()
    movie = movie_of(store, file)
    store.plugins.lock_field("movie", movie.id, "year")
    found = store.plugins.metadata_for(file)
    [row] = found.rows
    assert (found.media_file_id, row.kind, row.id) == (file, "movie", movie.id)
    title = row.fields["title"]
    assert (title.value, title.source, title.plugin) == ("Second", "plugin", "second")
    assert not title.is_locked
    assert [(one.source, one.plugin, one.value, one.confidence) for one in title.candidates] == [
        ("plugin", "second", "Second", 0.8),
        ("plugin", "first", "First", 0.4),
        ("name", None, "Nosferatu", None),
    ]
    assert all(one.answered_at is not None for one in title.candidates[:2])
    assert row.fields["genres"].value == ["drama", "Horror"]
    year = row.fields["year"]
    assert (year.value, year.source, year.is_locked) == (1922, "person", True)
    assert [(one.plugin, one.facts and one.facts.get("x")) for one in found.answers] == [
        ("first", 1),
        ("second", None),
    ]
    assert all(one.applied_at is not None for one in found.answers)


def test_values_of_a_file_that_is_gone_go_with_its_answer(store: Store, films: Disk) -> None:
    plugin = answering(store, "omdb")
    one, two = films.put("Nosferatu (1922)/a.mkv", "Nosferatu (1922)/Nosferatu (1922) - 4K.mkv")
    movie = movie_with(store, one)
    assert movie.id == movie_with(store, two).id
    answer_about(plugin, "movie", one, {"tagline": "Of the first"}, 0.9)
    answer_about(plugin, "movie", two, None)
    store.plugins.apply()
    assert store.media.movie(movie.id).tagline == "Of the first"
    (films.path / "Nosferatu (1922)/a.mkv").unlink()
    films.scan()
    assert store.media.movie(movie.id).tagline == "Of the first"  # the disk may come back
    forget(store, one)
    store.plugins.tidy(store.media.db.now())
    assert store.media.movie(movie.id).tagline is None


def test_a_show_with_answers_only_goes_with_its_last_file(store: Store, tmp_path: Path) -> None:
    plugin = answering(store, "tvdb")
    shows = Disk(store, tmp_path / "shows", "tv")
    [file] = shows.put("Lost/Lost S01E01.mkv")
    answer_about(plugin, "episode", file, {"overview": "x", "show": {"overview": "y"}})
    store.plugins.apply()
    assert [show.overview for show in store.media.shows().items] == ["y"]
    (shows.path / "Lost/Lost S01E01.mkv").unlink()
    shows.put("Other/Other S01E01.mkv")
    forget(store, file)
    assert [show.title for show in store.media.shows().items] == ["Other"]


def test_an_id_that_a_plugin_knows_joins_two_rows_of_one_film(store: Store, films: Disk) -> None:
    plugin = answering(store, "omdb")
    one, two = films.put("Nosferatu (1922).mkv", "A Symphony of Horror (1922).mkv")
    for file in (one, two):
        answer_about(plugin, "movie", file, {"imdb_id": "tt0013442", "rating": 7.8})
    store.plugins.apply()
    [movie] = store.media.movies().items
    assert (movie.imdb_id, movie.rating) == ("tt0013442", 7.8)
    assert {file.id for file in store.media.movie(movie.id).files} == {one, two}
    films.scan()
    assert plugin.todo("movie") is not None
    store.plugins.apply()
    assert [row.id for row in store.media.movies().items] == [movie.id]


def test_the_order_in_which_answers_come_does_not_matter(store: Store, films: Disk) -> None:
    facts = [
        ({"title": "A", "genres": ["Drama"], "rating": 1.0}, 0.5),
        ({"title": "B", "genres": ["Horror"], "rating": 2.0}, 0.5),
        ({"genres": ["drama", "Silent"], "rating": 3.0}, 0.4),
    ]
    plugins = [answering(store, name) for name in ("a", "b", "c")]
    orders = list(permutations(range(3)))
    files = films.put(*(f"Film {number} (1922).mkv" for number in range(len(orders))))
    for step in range(3):
        for file, order in zip(files, orders):
            answer_about(plugins[order[step]], "movie", file, *facts[order[step]])
        store.plugins.apply()
    for file in files:
        movie = movie_of(store, file)
        assert (movie.title, movie.rating) == ("A", 1.0)
        assert movie.genres == ["Drama", "Horror", "Silent"]


def test_what_cannot_be_locked_is_refused(store: Store, file: str) -> None:
    id = movie_of(store, file).id
    for verb in (store.plugins.lock_field, store.plugins.unlock_field):
        for kind, field, reason in (
            ("film", "title", "kind must be one of movie"),
            ("movie", "media_file", "field must be one of title"),
            ("movie", "network", "field must be one of title"),
            ("season", "season_number", "field must be one of title"),
        ):
            with pytest.raises(InvalidValueError, match=reason):
                verb(kind, id, field)
        with pytest.raises(NotFoundError):
            verb("movie", "no such", "title")
    with pytest.raises(NotFoundError):
        store.plugins.metadata_for("no such")
    with pytest.raises(InvalidValueError, match="lock must be True or False"):
        store.media.save_movie(movie_of(store, file).library_id, title="x", lock=None)  # type: ignore[arg-type]


def test_purge_counts_the_fields_that_it_gives_back(store: Store, file: str) -> None:
    plugin = answering(store, "omdb")
    answer_about(plugin, "movie", file, {"title": "Theirs", "rating": 7.0})
    store.plugins.run_due()
    assert movie_of(store, file).title == "Theirs"  # run_due() has applied it
    assert store.plugins.uninstall("omdb", purge=True, dry_run=True).fields == 2
    assert movie_of(store, file).title == "Theirs"
    store.plugins.uninstall("omdb")
    assert movie_of(store, file).title == "Theirs"
    assert store.plugins.uninstall("omdb", purge=True).fields == 2
    row = movie_of(store, file)
    assert (row.title, row.rating) == ("Nosferatu", None)
