"""Which values that are read replace the earlier ones: held to a simple model."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from viewra_lite.media.catalog import sources
from viewra_lite.media.catalog.sources import NAME, PERSON, SIDECAR, TAGS, Speaker
from viewra_lite.media.models import Episode, Movie

RANK = (NAME, TAGS, SIDECAR)
VALUES = st.none() | st.sampled_from(["a", "b", "c"])
READS = st.dictionaries(st.sampled_from(RANK), VALUES, min_size=1)
# A raw write has other values than files: an equal one cannot be told from theirs.
STEPS = st.one_of(
    st.tuples(st.just("read"), READS),
    st.tuples(st.just("save"), st.none() | st.sampled_from(["p", "a"])),
    st.tuples(st.just("raw"), st.none() | st.sampled_from(["r", "q"])),
)


class Model:
    """One column: its value, and who it is from (None: nobody has said anything yet)."""

    def __init__(self) -> None:
        self.value: str | None = None
        self.origin: str | None = None

    def read(self, said: dict[str, str | None]) -> None:
        values = [(RANK.index(source), value) for source, value in said.items() if value]
        rank, best = max(values, default=(-1, None))
        if self.origin is None:
            if best is not None:
                self.value, self.origin = best, RANK[rank]
        elif self.origin in RANK and (rank >= RANK.index(self.origin) or self.origin in said):
            self.value, self.origin = best, None if best is None else RANK[rank]

    def save(self, value: str | None) -> None:
        if value is not None or self.value is not None or self.origin is not None:
            self.value, self.origin = value, "person"

    def raw(self, value: str | None) -> None:
        if self.origin is None or self.origin == "unknown":
            self.origin = None if value is None else "unknown"
        elif value != self.value:
            self.origin = "person"
        self.value = value


@given(st.lists(STEPS, max_size=12))
def test_a_value_is_replaced_unless_a_person_or_a_plugin_wrote_it(steps: list[Any]) -> None:
    row, model = Movie(), Model()
    for what, value in steps:
        getattr(model, what)(value)
        if what == "read":
            read = {source: {"overview": text} for source, text in value.items()}
            changed = sources.changes(row, read)
        elif what == "save":
            changed = {"overview": value, **sources.saved(row, {"overview": value})}
        else:
            changed = {"overview": value}
        for name, new in changed.items():
            setattr(row, name, new)
        assert row.overview == model.value, (what, value)


def test_a_reading_that_changes_nothing_writes_nothing() -> None:
    read = {NAME: {"title": "Dune", "year": 2021}, SIDECAR: {"genres": ["SF"], "year": None}}
    row = Movie(**sources.of_new_row(Movie, read))
    assert (row.title, row.sort_title, row.year, row.genres) == ("Dune", "dune", 2021, ["SF"])
    assert row.sources == {
        "title": (NAME, "Dune"),
        "year": (NAME, 2021),
        "genres": (SIDECAR, ["SF"]),
    }
    assert sources.changes(row, read) == {}


def test_another_file_fills_gaps_and_brings_better_sources_only() -> None:
    row = Movie(**sources.of_new_row(Movie, {TAGS: {"title": "Dune", "overview": "Sand."}}))
    other = Speaker(lambda: False)
    assert sources.changes(row, {TAGS: {"title": "DUNE", "overview": None}}, other) == {}
    changes = sources.changes(row, {TAGS: {"year": 2021}, SIDECAR: {"title": "Dune One"}}, other)
    assert (changes["title"], changes["sort_title"], changes["year"]) == (
        "Dune One",
        "dune one",
        2021,
    )


def test_a_value_that_another_file_has_in_its_name_has_not_vanished() -> None:
    row = Movie(**sources.of_new_row(Movie, {NAME: {"title": "Dune", "year": 2021}}))
    read = {NAME: {"title": "Dune", "year": None}}
    still = Speaker(others=lambda: ["/films/Dune (2021)/Dune.mkv"])
    assert sources.changes(row, read, still) == {}
    gone = Speaker(others=lambda: ["/films/Dune/Dune.mkv"])
    assert sources.changes(row, read, gone)["year"] is None


def test_the_order_follows_a_title_unless_it_was_written() -> None:
    first = sources.of_new_row(Movie, {NAME: {"title": "The Dune"}})
    after = {NAME: {"title": "A Dune"}}
    assert sources.changes(Movie(**first), after)["sort_title"] == "dune"
    raw = Movie(**{**first, "sort_title": "0"})
    assert "sort_title" not in sources.changes(raw, after)
    row = Movie(**first)
    mark = sources.saved(row, {"sort_title": row.sort_title})
    assert "sort_title" not in sources.changes(Movie(**{**first, **mark}), after)


def test_a_date_is_remembered_as_json_has_it() -> None:
    read = {NAME: {"air_date": date(2016, 2, 25)}}
    row = Episode(**sources.of_new_row(Episode, read))
    assert row.sources == {"air_date": (NAME, "2016-02-25")}
    assert sources.changes(row, read) == {}
    changes = sources.changes(row, {NAME: {"air_date": date(2016, 2, 26)}})
    assert changes["air_date"] == date(2016, 2, 26)


def test_a_plugin_writes_over_what_was_read_and_a_person_over_both() -> None:
    row = Movie(**sources.of_new_row(Movie, {NAME: {"title": "Dune"}}))
    row.sources = sources.saved(row, {"title": "Dune: Part One"}, "plugin")["sources"]
    row.title = "Dune: Part One"
    hidden = sources.changes(row, {SIDECAR: {"title": "Dune"}})  # it hides what is read below it
    assert hidden == {"sources": {"title": ("plugin", "Dune: Part One", None, (SIDECAR, "Dune"))}}
    assert sources.writable(row, {"title": "Dune 1"}, "plugin") == {"title": "Dune 1"}
    row.sources = sources.saved(row, {"title": "Dune: Part One"})["sources"]
    assert row.sources["title"][:2] == (PERSON, "Dune: Part One")
    assert sources.writable(row, {"title": "Dune 1", "year": 1}, "plugin") == {"year": 1}
