"""Names: what people call their files, and what they mean by it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewra_lite.media.name_facts import EpisodeName, MovieName, NameFacts, TrackName
from viewra_lite.media.names import fold, name_of, sort_title

pytest.importorskip("guessit")

ROOT = "/srv/media"
HERE = Path(__file__).parent
INTEGERS = {"year", "part", "disc", "track", "tmdb_id", "tvdb_id", "s", "a"}
EPISODE_WORDS = {"year": "show_year", "s": "season", "a": "absolute", "e": "episodes",
                 "date": "air_date"}


def table(name: str) -> list[tuple[str, str, dict[str, object]]]:
    rows = []
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("# "):
            path, _, expected = line.partition(" => ")
            title, *facts = expected.split(" | ")
            pairs = (fact.partition("=") for fact in facts)
            rows.append((path, title, {key: plain(key, value) for key, _, value in pairs}))
    return rows


def plain(key: str, value: str) -> object:
    if key in INTEGERS:
        return int(value)
    if key == "date":
        return date.fromisoformat(value)
    if key == "e":
        first, _, last = value.partition("-")
        return tuple(range(int(first), int(last or first) + 1))
    return value


def named(path: str, library_type: str) -> NameFacts:
    name = name_of(f"{ROOT}/{path}", library_type, ROOT)
    assert name is not None
    return name


@pytest.mark.parametrize(("path", "title", "facts"), table("names_movies.txt"))
def test_a_movie_is_read_as_a_person_would(path: str, title: str, facts: dict[str, object]):
    assert named(path, "movie") == MovieName(title, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(("path", "show", "facts"), table("names_tv.txt"))
def test_an_episode_is_read_as_a_person_would(path: str, show: str, facts: dict[str, object]):
    named_facts = {EPISODE_WORDS.get(key, key): value for key, value in facts.items()}
    assert named(path, "tv") == EpisodeName(show, **named_facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(("path", "title", "facts"), table("names_music.txt"))
def test_a_track_is_read_as_a_person_would(path: str, title: str, facts: dict[str, object]):
    whole = {"artist": None, "album": None, **facts}
    assert named(path, "music") == TrackName(title=title, **whole)  # type: ignore[arg-type]
