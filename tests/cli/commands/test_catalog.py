"""list, mark, undo and libraries rename, on both engines."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Run
from viewra_lite import FileFacts, Store

COUNTS = {"movies": 3, "shows": 1, "episodes": 5, "albums": 1, "files": 8}
MOVIES = (("Amélie", 2001), ("Dune", 1984), ("Dune", 2021))
NUMBERS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Shelf:
    """A library with three movies, a show of five episodes in two seasons, and an album."""

    config: tuple[str, str]
    library: str
    movies: dict[int, str]
    show: str
    episodes: list[str]
    files: dict[str, str]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a store that is empty or not there yet, on each engine."""
    if request.param != "postgres":
        return "sqlite:///store.db"
    found: str = request.getfixturevalue("postgres_store")
    return found


@pytest.fixture
def shelf(url: str, tmp_path: Path) -> Shelf:
    folder = tmp_path / "media"
    folder.mkdir()
    with Store.open(url) as store:
        library = store.media.add_library("All", folder, "movie")
        names = [*(f"{title} {year}" for title, year in MOVIES), *(f"dark {n}" for n in NUMBERS)]
        with store.media.reconcile(library.id) as found:
            for size, name in enumerate(names, start=1):
                found.add(FileFacts(str(folder / f"{name}.mkv"), size, 1, duration=3600.0))
        files = {Path(file.path).stem: file.id for file in store.media.files(library.id).items}
        movies = {
            year: store.media.save_movie(
                library.id, title=title, year=year, media_file_id=files[f"{title} {year}"]
            ).id
            for title, year in MOVIES
        }
        show = store.media.save_show(library.id, title="Dark", year=2017)
        episodes = [
            store.media.save_episode(
                show.id,
                season_number=1 if number < 4 else 2,
                episode_number=number,
                title=f"Part {number}",
                media_file_id=files[f"dark {number}"],
            ).id
            for number in NUMBERS
        ]
        store.media.save_album(library.id, title="Blue", album_artist="Joni Mitchell")
    return Shelf(("--config", url), library.id, movies, show.id, episodes, files)


def listed(cli: Run, shelf: Shelf, what: str, *options: str) -> Any:
    show = ["dark"] if what == "episodes" else []
    done = cli("list", what, *show, *options, "--json", *shelf.config)
    assert (done.code, done.err) == (0, "")
    return done.json


def test_the_pages_of_a_list_are_the_list(cli: Run, shelf: Shelf) -> None:
    for what, count in COUNTS.items():
        whole = listed(cli, shelf, what)
        assert whole["next"] is None and len(whole[what]) == count
        assert listed(cli, shelf, what, "--library", "all") == whole
        pages: list[Any] = []
        after: list[str] = []
        while not pages or after:
            page = listed(cli, shelf, what, "--limit", "2", *after)
            assert len(page[what]) <= 2
            pages += page[what]
            after = ["--after", page["next"]] if page["next"] else []
        assert pages == whole[what]


def test_the_next_page_of_a_list_is_proposed(cli: Run, shelf: Shelf) -> None:
    for what in ("movies", "episodes", "files"):
        show = ["dark"] if what == "episodes" else []
        first = cli("list", what, *show, "--limit", "2", "--library", "All", *shelf.config)
        program, *words = shlex.split(first.err.removeprefix("There is more: "))
        assert program == "viewra-lite" and words[:2] == ["list", what]
        assert words[-2] == "--config"
        second = cli(*words[:-2], *shelf.config)  # it proposes the URL with its password masked
        assert second.code == 0
        assert not set(first.out.splitlines()[1:]) & set(second.out.splitlines())
        wrong = cli("list", what, *show, "--after", "nonsense", *shelf.config)
        assert wrong.code == 2 and wrong.err.startswith("viewra-lite: error: --after")


def test_a_list_shows_titles_and_ids(cli: Run, shelf: Shelf) -> None:
    movies = cli("list", "movies", *shelf.config).out.splitlines()
    assert movies[0].split() == ["title", "year", "duration", "id"]
    assert movies[1].split() == ["Amélie", "2001", "1:00:00", shelf.movies[2001]]
    [_, show] = cli("list", "shows", *shelf.config).out.splitlines()
    assert show.split() == ["Dark", "2017", "2", "5", shelf.show]
    episodes = cli("list", "episodes", shelf.show, *shelf.config).out.splitlines()
    assert episodes[4].split() == ["S02E04", "Part", "4", "1:00:00", shelf.episodes[3]]
    assert "Joni Mitchell" in cli("list", "albums", *shelf.config).out
    assert "present" in cli("list", "files", *shelf.config).out


