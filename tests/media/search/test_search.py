"""Search: the same words, the same hits and the same order on both engines."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.plans import plan_of
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError
from viewra_lite.media.models import Album, Episode, MediaLibrary, Movie, Track, TVShow
from viewra_lite.media.scanning.facts import FileFacts
from viewra_lite.media.search import indexing, queries, searching, words
from viewra_lite.media.search.models import SearchDocument

MOVIES = (
    (
        "Le Fabuleux Destin d'Amélie Poulain",
        2001,
        {"original_title": "Amélie from Montmartre", "cast": ["Audrey Tautou", "Ticky Holgado"]},
    ),
    ("Spider-Man", 2002, {"director": "Sam Raimi", "cast": [{"name": "Tobey Maguire"}, 3, None]}),
    ("Spider-Man 2", 2004, {"director": "Sam Raimi"}),
    ("The Man Who Knew Too Much", 1956, {"director": "Alfred Hitchcock"}),
    ("Man of the Year", 2006, {"cast": ["Robin Williams"]}),
    ("Man", 2001, {}),
    ("七人の侍", 1954, {"director": "黒澤明"}),
    ("S.H.I.E.L.D.", 2013, {}),
    ("WALL·E", 2008, {}),
    ("Fast & Furious", 2009, {}),
    ("8½", 1963, {"director": "Federico Fellini"}),
    ("Half-World", 1999, {}),
    ("!!!", 1990, {"cast": ["Nobody Knows"]}),
    ("Ocean's Eleven", 2001, {}),
    ("Learn C++", 1998, {}),
    ("L'Avventura", 1960, {}),
)
EPISODES = (
    (
        1,
        1,
        "Pilot",
        {
            "air_date": date(2013, 9, 24),
            "director": "Joss Whedon",
            "cast": ["Clark Gregg", {"name": "Ming-Na Wen"}, {"role": "May"}],
        },
    ),
    (1, 2, "Half Time", {"episode_number_end": 3}),
    (1, 4, None, {"cast": ["Clark Gregg"]}),
)
TRACKS = (
    ("Hells Bells", 1, {"artist": None}),
    ("Half Life", 2, {"artist": "Bon Scott", "artists": ["Phil Rudd"], "year": 1981}),
)


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.fixture
def library(store: Store, tmp_path: Path) -> Store:
    """A store with something of every kind."""
    media = store.media
    movies, shows, music = (
        media.add_library(type, str(made(tmp_path / type)), type).id
        for type in ("movie", "tv", "music")
    )
    with store.writer():
        for title, year, columns in MOVIES:
            media.save_movie(movies, title=title, year=year, **columns)
        show = media.save_show(
            shows,
            title="Agents of Man",
            first_air_date=date(2013, 9, 24),
            cast=["Clark Gregg"],
            creators=[{"name": "Jed Whedon"}, ["no", "name"]],
        )
        for season, number, title, columns in EPISODES:
            media.save_episode(
                show.id, season_number=season, episode_number=number, title=title, **columns
            )
        album = media.save_album(
            music, title="Back in Black", album_artist="AC/DC", artists=["Angus Young"], year=1980
        )
        for title, number, columns in TRACKS:
            media.save_track(album.id, title=title, track_number=number, **columns)
    return store


def found(store: Store, text: str, limit: int = 100) -> list[str]:
    return [hit.title for hit in store.media.search(text, limit=limit)]


def movie_library(store: Store) -> str:
    return next(library.id for library in store.media.libraries() if library.type == "movie")


# Words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ocean's", "oceans"),
        ("d'Amélie", "d amelie damelie"),
        ("rock ’n’ roll", "rock n roll"),
        ("C++ and c#", "c c++ and c#"),
        ("F♯ minor", "f f# minor"),
        ("Spider-Man", "spider man spiderman"),
        ("AC/DC", "ac dc acdc"),
        ("S.H.I.E.L.D.", "s h i e l d shield"),
        ("WALL·E", "wall e walle"),
        ("七人の侍", "七 人 の 侍"),
        ("AKIRA（アキラ）", "akira ア キ ラ"),
        ("Straße Ørsted Æon œuvre Łódź Đorđe", "strasse orsted aeon oeuvre lodz dorde"),
        ("snake_case 2001", "snake case 2001"),
        ("Fast & Furious", "fast and furious"),
        ("8½", "8 1 2 12"),
        ("Spider-Man™", "spider man spiderman"),
        ("ＦＵＬＬ　ｗｉｄｔｈ", "full width"),
        ("İstanbul", "istanbul"),
        ("man man", "man"),
        ("a\x00b\ud800c", "a b c"),
        ("❤️ 👨‍👩‍👧 !?", ""),
        ("", ""),
    ],
)
def test_text_is_cut_into_words(text: str, expected: str) -> None:
    assert words.words(text) == expected.split()


def holds(terms: list[str], text: str) -> bool:
    """Say whether terms hold every typed word as the beginning of one: the plain model."""

    def begins(word: str) -> bool:
        return any(term.startswith(word) for term in terms)

    return all(
        any(all(begins(word) for word in way) for way in ways) for ways in words.typed_words(text)
    )


PIECES = st.sampled_from(
    [
        "'",
        "’",
        "-",
        "/",
        ".",
        " ",
        "&",
        " & ",
        "+",
        "#",
        "c++",
        "C#",
        "½",
        "七",
        "が",
        "é",
        "e\u0301",
        "ß",
        "man",
        "Ocean's",
        "L'",
        "한국",
        "्",
        "\u200d",
        "_",
        "*",
        '"',
    ]
)
TITLES = st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join)


@settings(max_examples=300)
@given(TITLES)
def test_a_title_is_found_while_it_is_typed(title: str) -> None:
    terms = words.words(title)
    assert all(holds(terms, title[:end]) for end in range(len(title) + 1))


@settings(max_examples=300)
@given(st.text(alphabet=st.characters()))
def test_words_hold_nothing_that_a_query_language_knows(text: str) -> None:
    for word in words.words(text):
        assert word == word.strip() and not set(word) & set("\"'*\\:()&|!<>\0 -_^")
        assert word.encode() and not word.startswith(("#", "+"))


# Finding


ANSWERS = dict(
    [
        ("amelie", ["Le Fabuleux Destin d'Amélie Poulain"]),
        ("AMÉLIE fab", ["Le Fabuleux Destin d'Amélie Poulain"]),
        ("montmartre", ["Le Fabuleux Destin d'Amélie Poulain"]),
        ("tautou", ["Le Fabuleux Destin d'Amélie Poulain"]),
        ("spiderman", ["Spider-Man", "Spider-Man 2"]),
        ("spider man", ["Spider-Man", "Spider-Man 2"]),
        ("Spider-Man 2", ["Spider-Man 2"]),
        ("man spider", ["Spider-Man", "Spider-Man 2"]),
        ("maguire", ["Spider-Man"]),
        ("raimi 2", ["Spider-Man 2"]),
        ("c++", ["Learn C++"]),
        ("learn c", ["Learn C++"]),
        ("c#", []),
        ("half wor", ["Half-World"]),
        ("halfworld", ["Half-World"]),
        ("half", ["Half-World", "Half Time", "Half Life"]),
        ("七人", ["七人の侍"]),
        ("侍", ["七人の侍"]),
        ("黒澤", ["七人の侍"]),
        ("shield", ["S.H.I.E.L.D."]),
        ("s.h.i.e", ["S.H.I.E.L.D."]),
        ("wall-e", ["WALL·E"]),
        ("walle", ["WALL·E"]),
        ("fast and furious", ["Fast & Furious"]),
        ("fast & fur", ["Fast & Furious"]),
        ("8 1/2", ["8½"]),
        ("oceans eleven", ["Ocean's Eleven"]),
        ("avventura", ["L'Avventura"]),
        ("nobody", ["!!!"]),
        ("!!!", []),
        ("clark gregg", ["Agents of Man", "Pilot"]),
        ("whedon", ["Agents of Man", "Pilot"]),
        ("may", []),
        ("pilot agents", []),
        ("ac/dc", ["Back in Black"]),
        ("acdc", ["Back in Black"]),
        ("phil rudd", ["Half Life"]),
        ("black bells", []),
        # Exact, then beginning with it, then all words in the title, then the rest.
        (
            "man",
            [
                "Man",
                "Man of the Year",
                "Spider-Man",
                "Spider-Man 2",
                "The Man Who Knew Too Much",
                "Agents of Man",
            ],
        ),
        (
            "ma",
            [
                "Man",
                "Man of the Year",
                "Spider-Man",
                "Spider-Man 2",
                "The Man Who Knew Too Much",
                "Agents of Man",
            ],
        ),
    ]
)


def test_hits_come_in_one_order(library: Store) -> None:
    assert {text: found(library, text) for text in ANSWERS} == ANSWERS


def test_a_limit_keeps_the_best(library: Store) -> None:
    for limit in (1, 2, 3, 6):
        assert found(library, "ma", limit) == ANSWERS["ma"][:limit]


def test_a_hit_says_where_it_belongs(library: Store) -> None:
    kinds = {library.id: library.type for library in library.media.libraries()}
    hits = [
        hit for text in ("half", "agents", "back", "hells") for hit in library.media.search(text)
    ]
    assert [
        (h.kind, h.title, h.detail, h.year, kinds[h.library_id], h.media_file_id) for h in hits
    ] == [
        ("movie", "Half-World", None, 1999, "movie", None),
        ("episode", "Half Time", "Agents of Man S01E02-E03", None, "tv", None),
        ("track", "Half Life", "Bon Scott – Back in Black", 1981, "music", None),
        ("show", "Agents of Man", None, 2013, "tv", None),
        ("album", "Back in Black", "AC/DC", 1980, "music", None),
        ("track", "Hells Bells", "AC/DC – Back in Black", 1980, "music", None),
    ]
    verbs = {"movie": library.media.movie, "show": library.media.show, "album": library.media.album}
    assert all(verbs[hit.kind](hit.id).title == hit.title for hit in hits if hit.kind in verbs)
    assert library.media.search("pilot")[0].year == 2013


def test_a_hit_names_its_file(store: Store, tmp_path: Path) -> None:
    movies = store.media.add_library("Movies", str(tmp_path), "movie").id
    with store.media.reconcile(movies) as batch:
        batch.add(FileFacts(str(tmp_path / "Heat.mkv"), 1))
    file = store.media.files(movies).items[0]
    store.media.save_movie(movies, title="Heat", year=1995, media_file_id=file.id)
    assert [hit.media_file_id for hit in store.media.search("heat")] == [file.id]


HOSTILE = [
    "",
    " ",
    "\0",
    "'",
    '"',
    '"man',
    "man*",
    "*",
    "man OR",
    "NOT man",
    "AND",
    "NEAR(man)",
    "man)",
    "(",
    "terms:man",
    "-man",
    "^man",
    "man:*",
    "man & | !",
    "'man':*",
    "\\",
    "%",
    "%s",
    "{0}",
    "man'); DROP TABLE movies; --",
    "\U0001f600",
    "\ud800",
    "a" * 10_000,
    "a " * 5_000,
    "\u0301" * 10_000,
    "-" * 10_000,
    "ﷺ" * 10_000,
    "a.b" * 5_000,
    "('" * 500,
]


def test_no_text_is_a_syntax_error(library: Store) -> None:
    for text in HOSTILE:
        hits = library.media.search(text)
        assert words.typed_words(text) or hits == []
    assert found(library, "man") == ANSWERS["man"]


def test_a_limit_lies_between_1_and_1000(store: Store) -> None:
    for limit in (0, -1, 1001, True, 2.0, None, "3"):
        for text in ("man", ""):
            with pytest.raises(InvalidValueError):
                store.media.search(text, limit=limit)


def test_search_takes_text_only(store: Store) -> None:
    with pytest.raises(InvalidValueError):
        store.media.search(None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=TITLES
    | st.text(max_size=30)
    | st.lists(
        st.sampled_from(
            sorted(
                {
                    word[:n]
                    for title, _, _ in MOVIES
                    for word in words.words(title)
                    for n in (1, 2, 9)
                }
                | {"gregg", "tautou", "sam", "whedon"}
            )
        ),
        max_size=4,
    ).map(" ".join)
)
def test_search_finds_what_a_plain_model_finds(library: Store, text: str) -> None:
    expected = {title for title, words in MODEL.items() if holds(words, text)}
    assert set(found(library, text)) == (expected if words.typed_words(text) else set())


def everything(title: str, *texts: str | None) -> list[str]:
    return [word for text in (title, *texts) for word in words.words(text or "")]


MODEL = {
    title: [f"#y{year}"]
    + everything(
        title,
        columns.get("original_title"),
        columns.get("director"),
        *(
            person["name"] if isinstance(person, dict) else person
            for person in columns.get("cast", ())
            if person and person != 3
        ),
    )
    for title, year, columns in MOVIES
} | {
    "Agents of Man": everything("Agents of Man", "Clark Gregg", "Jed Whedon"),
    "Pilot": everything("Pilot", "Joss Whedon", "Clark Gregg", "Ming-Na Wen"),
    "Half Time": everything("Half Time"),
    "Back in Black": ["#y1980"] + everything("Back in Black", "AC/DC", "Angus Young"),
    "Hells Bells": everything("Hells Bells"),
    "Half Life": everything("Half Life", "Bon Scott", "Phil Rudd"),
}


def test_a_year_narrows_a_search_and_its_beginning_does_not(library: Store) -> None:
    movies = movie_library(library)
    for year in (1984, 2021):
        library.media.save_movie(movies, title="Dune", year=year)
    hits = library.media.search("dune 2021")
    assert [(hit.title, hit.year) for hit in hits] == [("Dune", 2021)]
    assert found(library, "dune 20") == []


# Keeping in step


def check_index(store: Store) -> None:
    """Let SQLite compare its full-text index with the documents; PostgreSQL has one table."""
    if store.engine == "sqlite":
        with store.writer():
            Movie._meta.database.execute_sql(
                "INSERT INTO search_index(search_index, rank) VALUES ('integrity-check', 1)"
            )


def test_a_writer_that_fails_takes_its_documents_with_it(library: Store) -> None:
    movies = movie_library(library)
    with pytest.raises(ZeroDivisionError), library.writer():
        library.media.save_movie(movies, title="Ephemera")
        assert found(library, "ephemera") == ["Ephemera"]
        1 / 0
    assert found(library, "ephemera") == []
    check_index(library)


def test_a_new_title_replaces_the_old(library: Store) -> None:
    hit = library.media.search("walle")[0]
    library.media.save_movie(hit.library_id, id=hit.id, title="Cleaner", director="Stanton")
    assert found(library, "walle") == []
    assert found(library, "cleaner stanton") == ["Cleaner"]
    check_index(library)


def test_an_episode_without_its_title_is_not_found(library: Store) -> None:
    with library.writer():
        Episode.update(title=None).where(Episode.title == "Pilot").execute()
        pilot = Episode.get((Episode.season_number == 1) & (Episode.episode_number == 1))
        indexing.index(library.media.db, "episode", [pilot.id])
    assert found(library, "pilot") == []
    assert found(library, "clark") == ["Agents of Man"]
    check_index(library)


@pytest.mark.edits_tables
@pytest.mark.parametrize("model", [Movie, TVShow, Album, Episode, Track, MediaLibrary])
def test_documents_go_with_what_they_describe(library: Store, model: Any) -> None:
    with library.writer():
        model.delete().execute()
        left = SearchDocument.select().count()
        expected = sum(
            kind.select().where(kind.title.is_null(False)).count()
            for kind in (Movie, TVShow, Album, Episode, Track)
        )
        assert left == expected < len(MODEL)
    check_index(library)
    assert len(found(library, "m")) <= left


def test_reindex_writes_everything_that_is_missing(
    library: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_BATCH", 4)
    before = {text: found(library, text) for text in ("man", "half", "whedon", "amelie")}
    with library.writer():
        SearchDocument.delete().execute()
    assert found(library, "man") == []
    indexing.reindex(library.media.db)
    assert {text: found(library, text) for text in before} == before
    check_index(library)


def test_reindex_leaves_what_is_right(library: Store) -> None:
    def documents() -> list[Any]:
        with library.reader():
            return list(SearchDocument.select().order_by(SearchDocument.seq).tuples())

    before = documents()
    indexing.reindex(library.media.db)
    assert documents() == before


class Counted:
    """Sessions that count the statements that they run."""

    def __init__(self, db: Any) -> None:
        self.sessions = db
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        self.count += name in ("all", "one", "run", "run_many", "run_returning")
        return getattr(self.sessions, name)


def test_a_search_runs_few_statements(library: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def statements(text: str, limit: int) -> int:
        counted: Any = Counted(library.media.db)
        searching.search(counted, text, limit)
        return counted.count

    assert [statements(text, 100) for text in ("man", "half", "zzz", "...")] == [3, 3, 2, 0]
    monkeypatch.setattr(searching, "_CANDIDATES", 1)  # as if many more had the word
    assert statements("robin williams", 1) == 4


def test_many_are_indexed_in_three_statements(library: Store) -> None:
    with library.writer():
        ids = [row.id for row in Episode.select(Episode.id)]
        counted: Any = Counted(library.media.db)
        indexing.index(counted, "episode", [*ids, *(f"none-{n}" for n in range(40_000))])
        indexing.index(counted, "episode", [])
    assert counted.count == 3


def test_long_texts_are_indexed(library: Store) -> None:
    movies = movie_library(library)
    title = "ﷺ" * 40 + "".join(map(chr, range(0x4E00, 0x4E00 + 400)))
    library.media.save_movie(movies, title=title, cast=["界" * 2000] * 100)
    library.media.save_movie(
        movies, title="Crowd", cast=[f"{n} " + "é" * 90 + str(n) for n in range(5000)]
    )
    assert found(library, "وسلم") == found(library, title) == [title]
    assert found(library, "crowd 7") == ["Crowd"]


def test_many_of_one_kind_do_not_hide_another(
    library: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_CANDIDATES", 5)
    show = library.media.search("agents")[0].id
    with library.writer():
        for number in range(10, 40):
            library.media.save_episode(
                show,
                season_number=1,
                episode_number=number,
                title=f"Part {number}",
                cast=["Robin Williams"],
            )
    assert found(library, "robin williams", 3) == ["Man of the Year", "Part 10", "Part 11"]


def test_no_question_scans_a_table(library: Store) -> None:
    words = [(("man",), ("m", "an")), (("#m",),)]
    asked: tuple[tuple[Any, ...], ...] = (
        (queries.documents_titled, "man", "man\U0010ffff", 20),
        (queries.documents_matching, words, 200),
        (queries.each_kind_matching, 200, *([words] * 5)),
        (queries.hits_by_seq, [1, 2, 3]),
        (queries.searched_by_ids("track"), ["a"]),
        (queries.searched_ids_after("movie"), "a", 500),
    )
    for statement, *arguments in asked:
        plan = plan_of(library, statement, arguments)
        scans = [step for step in plan if "SCAN" in step or "Seq Scan" in step]
        assert all("VIRTUAL TABLE" in scan for scan in scans), plan
        assert not any("TEMP B-TREE" in step for step in plan), plan
