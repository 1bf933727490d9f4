"""Pages and single things: complete, in order, and with few statements."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.support.libraries import clip
from tests.support.media import make_library
from viewra_lite import FileFacts, Page, Store
from viewra_lite.errors import InvalidValueError, NotFoundError
from viewra_lite.media.models import MediaLibrary, Movie

LISTS = ("movies", "shows", "albums")
TITLES = [
    "The Alien",
    "alien",
    "Älien",
    "Zebra",
    "zebra",
    "Ωmega",
    "千と千尋",
    "Émile",
    "2001",
    "10",
    "Été",
    "ßtreet",
    "😀",
    "a\u0301",
    "Same",
    "Same",
    "same",
    "-",
    "Ａlien",
    "ǅ",
]


@pytest.fixture
def library(store: Store, tmp_path: Path) -> MediaLibrary:
    (tmp_path / "m").mkdir()
    return store.media.add_library("m", tmp_path / "m", "movie")


def save(store: Store, library: MediaLibrary, kind: str, title: str, number: int) -> str:
    media = store.media
    if kind == "movies":
        return media.save_movie(library.id, title=title, year=number).id
    if kind == "shows":
        return media.save_show(library.id, title=title, year=number).id
    return media.save_album(library.id, title=title, album_artist=f"Artist {number}").id


def walked(turn: Callable[..., Page[Any]], limit: int, **options: Any) -> list[Any]:
    rows: list[Any] = []
    after = None
    while True:
        page = turn(limit=limit, after=after, **options)
        assert len(page.items) <= limit
        rows += page.items
        if page.next is None:
            return rows
        assert len(page.items) == limit
        after = page.next


@pytest.mark.parametrize("kind", LISTS)
def test_every_row_comes_once_and_in_order_whatever_the_limit(
    store: Store, library: MediaLibrary, kind: str
) -> None:
    saved = [save(store, library, kind, title, n) for n, title in enumerate(TITLES)]
    turn = getattr(store.media, kind)
    expected = walked(turn, 1000)
    keys = [(row.sort_title, row.id) for row in expected]
    assert keys == sorted(keys)  # by code point, on both engines
    assert {row.id for row in expected} == set(saved)
    for limit in (1, 2, 3, 7, 19, 20, 21):
        assert [row.id for row in walked(turn, limit)] == [row.id for row in expected]
        newest = [row.id for row in walked(turn, limit, sort="added", library_id=library.id)]
        assert newest == saved[::-1]
    assert walked(turn, 5, library_id="another") == []


@pytest.mark.edits_tables
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(
    titles=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(
            str.strip
        ),
        max_size=12,
    ),
    limit=st.integers(1, 5),
    data=st.data(),
)
def test_pages_are_whole_for_any_titles_while_rows_come_and_go(
    store: Store, library: MediaLibrary, titles: list[str], limit: int, data: st.DataObject
) -> None:
    with store.writer():
        Movie.delete().execute()
    staying = {save(store, library, "movies", t, n) for n, t in enumerate(titles)}
    seen: list[str] = []
    after, turns = None, 0
    while turns < 40:
        page = store.media.movies(limit=limit, after=after)
        seen += [movie.id for movie in page.items]
        if page.next is None:
            break
        after, turns = page.next, turns + 1
        with store.writer():
            if staying and data.draw(st.booleans()):
                gone = data.draw(st.sampled_from(sorted(staying)))
                Movie.delete().where(Movie.id == gone).execute()
                staying.discard(gone)
        title = data.draw(st.sampled_from(["", "a", "zz", "\U0010ffff"]))
        if title:
            save(store, library, "movies", title, 1000 + turns)
    assert len(seen) == len(set(seen)) and staying <= set(seen)
    with store.reader():
        keys = {m.id: (m.sort_title, m.id) for m in Movie.select()}
    left = [keys[id] for id in seen if id in keys]
    assert left == sorted(left)


def test_files_come_by_path_with_those_that_are_missing(
    store: Store, library: MediaLibrary
) -> None:
    names = ["a.mkv", "A.mkv", "ä.mkv", "raw\udce9.mkv", "sub/x.mkv", "sub.mkv", "千.mkv", "😀.mkv"]
    with store.media.reconcile(library.id) as run:
        for name in names:
            run.add(FileFacts(f"{library.path}/{name}", 1, 1))
    paths = sorted(
        (f"{library.path}/{name}" for name in names),
        key=lambda path: (
            path.encode("utf-8", "surrogateescape")
            if "\udce9" not in path
            else path.replace("\udce9", "\U0010ffe9").encode()
        ),
    )
    for limit in (1, 3, 8, 9):
        found = walked(lambda **o: store.media.files(library.id, **o), limit)
        assert [file.path for file in found] == paths


def cursor_of(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def test_a_cursor_of_another_list_or_sort_and_garbage_are_refused(
    store: Store, library: MediaLibrary
) -> None:
    for number in range(3):
        for kind in LISTS:
            save(store, library, kind, "Title", number)
    media = store.media
    with media.reconcile(library.id) as run:
        for number in range(3):
            run.add(FileFacts(f"{library.path}/{number}", 1, 1))

    def files(**options: Any) -> Any:
        return media.files(library.id, **options)

    turns: list[Callable[..., Any]] = [files]
    for kind in LISTS:
        for sort in ("title", "added"):
            turns.append(lambda kind=kind, sort=sort, **o: getattr(media, kind)(sort=sort, **o))
    cursors = [turn(limit=1).next for turn in turns]
    assert len(set(cursors)) == len(turns)
    garbage = [
        "",
        "x",
        "é",
        "AAAA",
        5,
        b"x",
        [],
        cursor_of(),
        cursor_of("movies-title"),
        cursor_of("movies-title", 1, 2),
        cursor_of("movies-title", "a", "b", "c"),
        cursors[1][:-4],
        f"{cursors[1]}AAAA"[4:],
    ]
    for turn, own in zip(turns, cursors):
        for cursor in [*cursors, *garbage]:
            if cursor != own:
                with pytest.raises(InvalidValueError, match="cursor"):
                    turn(after=cursor)
    for odd in ("\0", "\ud800"):
        with pytest.raises(InvalidValueError):
            media.movies(after=cursor_of("movies-title", odd, "b"))


@pytest.mark.parametrize("limit", [0, -1, 1001, 1.5, "5", None, True])
def test_a_limit_is_a_number_from_1_to_1000(store: Store, limit: Any) -> None:
    for turn in (
        store.media.movies,
        store.media.shows,
        store.media.albums,
        lambda limit: store.media.files("x", limit=limit),
    ):
        with pytest.raises(InvalidValueError, match="limit"):
            turn(limit=limit)


@pytest.mark.parametrize("sort", ["", "name", None, 5, [], "title; drop"])
def test_a_sort_that_there_is_not_is_refused(store: Store, sort: Any) -> None:
    for kind in LISTS:
        with pytest.raises(InvalidValueError, match="title, added"):
            getattr(store.media, kind)(sort=sort)


class Counted:
    """A connection that counts what it runs."""

    def __init__(self, connection: Any, ran: list[str]) -> None:
        self.real, self._ran = connection, ran

    def execute(self, sql: str, *arguments: Any, **options: Any) -> Any:
        self._ran.append(sql)
        return self.real.execute(sql, *arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def of_the_real(method: Any) -> Any:
    return lambda connection, *rest: method(getattr(connection, "real", connection), *rest)


@pytest.fixture
def ran(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is run outside writers from now on, one text for each statement."""
    backend: Any = store.media.db.backend
    found: list[str] = []
    borrow = backend.borrow
    monkeypatch.setattr(backend, "borrow", lambda: Counted(borrow(), found))
    for name in ("give_back", "turn_of", "is_lent"):
        monkeypatch.setattr(backend, name, of_the_real(getattr(backend, name)))
    return found


