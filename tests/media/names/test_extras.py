"""Extras: what belongs to a film, show, season or episode, and is no version of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewra_lite.media.names.films.extras import kind_of_extra
from viewra_lite.media.names.facts import EpisodeName, ExtraName, MovieName, TrackName
from viewra_lite.media.names.reading import name_of

pytest.importorskip("guessit")

TABLE = Path(__file__).parent / "names_extras.txt"
ROWS = [
    line.partition(" => ")
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("# ")
]


@pytest.mark.parametrize(("where", "expected"), [(where, facts) for where, _, facts in ROWS])
def test_an_extra_is_read_with_its_kind_title_and_film(where: str, expected: str):
    library_type, _, path = where.partition(": ")
    read = name_of(f"/srv/{path}", library_type, "/srv")
    assert isinstance(read, ExtraName)
    assert shown(read) == expected
    assert kind_of_extra(path.split("/"), library_type) == read.kind


def shown(extra: ExtraName) -> str:
    of = extra.of
    if isinstance(of, MovieName):
        facts = [extra.kind, extra.title, of.title, of.year and f"year={of.year}"]
    else:
        numbers = [f"e={number}" for number in of.episodes]
        season = None if of.season is None else f"s={of.season}"
        year = of.show_year and f"year={of.show_year}"
        facts = [extra.kind, extra.title, of.show, year, season, *numbers]
    return " | ".join(filter(None, facts))


@pytest.mark.parametrize(
    "where",
    [
        "movie: Shorts/La.mkv",
        "movie: Other/Film (2001).mkv",
        "movie: Movies/Shorts/La.mkv",
        "movie: Studio/Shorts/The Moon (2011).mkv",
        "movie: Studio/Shorts/The Moon (2011)/The Moon.mkv",
        "movie: Film (2001)/Film (2001).mkv",
        "movie: The-Interview.mkv",
        "movie: The Short.mkv",
        "movie: The Interview (2014)/The Interview.mkv",
        "movie: Trailer (2010).mkv",
        "movie: Trailer Park.mkv",
        "movie: Deleted (2016).mkv",
        "movie: Film.2001.1080p.x264-OTHER.mkv",
        "movie: Interview with a Ghost (1994)/Interview with a Ghost.mkv",
        "movie: Trailer Town (2001)/Trailer Town.mkv",
        "movie: Film (2001)/Interview with a Ghost (1994).mkv",
        "movie: Shelf/Making of a Lady.mkv",
        "tv: Extras/Season 1/Extras - S01E01.mkv",
        "tv: TV/Extras/Season 1/Extras S01E01.mkv",
        "tv: Show/Specials/S00E01.mkv",
        "tv: Show/Extras/Show S00E03 - Making of.mkv",
        "tv: Show/Season 1/Show - S01E05 - Trailer.mkv",
        "tv: Show/Season 1/05 - Trailer.mkv",
        "tv: Show/Season 1/Show 05 - The Short.mkv",
        "tv: Show (2005)/Season 1/Show (2005) - S01E05 - The Trailer.mkv",
        "music: Artist/Trailer/01 - Trailer.mp3",
        "music: Artist/Album/Extras/01 - Song.mp3",
        "music: Artist/Interviews/01 - Song-interview.mp3",
    ],
)
def test_what_only_looks_like_an_extra_is_media(where: str):
    library_type, _, path = where.partition(": ")
    read = name_of(f"/srv/{path}", library_type, "/srv")
    assert isinstance(read, (MovieName, EpisodeName, TrackName))
    assert kind_of_extra(path.split("/"), library_type) is None


def test_an_extra_without_a_name_belongs_to_the_film_of_the_library_s_own_folder():
    read = name_of("/srv/Frost (2008)/trailer.mkv", "movie", "/srv/Frost (2008)")
    assert read == ExtraName("trailer", "Trailer", MovieName("Frost", 2008))
    read = name_of("/srv/A Show/trailer.mkv", "tv", "/srv/A Show")
    assert read == ExtraName("trailer", "Trailer", EpisodeName("A Show"))


kinds_of_extras = st.sampled_from(["trailer", "behindthescenes", "deleted", "featurette"])
titles = st.lists(
    st.sampled_from(["Red", "Sea", "of", "Night", "Über", "2", "1984"]), min_size=1, max_size=4
).map(" ".join)


@given(titles, kinds_of_extras, st.integers(1920, 2029), st.sampled_from(["-", " - ", "."]))
def test_an_extra_belongs_to_the_film_of_its_name(title: str, word: str, year: int, dash: str):
    film = name_of(f"/srv/{title} ({year}).mkv", "movie", "/srv")
    extra = name_of(f"/srv/{title} ({year}){dash}{word}.mkv", "movie", "/srv")
    assert isinstance(extra, ExtraName)
    assert extra.of == film
    assert extra.identity != film.identity
