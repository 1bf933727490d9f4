"""find_*: what other programs say of a movie, an episode, a track or a file finds it."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest

from viewra_lite import FileFacts, Store
from viewra_lite.errors import InvalidValueError
from viewra_lite.media.models import MediaFile, MediaLibrary


@pytest.fixture
def other(store: Store, tmp_path: Path) -> MediaLibrary:
    """A second library."""
    (tmp_path / "more").mkdir()
    return store.media.add_library("More", tmp_path / "more", "movie")


def add_files(store: Store, library: MediaLibrary, *paths: str) -> list[str]:
    """Make files known by their paths below the root; return their ids."""
    whole = [os.path.join(library.path, path) for path in paths]
    with store.media.reconcile(library.id) as files:
        for number, path in enumerate(whole):
            files.add(FileFacts(path, number + 1, 1))
    found = [store.media.find_file(library.id, path) for path in whole]
    return [file.id for file in found if file is not None]


def add_movies(store: Store, library: MediaLibrary, *movies: tuple[str, int | None]) -> None:
    for title, year in movies:
        store.media.save_movie(library.id, title=title, year=year)


# Movies


CASES: list[tuple[str, int | None, tuple[str, int | None] | None]] = [
    ("Amélie", 2001, ("Amélie", 2001)),
    ("amelie", None, ("Amélie", 2001)),
    ("AMELIE", 2002, ("Amélie", 2001)),
    ("Amelie", 2000, ("Amélie", 2001)),
    ("Amelie", 2003, None),
    ("Amelie (2001)", None, ("Amélie", 2001)),
    ("Amelie (2002)", None, ("Amélie", 2001)),
    ("Amelie (2001)", 2001, ("Amélie", 2001)),
    ("Amelie (2001)", 1990, None),
    ("Ame", None, None),
    ("Amelie 2", None, None),
    ("Dune", 1984, ("Dune", 1984)),
    ("Dune", 2021, ("Dune", 2021)),
    ("Dune", None, None),
    ("Dune", 1985, None),
    ("Dune", 2020, None),
    ("Dune (2021)", None, ("Dune", 2021)),
    ("Metropolis", 1927, ("Metropolis", None)),
    ("Metropolis", None, ("Metropolis", None)),
    ("Fast and Furious", 2009, ("Fast & Furious", 2009)),
    ("!!!", 1990, ("!!!", 1990)),
    ("???", 1990, None),
    ("2012", 2009, ("2012", 2009)),
    ("", None, None),
    ("  ", 1990, None),
    ("x" * 500, None, ("x" * 500, 2000)),
    ("y" * 100_000, None, None),
]


def test_a_movie_is_found_where_only_it_can_be_meant(store: Store, library: MediaLibrary) -> None:
    add_movies(
        store,
        library,
        ("Amélie", 2001),
        ("Dune", 1984),
        ("Dune", 2021),
        ("Metropolis", None),
        ("Fast & Furious", 2009),
        ("!!!", 1990),
        ("2012", 2009),
        ("x" * 500, 2000),
    )
    for title, year, found in CASES:
        movie = store.media.find_movie(title, year=year)
        assert (movie and (movie.title, movie.year)) == found, (title[:50], year)


def test_a_movie_is_found_by_the_title_it_is_shown_under_and_by_its_files(
    store: Store, library: MediaLibrary
) -> None:
    movie = store.media.save_movie(library.id, title="Il buono", year=1966)
    store.media.save_movie(
        library.id, title="The Good, the Bad and the Ugly", year=1966, id=movie.id
    )
    for title in ("The Good The Bad And The Ugly", "il buono"):
        for year in (1966, None):
            found = store.media.find_movie(title, year=year)
            assert found is not None and found.id == movie.id


def test_of_a_movie_in_two_libraries_the_one_with_the_better_file_is_found(
    store: Store, library: MediaLibrary, other: MediaLibrary
) -> None:
    add_movies(store, library, ("Dune", 2021))
    (file,) = add_files(store, other, "Dune.mkv")
    second = store.media.save_movie(other.id, title="Dune", year=2021, media_file_id=file)
    found = store.media.find_movie("Dune")
    assert found is not None and (found.id, found.media_file.id) == (second.id, file)
    first = store.media.find_movie("Dune", library_id=library.id)
    assert first is not None and (first.library_id, first.media_file) == (library.id, None)
    assert store.media.find_movie("Dune", library_id="nobody's") is None


# Episodes


def add_show(store: Store, library: MediaLibrary, title: str, year: int | None = None) -> str:
    """Make a show with two episodes; return the id of the second."""
    show = store.media.save_show(library.id, title=title, year=year)
    store.media.save_episode(show.id, season_number=1, episode_number=1)
    return str(store.media.save_episode(show.id, season_number=1, episode_number=2).id)


def test_an_episode_is_found_with_its_show_and_its_file(
    store: Store, library: MediaLibrary
) -> None:
    (file,) = add_files(store, library, "Dark/Dark S01E03.mkv")
    show = store.media.save_show(library.id, title="Dark", year=2017)
    saved = store.media.save_episode(show.id, season_number=1, episode_number=3, media_file_id=file)
    for name, year in (("Dark", None), ("dark", 2017), ("Dark (2017)", None), ("Dark", 2018)):
        episode = store.media.find_episode(name, 1, 3, year=year)
        assert episode is not None and episode.id == saved.id
        assert (episode.show.title, episode.media_file.path) == (
            "Dark",
            os.path.join(library.path, "Dark/Dark S01E03.mkv"),
        )
    assert store.media.find_episode("Dark", 1, 4) is None
    assert store.media.find_episode("Dark", 2, 3) is None
    assert store.media.find_episode("Dark", 1, 3, year=2019) is None


def test_of_shows_with_one_title_the_year_decides(store: Store, library: MediaLibrary) -> None:
    old = add_show(store, library, "Doctor Who", 1963)
    new = add_show(store, library, "Doctor Who", 2005)

    def found(title: str, year: int | None = None) -> str | None:
        episode = store.media.find_episode(title, 1, 2, year=year)
        return episode and str(episode.id)

    assert found("Doctor Who") is None
    assert found("Doctor Who", 2005) == found("Doctor Who (2005)") == new
    assert found("doctor who", 1963) == old
    assert found("Doctor Who", 2006) is None
    assert found("Doctor Who (2005)", 1963) is None


def test_a_show_whose_title_holds_its_year_is_found_both_ways(
    store: Store, library: MediaLibrary
) -> None:
    id = add_show(store, library, "Castle (2009)")
    for title in ("Castle (2009)", "castle 2009"):
        episode = store.media.find_episode(title, 1, 2)
        assert episode is not None and episode.id == id


# Tracks


def test_a_track_is_found_by_artist_and_album_where_the_title_is_not_enough(
    store: Store, library: MediaLibrary, other: MediaLibrary
) -> None:
    low = store.media.save_album(library.id, title="Low", album_artist="David Bowie")
    best = store.media.save_album(library.id, title="Best of", album_artist="Various")
    store.media.save_track(low.id, title="Warszawa", track_number=8)
    store.media.save_track(low.id, title="Sound and Vision", track_number=4)
    sound = store.media.save_track(
        best.id, title="Sound & Vision", track_number=1, artist="David Bowie"
    )
    again = store.media.save_album(other.id, title="Low", album_artist="David Bowie")
    (file,) = add_files(store, other, "8.flac")
    copy = store.media.save_track(again.id, title="Warszawa", track_number=8, media_file_id=file)

    find = store.media.find_track
    track = find("warszawa")
    assert track is not None and (track.id, track.album.title) == (copy.id, "Low")
    assert find("Warszawa", artist="DAVID BOWIE", album="low") is not None
    assert find("Warszawa", artist="Iggy Pop") is find("Warszawa", album="Lodger") is None
    assert find("Sound and Vision") is find("Sound and Vision", artist="David Bowie") is None
    track = find("Sound and Vision", artist="David Bowie", album="Best of")
    assert track is not None and track.id == sound.id
    assert find("!") is find("") is None


# Files


def test_a_file_is_found_where_it_lies_and_by_the_end_of_its_path(
    store: Store, library: MediaLibrary
) -> None:
    dune, amelie, bare = add_files(
        store, library, "Films/Dune (2021)/Dune.mkv", "Films/Amélie (2001)/Amélie.mkv", "x.mkv"
    )
    apart = unicodedata.normalize("NFD", "/Volumes/old/Films/Amélie (2001)/Amélie.mkv")
    for path, id in (
        (os.path.join(library.path, "Films/Dune (2021)/Dune.mkv"), dune),
        (Path(library.path) / "Films/../Films/Dune (2021)/Dune.mkv", dune),
        ("/mnt/old/Films/Dune (2021)/Dune.mkv", dune),
        ("Films/Dune (2021)/Dune.mkv", dune),
        (r"D:\Media\Films\Dune (2021)\Dune.mkv", dune),
        (r"\\nas\Films\Dune (2021)\Dune.mkv", dune),
        (PureWindowsPath("D:/Films/Dune (2021)/Dune.mkv"), dune),
        (apart, amelie),
        ("/elsewhere/deep/down/x.mkv", bare),
    ):
        file = store.media.find_file_by_path(path)
        assert file is not None and file.id == id, path
    for path in (
        "/mnt/old/Dune.mkv",
        "/mnt/Dune (2021)/Dune.mkv",
        "/",
        ".",
        "x",
        "a/" * 9999,
        "/mnt/old/films/dune (2021)/dune.mkv",
        "Films/Dune (2021)",
    ):
        assert store.media.find_file_by_path(path) is None, path


def test_the_longest_common_end_wins_and_equals_are_none(
    store: Store, library: MediaLibrary, other: MediaLibrary
) -> None:
    (short, both) = add_files(store, library, "Dune.mkv", "B/Brazil.mkv")
    (long, duplicate) = add_files(store, other, "Films/Dune.mkv", "B/Brazil.mkv")
    find = store.media.find_file_by_path
    for path, id in (("/mnt/Films/Dune.mkv", long), ("/mnt/Movies/Dune.mkv", short)):
        file = find(path)
        assert file is not None and file.id == id
    assert find("/mnt/B/Brazil.mkv") is None
    for library_of, id in ((library, both), (other, duplicate)):
        file = find(os.path.join(library_of.path, "B/Brazil.mkv"))
        assert file is not None and file.id == id
    with store.writer():
        MediaFile.update(identity="movie:brazil:1985").where(
            MediaFile.filename == "Brazil.mkv"
        ).execute()
    assert find("/mnt/B/Brazil.mkv") is not None


def test_a_name_that_is_not_utf_8_is_found(store: Store, library: MediaLibrary) -> None:
    name = os.fsdecode(b"Am\xe9lie.mkv")
    (id,) = add_files(store, library, name)
    file = store.media.find_file_by_path(f"/mnt/{name}")
    assert file is not None and file.id == id


# What is refused


def test_what_is_no_text_or_number_is_refused_alike_on_both_engines(store: Store) -> None:
    for wrong in (None, 5, b"x", "a\0b", "\ud800"):
        for attempt in attempts_with(store, wrong):
            with pytest.raises(InvalidValueError):
                attempt()


def attempts_with(store: Store, wrong: Any) -> list[Any]:
    media = store.media
    attempts: list[Any] = [
        lambda: media.find_movie(wrong),
        lambda: media.find_episode(wrong, 1, 1),
        lambda: media.find_episode("x", "1", 1),
        lambda: media.find_episode("x", 1, None),
        lambda: media.find_movie("x", year="1990"),
        lambda: media.find_movie("x", year=2**31),
        lambda: media.find_episode("x", 1, 1, year=2.5),
        lambda: media.find_track(wrong),
    ]
    if wrong is not None:
        attempts += [
            lambda: media.find_track("x", artist=wrong),
            lambda: media.find_track("x", album=wrong),
            lambda: media.find_movie("x", library_id=wrong),
        ]
    if wrong != "\ud800":
        attempts.append(lambda: media.find_file_by_path(wrong))
    return attempts


def test_in_an_empty_store_nothing_is_found(store: Store) -> None:
    assert store.media.find_movie("Dune", year=2021) is None
    assert store.media.find_episode("Dark", 1, 1) is None
    assert store.media.find_track("Warszawa") is None
    assert store.media.find_file_by_path("/mnt/Dune.mkv") is None
