"""Facts of an answer: known ones have the type of their column, others come back as they are."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import Films, answer_row, started
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError
from viewra_lite.plugins.answers.facts import checked_facts

GOOD: list[tuple[str, Any, Any]] = [
    ("movie", {"title": "Alien", "year": 1979, "rating": 8}, None),
    ("movie", {"genres": ["Horror"], "cast": [{"name": "Weaver"}], "runtime": 117}, None),
    ("movie", {"release_date": date(1979, 5, 25)}, {"release_date": "1979-05-25"}),
    ("movie", {"release_date": "1979-05-25", "tmdb_id": 348, "imdb_id": "tt0078748"}, None),
    ("movie", {"title": None, "overview": None}, None),
    ("movie", {"awards": {"oscars": 1}, "budget": 11_000_000, "x": [1.5, None, "ä"]}, None),
    ("movie", {"id": 5, "season": 1, "show": "no"}, None),  # of no column that can be answered
    ("episode", {"title": "Pilot", "show": {"network": "ABC"}, "season": {"title": "One"}}, None),
    ("episode", {"show": None, "episodes": [{"title": "A"}, {"title": "B"}]}, None),
    ("track", {"title": "Aria", "artists": ["Gould"], "album": {"label": "CBS"}}, None),
    ("track", {"album": {"disc_titles": {"1": "Live"}, "is_compilation": False}}, None),
    ("file", {"title": 5, "year": "whatever"}, None),
    ("movie", {"genres": ("a", "b")}, {"genres": ["a", "b"]}),
]

BAD: list[tuple[str, Any, str]] = [
    ("movie", [], "facts must be a mapping, or None"),
    ("movie", "title", "facts must be a mapping"),
    ("movie", {1: 2}, "each name in facts must be text, not 1"),
    ("movie", {"title": 5}, "facts.title must be text"),
    ("movie", {"title": " "}, "facts.title must not be empty"),
    ("movie", {"title": "x" * 501}, "facts.title must have at most 500"),
    ("movie", {"overview": ["x"]}, "facts.overview must be text"),
    ("movie", {"overview": "a\0"}, "facts.overview must be text without NUL"),
    ("movie", {"year": "1979"}, "facts.year must be a number"),
    ("movie", {"year": 1979.5}, "facts.year must be a whole number"),
    ("movie", {"year": True}, "facts.year must be a number"),
    ("movie", {"year": 12345}, "facts.year must be 0 to 9999"),
    ("movie", {"rating": 11}, "facts.rating must be 0 to 10"),
    ("movie", {"rating": float("nan")}, "facts.rating must be a number"),
    ("movie", {"tmdb_id": "348"}, "facts.tmdb_id must be a whole number"),
    ("movie", {"tmdb_id": 1 << 40}, "facts.tmdb_id must be a whole number of at most 32 bits"),
    ("movie", {"imdb_id": 78748}, "facts.imdb_id must be text"),
    ("movie", {"imdb_id": "t" * 300}, "facts.imdb_id must have at most 255"),
    ("movie", {"genres": "Horror"}, "facts.genres must be a list"),
    ("movie", {"genres": {"a": 1}}, "facts.genres must be a list"),
    ("movie", {"release_date": "1979"}, "facts.release_date must be a date"),
    ("movie", {"release_date": 1979}, "facts.release_date must be a date"),
    ("movie", {"awards": {1, 2}}, "facts.awards: not a JSON value"),
    ("movie", {"awards": date(1979, 5, 25)}, "facts.awards: not a JSON value"),
    ("movie", {"awards": "a\0"}, "facts.awards: .*NUL"),
    ("movie", {"awards": ["\udc80"]}, "facts.awards must be text without .*surrogates"),
    ("movie", {"a\0": 1}, "NUL"),
    ("episode", {"show": "Lost"}, "facts.show must be a mapping"),
    ("episode", {"show": {"network": 5}}, "facts.show.network must be text"),
    ("episode", {"show": {"status": "over"}}, "facts.show.status"),
    ("episode", {"season": {"tvdb_id": "x"}}, "facts.season.tvdb_id"),
    ("episode", {"episodes": {"1": {}}}, "facts.episodes must be a list"),
    ("episode", {"episodes": [{}, {"rating": "x"}]}, r"facts.episodes\[1\].rating"),
    ("episode", {"episodes": [None]}, r"facts.episodes\[0\] must be a mapping"),
    ("track", {"album": {"is_compilation": 1}}, "facts.album.is_compilation must be True or"),
    ("track", {"album": {"disc_titles": []}}, "facts.album.disc_titles must be a mapping"),
    ("track", {"replay_gain": "loud"}, "facts.replay_gain must be a finite number"),
]


@pytest.mark.parametrize(("kind", "facts", "stored"), GOOD, ids=[str(one[1]) for one in GOOD])
def test_facts_that_fit_are_kept(kind: str, facts: Any, stored: Any) -> None:
    found = json.loads(json.dumps(checked_facts(kind, facts)))
    assert found == (stored or facts)


@pytest.mark.parametrize(("kind", "facts", "reason"), BAD, ids=[one[2] for one in BAD])
def test_a_fact_of_a_wrong_type_is_named(kind: str, facts: Any, reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason):
        checked_facts(kind, facts)


def test_facts_come_back_from_the_table_and_replace_each_other(
    store: Store, tmp_path: Path
) -> None:
    films, asker = Films(store, tmp_path / "films"), started(store)
    file = films.film("a.mkv")
    [item] = asker.todo("movie")
    for kind, facts, stored in GOOD:
        if kind == "movie":
            asker.answer(item, facts, confidence=0.5)
            row = answer_row(store, file)
            assert row.metadata == (stored or facts)
            assert (row.confidence, row.applied_at) == (0.5, None)
    asker.answer(item, None)
    assert answer_row(store, file).metadata is None


def test_a_wrong_answer_of_many_stores_none_of_them(store: Store, tmp_path: Path) -> None:
    films, asker = Films(store, tmp_path / "films"), started(store)
    for name in ("a.mkv", "b.mkv"):
        films.film(name)
    items = asker.todo("movie")
    with pytest.raises(InvalidValueError, match="facts.year"):
        asker.answer_many([(items[0], {"year": 1}), (items[1], {"year": "1"})])
    for confidence in (-0.1, 1.1, None, "1", float("nan")):
        with pytest.raises(InvalidValueError, match="confidence"):
            asker.answer(items[0], None, confidence=confidence)
    assert asker.todo("movie") == items
    asker.answer_many(iter([(item, {"year": 1}) for item in items]))
    assert asker.todo("movie") == []