def test_what_cannot_be_listed_is_said(cli: Run, shelf: Shelf, tmp_path: Path) -> None:
    config = shelf.config
    assert cli("list", "episodes", "Lost", *config).err.startswith(
        "viewra-lite: error: no show 'Lost': viewra-lite search Lost"
    )
    assert cli("list", "movies", "--library", "Nope", *config).code == 1
    assert cli("list", *config).code == 2
    with Store.open(config[1]) as store:
        other = tmp_path / "other"
        other.mkdir()
        store.media.add_library("Other", other, "movie")
    unsaid = cli("list", "files", *config)
    assert unsaid.code == 2 and "list files needs --library" in unsaid.err
    empty = cli("list", "files", "--library", "Other", *config)
    assert (empty.code, empty.out, empty.err) == (0, "", "Found no files\n")
    assert cli("list", "movies", "--library", "other", *config).err == ("Found no movies\n")


# mark, undo


def watched(shelf: Shelf, file: str, user: str = "anna") -> bool:
    with Store.open(shelf.config[1]) as store:
        return store.playback.progress(user, shelf.files[file]).completed


def test_a_title_is_marked_and_the_mark_undone(cli: Run, shelf: Shelf) -> None:
    for title, file, name in (
        (["amelie"], "Amélie 2001", "Amélie (2001)"),
        (["AMÉLIE (2001)"], "Amélie 2001", "Amélie (2001)"),
        (["Dune", "(1984)"], "Dune 1984", "Dune (1984)"),
        (["dark s01e02"], "dark 2", "Dark S01E02"),
        (["Dark (2017) S02E05"], "dark 5", "Dark S02E05"),
    ):
        marked = cli("mark", "watched", "anna", *title, *shelf.config)
        assert (marked.code, marked.err) == (0, "")
        assert marked.out == f"Marked as watched by anna: {name}\n"
        assert watched(shelf, file)
        back = cli("undo", "anna", *title, *shelf.config)
        assert back.code == 0 and back.out.endswith(f"of {name}, not watched\n")
        assert not watched(shelf, file)
        again = cli("undo", "anna", *title, *shelf.config)
        assert again.code == 1 and again.out == ""


def test_ids_and_paths_are_titles_too(cli: Run, shelf: Shelf, tmp_path: Path) -> None:
    path = str(tmp_path / "media" / "dark 3.mkv")
    for id, file in (
        (shelf.movies[2021], "Dune 2021"),
        (shelf.episodes[0], "dark 1"),
        (shelf.files["dark 2"], "dark 2"),
        (path, "dark 3"),
    ):
        done = cli("mark", "watched", "ben", id, "--at", "2024-05-31", "--json", *shelf.config)
        [state] = done.json["marked"]
        assert (state["media_file_id"], state["completed"]) == (shelf.files[file], True)
        assert watched(shelf, file, "ben")
        state = cli("undo", "ben", id, "--json", *shelf.config).json
        assert (state["media_file_id"], state["completed"]) == (shelf.files[file], False)


def test_a_show_is_marked_as_a_whole(cli: Run, shelf: Shelf) -> None:
    done = cli("mark", "watched", "anna", "Dark", *shelf.config)
    assert done.out == "Marked as watched by anna: Dark (2017), 5 titles\n"
    assert all(watched(shelf, f"dark {number}") for number in NUMBERS)
    done = cli("mark", "unwatched", "anna", "dark s01e01", *shelf.config)
    assert done.out == "Marked as unwatched by anna: Dark S01E01\n"
    assert not watched(shelf, "dark 1") and watched(shelf, "dark 2")
    assert cli("undo", "anna", "Dark", *shelf.config).code == 1  # only one title has a state


def test_a_title_of_several_is_never_guessed(cli: Run, shelf: Shelf) -> None:
    for command in (["mark", "watched"], ["mark", "unwatched"], ["undo"]):
        several = cli(*command, "anna", "dune", *shelf.config)
        assert several.code == 2 and "'dune' names several: give an id" in several.err
        assert all(shelf.movies[year] in several.err for year in (1984, 2021))
        none = cli(*command, "anna", "Dun", *shelf.config)  # the beginning of a title
        assert none.code == 1 and "search Dun" in none.err
        assert cli(*command, "anna", *shelf.config).code == 2
    assert not watched(shelf, "Dune 1984") and not watched(shelf, "Dune 2021")


# libraries rename


def test_a_library_is_renamed(cli: Run, shelf: Shelf) -> None:
    done = cli("libraries", "rename", "all", "Films", *shelf.config)
    assert (done.code, done.out) == (0, "The library All is now Films\n")
    renamed = cli("libraries", "rename", "Films", "Kino", "--json", *shelf.config).json["renamed"]
    assert renamed == {"id": shelf.library, "name": "Kino", "was": "Films"}
    assert cli("libraries", "rename", "Films", "X", *shelf.config).code == 1
    assert cli("libraries", "rename", "Kino", " ", *shelf.config).code == 2
    [library] = cli("libraries", "--json", *shelf.config).json["libraries"]
    assert (library["name"], library["files"]) == ("Kino", 8)