def filled(store: Store, library: MediaLibrary, size: int) -> None:
    media = store.media
    show = media.save_show(library.id, title="Show")
    album = media.save_album(library.id, title="Album")
    with store.writer():
        for number in range(size):
            media.save_movie(library.id, title=f"Movie {number}")
            media.save_show(library.id, title=f"Show {number}")
            media.save_episode(show.id, season_number=number % 5, episode_number=number)
            media.save_track(album.id, title=f"Track {number}", track_number=number)


@pytest.mark.parametrize("size", [1, 40])
def test_no_page_and_no_thing_takes_more_than_five_statements(
    store: Store, library: MediaLibrary, ran: list[str], size: int
) -> None:
    filled(store, library, size)
    media = store.media
    (movie, *_), (show, *_) = media.movies().items, media.shows().items
    (album,) = media.albums().items
    for verb in (
        media.movies,
        media.shows,
        media.albums,
        media.libraries,
        media.libraries_due,
        lambda: media.movies(sort="added", library_id=library.id, limit=1000),
        lambda: media.shows(limit=1000),
        lambda: media.files(library.id),
        lambda: media.movie(movie.id),
        lambda: media.show(show.id),
        lambda: media.album(album.id),
        lambda: media.library(library.id),
        lambda: media.find_file(library.id, "/x"),
    ):
        ran.clear()
        verb()
        assert 1 <= len(ran) <= 5, ran


def read_everything(row: Any, depth: int = 0) -> int:
    """Read every attribute of a model, and of what it holds; return how many."""
    count = 0
    for name in row._meta.fields:
        value = getattr(row, name)
        count += 1
        if hasattr(value, "_meta"):
            count += read_everything(value, depth + 1)
        elif name in row._meta.combined and row._meta.fields[name].column_name != name:
            count += getattr(row, row._meta.fields[name].column_name) is value
    for name in ("files", "seasons", "episodes", "tracks"):
        for held in row.__dict__.get(name, ()):
            count += read_everything(held, depth + 1)
    return count


@pytest.mark.usefixtures("probing_here")
def test_what_a_verb_returned_never_asks_the_store_again(store: Store, tmp_path: Path) -> None:
    made = make_library(tmp_path / "l")
    media = store.media
    for folder, kind in ((made.movies, "movie"), (made.shows, "tv"), (made.music, "music")):
        media.scan(media.add_library(folder.name, folder, kind).id)
    clip(made.movies / "Missing (2001).mkv")
    movies, shows, albums = media.movies(), media.shows(), media.albums()
    libraries = media.libraries()
    pages = [*movies.items, *shows.items, *albums.items, *libraries]
    pages += media.files(libraries[0].id).items
    things: list[Any] = [
        media.movie(movies.items[0].id),
        media.show(shows.items[0].id),
        media.album(albums.items[0].id),
        media.file(movies.items[0].media_file_id),
    ]
    store.close()
    for row in [*pages, *things]:
        assert read_everything(row) > 5
    movie, show, album, file = things
    assert movie.media_file.path == movie.files[0].path == file.path
    assert show.seasons[0].episodes[0].media_file.path.endswith(".mkv")
    assert show.seasons[0].episodes[0].media_file.library_id == show.library_id
    assert album.tracks[0].media_file.path.endswith(".flac")
    assert shows.items[0].episode_count == 8


def test_what_is_not_there_is_named(store: Store) -> None:
    for noun in ("movie", "show", "album", "file", "library"):
        with pytest.raises(NotFoundError, match=f"^no (media )?{noun} 'nothing'$"):
            getattr(store.media, noun)("nothing")
