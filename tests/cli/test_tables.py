"""Tables fit the terminal: no heading and no id is broken, whatever the rows hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.command_line import Run
from tests.support.media import write_video
from viewra_lite import Store
from viewra_lite.cli.output import cells_of, folds, narrowed, print_table

TEXT = st.text(st.sampled_from("abc /é日本e\u0301"), max_size=40)
HEADINGS = {
    "libraries": "id name type files missing last scan path",
    "history": "when user title minutes completed",
    "continue": "title position % file",
    "search": "kind title detail year",
    "scan": "library added updated moved removed unchanged missing errors seconds",
    "stats": "title kind plays completed hours",
}


@given(TEXT, st.integers(2, 30))
def test_folding_keeps_every_character_and_the_width(text: str, width: int) -> None:
    lines = folds(text, width)
    assert all(cells_of(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert (lines == [text.rstrip()]) or cells_of(text.rstrip()) > width


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 9), st.booleans()), min_size=1))
def test_what_is_taken_is_taken_from_the_widest(columns: list[tuple[int, int, bool]]) -> None:
    least = [low for _, low, _ in columns]
    widths = [low + more for more, low, _ in columns]
    folding = [fold for *_, fold in columns]
    narrow = narrowed(widths, least, folding, 80)
    for width, low, fold, now in zip(widths, least, folding, narrow):
        assert low <= now <= width and (fold or now == width)
    can = sum(low if fold else width for width, low, fold in zip(widths, least, folding))
    assert sum(narrow) == min(sum(widths), max(80, can))


@pytest.fixture(params=["rich", "plain"])
def terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns, with rich and without."""
    if request.param == "rich":
        pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("viewra_lite.cli.output.is_terminal", lambda _: True)
    monkeypatch.setattr("viewra_lite.cli.output.has_rich", lambda: request.param == "rich")


@pytest.fixture
def home(url: str, tmp_path: Path, clock: Any) -> str:
    """A store with a film of a long title in a deep folder, half watched by one of a long name."""
    films = tmp_path / "a rather deep folder" / "where films are kept" / "Films of all the years"
    films.mkdir(parents=True)
    name = "The Englishman Who Went Up a Hill But Came Down a Mountain (1995)"
    write_video(films / f"{name}.mkv")
    with Store.open(url, clock=clock) as store:
        library = store.media.add_library("Films of all the years", films, "movie")
        store.media.scan(library.id)
        [file] = store.media.files(library.id).items
        user = "anna-from-the-second-floor@example.org"
        session = store.playback.start_session(file.id, user_id=user, duration=7200)
        clock.advance(3600)
        store.playback.stop_session(session.id, position=3600)
    return url


def test_no_table_is_wider_than_the_terminal(cli: Run, home: str, terminal: None) -> None:
    user = "anna-from-the-second-floor@example.org"
    for command in (
        ["libraries"],
        ["history"],
        ["continue", user],
        ["search", "mountain"],
        ["scan", "--all"],
        ["stats"],
    ):
        done = cli(*command, "--config", home)
        lines = done.out.splitlines()
        assert done.code == 0 and max(map(cells_of, lines)) <= 80, done.out
        headings = [" ".join(line.split()) for line in lines]
        assert HEADINGS[command[0]] in headings, done.out
    ids = cli("libraries", "--json", "--config", home).json["libraries"]
    row = cli("libraries", "--config", home).out.splitlines()[1:]
    assert any(line.startswith(f"{ids[0]['id'][:8]} ") for line in row)
    assert any(re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d UTC  /", line) for line in row)


def test_a_pipe_gets_one_line_for_each_row(
    cli: Run, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert len(cli("libraries", "--config", home).out.splitlines()) == 2
    assert "Came Down a Mountain (1995)" in cli("history", "--config", home).out


@pytest.mark.parametrize(
    ("headings", "texts"),
    [
        (["user", "title", "device", "state", "position", "since"], ["user", "title", "device"]),
        (
            ["file", "status", "profile", "%", "provider", "attempts", "error"],
            ["file", "profile", "provider", "error"],
        ),
        (["line", "what", "why not"], None),
    ],
)
@given(data=st.data())
def test_no_heading_is_broken(
    headings: list[str], texts: list[str] | None, data: st.DataObject
) -> None:
    cells = st.tuples(
        *(TEXT if texts is None or heading in texts else st.just("0:12:34") for heading in headings)
    )
    rows = data.draw(st.lists(cells, max_size=4))
    for has_rich in (False, True):
        lines = printed(headings, rows, texts, has_rich)
        assert lines[0].split() == " ".join(headings).split()
        assert max(map(cells_of, lines)) <= 80


def printed(
    headings: list[str], rows: list[tuple[str, ...]], texts: list[str] | None, has_rich: bool
) -> list[str]:
    """Return what a terminal of 80 columns shows."""
    import io
    from contextlib import redirect_stdout

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as out:
        patch.setenv("COLUMNS", "80")
        patch.setenv("NO_COLOR", "1")
        patch.setattr("viewra_lite.cli.output.is_terminal", lambda _: True)
        patch.setattr("viewra_lite.cli.output.has_rich", lambda: has_rich)
        print_table(headings, rows, texts=texts)
    return out.getvalue().splitlines()
