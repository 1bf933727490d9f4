"""Names: what people call their files, and what they mean by it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewra_lite.media.names.facts import (
    EpisodeName,
    MovieName,
    NameFacts,
    SeasonEpisodes,
    TrackName,
)
from viewra_lite.media.names.keys import fold, sort_title
from viewra_lite.media.names.reading import name_of

pytest.importorskip("guessit")

Spelling = Callable[[str], str]
ROOT = "/srv/media"
HERE = Path(__file__).parent
INTEGERS = {"absolute_end", "year", "part", "disc", "track", "tmdb_id", "tvdb_id", "s", "a"}
EPISODE_WORDS = {
    "year": "show_year",
    "s": "season",
    "a": "absolute",
    "e": "episodes",
    "date": "air_date",
}


def table(name: str) -> list[tuple[str, str, dict[str, object]]]:
    return read_table((HERE / name).read_text(encoding="utf-8"))


def guide(kind: str) -> list[tuple[str, str, dict[str, object]]]:
    text = (HERE.parents[2] / "viewra_lite/media/README.md").read_text(encoding="utf-8")
    return read_table(text.partition(f"```{kind}\n")[2].partition("```")[0])


def read_table(text: str) -> list[tuple[str, str, dict[str, object]]]:
    rows = []
    for line in text.splitlines():
        if line and not line.startswith("# "):
            path, _, expected = line.partition(" => ")
            title, *facts = expected.split(" | ")
            rows.append((path, title, {key: plain(key, value) for key, value in parts_of(facts)}))
    return rows


def parts_of(facts: list[str]) -> Iterator[tuple[str, str]]:
    """Split "a=26-27", a range of absolute numbers, into two facts; others are one."""
    for fact in facts:
        key, _, value = fact.partition("=")
        first, _, last = value.partition("-") if key == "a" else (value, "", "")
        yield key, first
        if last:
            yield "absolute_end", last


def plain(key: str, value: str) -> object:
    if key in INTEGERS or key.endswith(("_tvdb_id", "_tmdb_id")):
        return int(value)
    if key == "date":
        return date.fromisoformat(value)
    if key == "later":  # "2x1,2;3x1"
        seasons = (some.split("x") for some in value.split(";"))
        return tuple(SeasonEpisodes(int(season), whole_numbers(some)) for season, some in seasons)
    if key == "e":
        first, _, last = value.partition("-")
        return tuple(range(int(first), int(last) + 1)) if last else whole_numbers(value)
    return value


def whole_numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def named(path: str, library_type: str) -> NameFacts:
    name = name_of(f"{ROOT}/{path}", library_type, ROOT)
    assert name is not None
    return name


@pytest.mark.parametrize(("path", "title", "facts"), table("names_movies.txt"))
def test_a_movie_is_read_as_a_person_would(path: str, title: str, facts: dict[str, object]):
    read = named(path, "movie")
    assert isinstance(read, MovieName)
    assert replace(read, source=facts.get("source")) == MovieName(title, **facts)
    assert read.source == facts.get("source", read.source)


@pytest.mark.parametrize(("path", "show", "facts"), table("names_tv.txt"))
def test_an_episode_is_read_as_a_person_would(path: str, show: str, facts: dict[str, object]):
    named_facts = {EPISODE_WORDS.get(key, key): value for key, value in facts.items()}
    read = named(path, "tv")
    assert isinstance(read, EpisodeName)
    assert replace(read, source=facts.get("source")) == EpisodeName(show, **named_facts)
    assert read.source == facts.get("source", read.source)


@pytest.mark.parametrize(("path", "title", "facts"), table("names_music.txt"))
def test_a_track_is_read_as_a_person_would(path: str, title: str, facts: dict[str, object]):
    whole = {"artist": None, "album": None, **facts}
    assert named(path, "music") == TrackName(title=title, **whole)


@pytest.mark.parametrize(
    ("kind", "path", "title", "facts"),
    [(kind, *row) for kind in ("movie", "tv", "music") for row in guide(kind)],
)
def test_the_names_in_the_guide_are_read_as_it_says(
    kind: str, path: str, title: str, facts: dict[str, object]
):
    read = named(path, kind)
    assert title == (read.show if isinstance(read, EpisodeName) else read.title)
    for key, value in facts.items():
        word = EPISODE_WORDS.get(key, key) if kind == "tv" else key
        assert getattr(read, word) == value, key


@pytest.mark.parametrize(
    ("library_type", "path", "source"),
    [
        ("movie", "Red Sea (2001) [Bluray-1080p].mkv", "Blu-ray"),
        ("movie", "Red.Sea.2001.1080p.BDRip.x264.mkv", "Blu-ray"),
        ("movie", "Red.Sea.2001.2160p.REMUX.HEVC.mkv", "Blu-ray"),
        ("movie", "Red.Sea.2001.UHDBD.mkv", "Blu-ray"),
        ("movie", "Red Sea (2001)/BDMV/STREAM/00800.m2ts", "Blu-ray"),
        ("movie", "Red Sea (2001)/VIDEO_TS/VTS_01_1.VOB", "DVD"),
        ("movie", "Red.Sea.2001.DVDRip.XviD.avi", "DVD"),
        ("movie", "Red.Sea.2001.PAL.DVD9.mkv", "DVD"),
        ("movie", "Red.Sea.2001.HD-DVD.1080p.mkv", "HD-DVD"),
        ("movie", "Red.Sea.2001.1080p.WEB-DL.mkv", "Web"),
        ("movie", "Red.Sea.2001.WEB.h264.mkv", "Web"),
        ("movie", "Red.Sea.2001.720p.HDTV.mkv", "TV"),
        ("movie", "Red.Sea.2001.TS.XviD.avi", "Telesync"),
        ("movie", "Red.Sea.2001.HDCAM.mkv", "Camera"),
        ("movie", "Red.Sea.2001.DVDSCR.mkv", "DVD"),
        ("movie", "Red Sea (2001) [Web] {tmdb-1}/red.mkv", "Web"),
        ("movie", "The Web (2001).mkv", None),
        ("movie", "Cam (2001).mkv", None),
        ("movie", "DVD.mkv", None),
        ("movie", "Red Sea (2001).mkv", None),
        ("tv", "Show/Season 1/Show - S01E02 - Title [WEBDL-1080p].mkv", "Web"),
        ("tv", "Show.S01E02.720p.HDTV.x264-GRP.mkv", "TV"),
        ("tv", "Show.S01.1080p.BluRay.x264-GRP/e02.mkv", "Blu-ray"),
        ("tv", "Show (2005)/Season 1/Show (2005) - S01E02 - The Web.mkv", None),
    ],
)
def test_the_source_of_a_file_is_read_after_its_title(
    library_type: str, path: str, source: str | None
):
    read = named(path, library_type)
    assert isinstance(read, (MovieName, EpisodeName))
    assert read.source == source


# -- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("library_type", "first", "second"),
    [
        ("movie", "Amélie (2001).mkv", "amelie.2001.1080p.BluRay.x264-GRP.mkv"),
        ("movie", "WALL·E (2008).mkv", "Wall-E (2008) [2160p].mkv"),
        ("movie", "Mr. & Mrs. Smith (2005).mkv", "Mr.and.Mrs.Smith.2005.720p.mkv"),
        ("movie", "Blade Runner (1982) {edition-Final Cut}.mkv", "Blade Runner (1982).mp4"),
        ("movie", "Ocean's Eleven (2001).mkv", "Oceans.Eleven.2001.REPACK.mkv"),
        ("movie", "The Matrix (1999)/a.mkv", "Matrix, The (1999).mkv"),
        ("tv", "The Office (US)/Season 3/3x01.mkv", "The.Office.US.S03E01.720p-LOL.mkv"),
        (
            "tv",
            "Élite/Season 1/Élite - S01E01 - Bienvenidos.mkv",
            "elite.s01e01.1080p.nf.web-dl.mkv",
        ),
        ("tv", "Show/Season 1/Show S01E01-E02.mkv", "Show.S01E01E02.HDTV.mkv"),
        ("tv", "[A] One Piece - 137 [720p].mkv", "One Piece/One Piece - 0137 - Title.mkv"),
        ("music", "Björk/Homogenic/03 Jóga.flac", "bjork/homogenic/03 - joga.mp3"),
        ("music", "Artist/Album/03 Title.mp3", "Artist/Album/CD1/03 - Title.flac"),
    ],
)
def test_the_same_work_has_one_identity(library_type: str, first: str, second: str):
    assert named(first, library_type).identity == named(second, library_type).identity


title_words = st.lists(
    st.sampled_from(["Amélie", "über", "Straße", "Jeux", "d'enfants", "Øst", "Łódź", "Été", "Ça"]),
    min_size=1,
    max_size=4,
).map(" ".join)
releases = st.sampled_from(
    [" 1080p BluRay x264-GRP", " [2160p HDR]", " - WEBDL-720p", " (1080p BluRay x265 10bit)", ""]
)
spellings = st.sampled_from(
    [
        str,
        str.upper,
        str.lower,
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: text.replace("'", "’"),
    ]
)


@given(title_words, releases, spellings)
def test_an_identity_ignores_release_and_spelling(title: str, release: str, spelling: Spelling):
    film = named(f"{spelling(title)} (2001){release}.mkv", "movie")
    assert film.identity == named(f"{title} (2001).mkv", "movie").identity
    episode = named(f"{spelling(title)} - S01E02{release}.mkv", "tv")
    assert episode.identity == named(f"{title}/Season 1/S01E02.mkv", "tv").identity


film_titles = st.lists(
    st.sampled_from(["River", "Over", "Seven", "Kings", "2049", "Über", "12", "X"]),
    min_size=1,
    max_size=4,
).filter(lambda found: any(word.isalpha() and len(word) > 2 for word in found[:1]))
notes_before = st.lists(
    st.sampled_from(["GERMAN", "iTALiAN", "EXTENDED", "Directors.Cut", "LiMiTED", "PROPER", "STV"]),
    max_size=3,
    unique=True,
)
notes_after = st.lists(
    st.sampled_from(["1080p", "BluRay", "x264", "WEB-DL", "German", "DL", "REMUX", "HDR", "3D"]),
    min_size=1,
    max_size=5,
    unique=True,
)


@given(film_titles, notes_before, st.integers(1950, 2024), notes_after)
def test_a_release_has_the_title_before_its_release_words(
    title: list[str], before: list[str], year: int, after: list[str]
):
    release = ".".join([*title, *before, str(year), *after])
    read = named(f"{release}-GRP.mkv", "movie")
    assert isinstance(read, MovieName)
    assert (fold(read.title), read.year) == (fold(" ".join(title)), year)
    assert read.edition is None or "EXTENDED" in before or "Directors.Cut" in before


@given(
    film_titles, st.integers(1, 9), st.sampled_from(["-cd{}", " - part{}", " (Disc {})", " CD {}"])
)
def test_a_part_is_read_and_leaves_the_film_as_it_is(title: list[str], number: int, part: str):
    name = " ".join(title)
    whole, read = (
        named(f"{name} (2001).mkv", "movie"),
        named(f"{name} (2001){part.format(number)}.mkv", "movie"),
    )
    assert isinstance(whole, MovieName)
    assert read == replace(whole, part=number)
    in_folder = named(f"{name} (2001)/{name}{part.format(number)}/movie.mkv", "movie")
    assert in_folder == read


@pytest.mark.parametrize(
    ("library_type", "path", "identity"),
    [
        ("movie", "Movie (2001)/movie.mkv", "movie:movie:2001"),
        ("movie", "Casablanca.mkv", "movie:casablanca:"),
        ("movie", "Gone With the Wind (1939) - part2.mkv", "movie:gone-with-the-wind:1939:part2"),
        ("tv", "Show (2005)/Season 1/S01E02.mkv", "episode:show:2005:s01e02"),
        ("tv", "Show.S01E02E03.mkv", "episode:show::s01e02-e03"),
        ("tv", "Show/Specials/03 - X.mkv", "episode:show::s00e03"),
        ("tv", "Show/Specials/Christmas.mkv", "episode:show::s00:christmas"),
        ("tv", "Show S2019E05.mkv", "episode:show::s2019e05"),
        ("tv", "[G] Show - 137.mkv", "episode:show::a137"),
        ("tv", "Show 2019.05.12.mkv", "episode:show::2019-05-12"),
        ("music", "Artist/Album/CD2/03 Title.mp3", "track:artist:album:2:3:title"),
        (
            "music",
            "Various Artists/Hits/01 - Queen - Song.mp3",
            "track:various-artists:hits:1:1:song",
        ),
    ],
)
def test_the_identity_is_a_readable_key(library_type: str, path: str, identity: str):
    assert named(path, library_type).identity == identity


def test_different_works_have_different_identities():
    paths = [
        "Heat (1995).mkv",
        "Heat (1986).mkv",
        "Heat.mkv",
        "Heat (1995) cd1.avi",
        "Heat (1995) cd2.avi",
        "Heat 2 (1995).mkv",
        "¡¡¡ (1995).mkv",
        "!!! (1995).mkv",
    ]
    assert len({named(path, "movie").identity for path in paths}) == len(paths)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Amélie", "amelie"),
        ("Tom & Jerry", "tom-and-jerry"),
        ("Ocean's  Eleven!", "oceans-eleven"),
        ("Ocean’s Eleven", "oceans-eleven"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Smørrebrød", "smorrebrod"),
        ("Æon Flux", "aeon-flux"),
        ("Łódź", "lodz"),
        ("Đà Nẵng", "da-nang"),
        ("千と千尋の神隠し", "千と千尋の神隠し"),
        ("がんばれ", "がんばれ"),
        ("Ёлки", "елки"),
        ("हिन्दी", "हिन्दी"),
        ("Alien³", "alien3"),
        ("ＷＡＬＬ", "wall"),
        ("", ""),
        ("  ", ""),
        ("!!!", "u0021-u0021-u0021"),
    ],
)
def test_fold(text: str, folded: str):
    assert fold(text) == folded


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(text: str):
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(max_codepoint=0x24F, categories=["L", "N", "Zs"]), max_size=30))
def test_folding_ignores_case(text: str):
    assert fold(text.upper()) == fold(text.upper().lower())


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("The Matrix", "matrix"),
        ("A Beautiful Mind", "beautiful mind"),
        ("An Education", "education"),
        ("The", "the"),
        ("Theory of Everything", "theory of everything"),
        ("Rocky 2", "rocky 00002"),
        ("L'Avventura", "avventura"),
        ("Les Misérables", "miserables"),
        ("Das Boot", "boot"),
        ("Die Hard", "die hard"),
        ("La La Land", "la la land"),
        ("Los Angeles", "los angeles"),
        ("Élite", "elite"),
        ("'71", "00071"),
        ("[REC]", "rec]"),
        ("...", "..."),
        ("", ""),
    ],
)
def test_sort_title(title: str, key: str):
    assert sort_title(title) == key


def test_numbers_sort_as_numbers():
    titles = ["Rocky 10", "The Rocky 2", "Rocky", "A Rocky 1"]
    assert sorted(titles, key=sort_title) == ["Rocky", "A Rocky 1", "The Rocky 2", "Rocky 10"]


# -- whatever a disk may hold --------------------------------------------------------------------

any_name = st.text(
    st.characters(exclude_characters="/\0", categories=["L", "M", "N", "P", "S", "Z", "Cc", "Cs"]),
    min_size=1,
    max_size=40,
)
name_like = st.lists(
    st.sampled_from(
        [
            "S01E02",
            "1x03",
            "(1999)",
            "2049",
            "[Grp]",
            "{tmdb-1}",
            "Season",
            "part",
            "CD",
            "-",
            ".",
            "_",
            " ",
            "1080p",
            "The",
            "é",
            "\udce9",
            "第3話",
            "E",
            "12",
        ]
    ),
    min_size=1,
    max_size=8,
).map("".join)


@given(
    st.lists(any_name | name_like, min_size=1, max_size=4),
    st.sampled_from(["movie", "tv", "music"]),
)
def test_no_name_is_too_odd(parts: list[str], library_type: str):
    name = name_of("/r/" + "/".join(parts) + ".mkv", library_type, "/r")
    if name is not None:
        shown = f"{name!r} {name.identity}"
        shown.encode("utf-8")
        assert (name.show if isinstance(name, EpisodeName) else name.title) != ""


def test_a_name_that_is_not_utf_8_is_read_as_the_old_windows_encoding():
    name = name_of("/r/Am\udce9lie (2001).mkv", "movie", "/r")
    assert name == MovieName("Amélie", 2001)


def test_a_name_that_a_mac_wrote_is_the_same_as_any_other():
    assert named("Ame\u0301lie (2001).mkv", "movie") == MovieName("Amélie", 2001)


@pytest.mark.parametrize("path", ["/r", "/r/", ""])
def test_the_root_itself_has_no_name(path: str):
    assert name_of(path, "movie", "/r") in (None, MovieName("r"))


def test_another_type_of_library_names_nothing():
    assert name_of("/r/a.mkv", "books", "/r") is None
