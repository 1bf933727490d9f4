"""Names of episodes: what holds for every number, date and season word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewra_lite.media import identities
from viewra_lite.media.names.facts import EpisodeName, SeasonEpisodes
from viewra_lite.media.names.reading import name_of
from viewra_lite.media.names.shows.seasons import SEASON_WORDS

pytest.importorskip("guessit")

seasons = st.integers(1, 40)
numbers = st.integers(1, 98)
later = st.builds(
    SeasonEpisodes,
    st.integers(41, 99),
    st.lists(numbers, min_size=1, max_size=3, unique=True).map(sorted).map(tuple),
)


def read(path: str) -> EpisodeName:
    name = name_of(f"/srv/media/{path}", "tv", "/srv/media")
    assert isinstance(name, EpisodeName)
    return name


@given(
    st.sampled_from(
        [
            "Harbour S{s:02}E{a:02}E{b:02}.mkv",
            "Harbour.S{s:02}E{a:02}-E{b:02}.720p.mkv",
            "Harbour - s{s}e{a} - s{s}e{b} - Low Tide.mkv",
            "Harbour S{s:02}E{a:02}+E{b:02}.mkv",
            "Harbour.{s}x{a:02}.{s}x{b:02}.mkv",
            "Harbour [{s:02}x{a:02}-{b:02}].mkv",
            "Harbour/Season {s}/{a:02}-{b:02} - Low Tide.mkv",
            "Harbour/Staffel {s}/Folge {a}-{b}.mkv",
            "Harbour - Season {s} - Episode {a}-{b}.mkv",
        ]
    ),
    seasons,
    numbers,
)
def test_two_episodes_in_a_file_are_both_read(form: str, season: int, number: int) -> None:
    name = read(form.format(s=season, a=number, b=number + 1))
    assert (name.show, name.season, name.episodes) == ("Harbour", season, (number, number + 1))


@given(
    st.sampled_from(
        [
            "Harbour S{s:02}E{a:02}S{t:02}E{b:02}.mkv",
            "Harbour.S{s:02}E{a:02}-S{t:02}E{b:02}.720p.mkv",
            "Harbour - s{s}e{a} - s{t}e{b} - Low Tide.mkv",
            "Harbour S{s:02}E{a:02} & S{t:02}E{b:02}.mkv",
            "Harbour {s}x{a:02}-{t}x{b:02}.mkv",
            "Harbour/Season {s}/S{s:02}E{a:02}+S{t:02}E{b:02} - Low Tide.mkv",
        ]
    ),
    seasons,
    st.integers(1, 5),
    numbers,
    numbers,
)
def test_episodes_of_two_seasons_in_a_file_are_both_read(
    form: str, season: int, more: int, number: int, other: int
) -> None:
    name = read(form.format(s=season, t=season + more, a=number, b=other))
    assert (name.show, name.season, name.episodes) == ("Harbour", season, (number,))
    assert name.later == (SeasonEpisodes(season + more, (other,)),)


@given(
    st.sampled_from(
        [
            "Harbour - {:%Y-%m-%d} - Low Tide.mkv",
            "Harbour.{:%Y.%m.%d}.720p.HDTV.mkv",
            "Harbour {:%Y_%m_%d}.mkv",
            "Harbour {:%Y%m%d}.mkv",
            "Harbour - {:%d-%m-%Y}.mkv",
            "Harbour {:%d.%m.%Y}.mkv",
            "Harbour {:%d %B %Y}.mkv",
            "Harbour ({:%b %d, %Y}).mkv",
            "Harbour/{:%Y}/{:%Y-%m-%d}.mkv",
        ]
    ),
    st.dates(date(1950, 1, 1), date(2039, 12, 31)),
)
def test_a_date_is_read_in_every_order(form: str, day: date) -> None:
    name = read(form.format(day, day))
    assert (name.show, name.air_date, name.episodes) == ("Harbour", day, ())


@given(
    st.sampled_from(sorted({word for words in SEASON_WORDS.values() for word in words.split()})),
    st.sampled_from(
        ["{word} {n}", "{word} {n:02}", "{word}{n}", "{n}. {word}", "{word} {n} (2016)"]
    ),
    st.sampled_from([str.lower, str.upper, str.title]),
    seasons,
)
def test_a_season_folder_is_read_in_every_language(
    word: str, form: str, spelling: Callable[[str], str], season: int
) -> None:
    folder = form.format(word=spelling(word), n=season)
    name = read(f"Harbour/{folder}/04 - Low Tide.mkv")
    assert (name.show, name.season, name.episodes) == ("Harbour", season, (4,))


@given(
    st.builds(
        EpisodeName,
        st.just("Harbour"),
        season=st.none() | st.integers(0, 40),
        episodes=st.just(())
        | st.lists(numbers, min_size=1, max_size=4, unique=True).map(sorted).map(tuple),
        absolute=st.none() | st.integers(1, 2000),
        air_date=st.none() | st.dates(date(1950, 1, 1), date(2039, 12, 31)),
        series=st.none() | st.sampled_from(["OVA", "12.5"]),
        later=st.lists(later, max_size=2).map(tuple),
    )
)
def test_an_identity_says_the_same_numbers_as_its_name(name: EpisodeName) -> None:
    found = identities.episode_numbers(name.identity)
    known = found.seasons if found else ()
    assert [some.episodes for some in known] == [some.episodes for some in identities.numbers(name)]
    assert known[1:] == identities.numbers(name)[1:]
