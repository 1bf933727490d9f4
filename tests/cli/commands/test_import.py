"""import watched: what it prints, what it returns, on both engines."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command_line import Run
from tests.support.processes import ROOT
from viewra_lite import FileFacts, Store

CSV = """\
User,Title,Show,Season,Episode,Year,Watched at,Position
ann,Dune,,,,2021,2024-03-01T20:00:00Z,
bob,,Dark,1,1,,2024-03-02 21:00,0:30:00
bob,Solaris,,,,1972,1709400000,
"""


@dataclass(frozen=True)
class Home:
    """A store with a movie and an episode, and an export."""

    url: str
    export: Path
    files: dict[str, str]


@pytest.fixture
def home(url: str, tmp_path: Path) -> Home:
    folder = tmp_path / "media"
    folder.mkdir()
    with Store.open(url) as store:
        library = store.media.add_library("All", folder, "movie")
        with store.media.reconcile(library.id) as files:
            for number, name in enumerate(("Dune.mkv", "Dark.mkv")):
                files.add(FileFacts(str(folder / name), number, 1, duration=7200.0))
        ids = {Path(file.path).stem: file.id for file in store.media.files(library.id).items}
        store.media.save_movie(library.id, title="Dune", year=2021, media_file_id=ids["Dune"])
        show = store.media.save_show(library.id, title="Dark")
        store.media.save_episode(
            show.id, season_number=1, episode_number=1, media_file_id=ids["Dark"]
        )
    export = tmp_path / "export.csv"
    export.write_text(CSV)
    return Home(url, export, ids)


def test_what_matches_is_imported_and_the_rest_listed(cli: Run, home: Home) -> None:
    config = ("--config", home.url)
    dry = cli("import", "watched", home.export, "--dry-run", *config)
    assert dry.code == 1
    assert dry.out.splitlines()[-1] == (
        "2 of 3 would be imported, 0 already known, 0 left out, 1 not matched"
    )
    assert cli("history", *config, "--json").json["items"] == []

    done = cli("import", "watched", home.export, *config)
    assert done.code == 1
    taken, heading, row, summary = done.out.splitlines()
    assert taken == "Format: flat"
    assert heading.split()[:4] == ["line", "what", "why", "not"]
    assert row.split()[0] == "4" and "Solaris (1972)" in row
    assert summary == "2 of 3 imported, 0 already known, 0 left out, 1 not matched"
    assert "export.csv: importing: 3 of 3" in done.err

    again = cli("import", "watched", home.export, *config, "--json")
    assert again.code == 1
    assert {name: again.json[name] for name in ("total", "imported", "already", "dry_run")} == {
        "total": 3,
        "imported": 0,
        "already": 2,
        "dry_run": False,
    }
    (unmatched,) = again.json["unmatched"]
    assert (unmatched["number"], unmatched["what"]) == (4, "Solaris (1972)")
    with Store.open(home.url) as store:
        (play,) = store.playback.history().items
        assert (play.user_id, play.title) == ("ann", "Dune (2021)")
        assert store.playback.progress("bob", home.files["Dark"]).position == 1800.0


def test_all_matched_is_exit_0_and_user_says_whose(cli: Run, home: Home) -> None:
    home.export.write_text(
        json.dumps(
            {
                "plays": [
                    {"title": "Dune", "viewed_at": 1709400000},
                    {"title": "Dark - S01E01", "watched": False},
                ]
            }
        )
    )
    config = ("--config", home.url)
    nobody = cli("import", "watched", home.export, *config)
    assert nobody.code == 1 and "--user" in nobody.out
    done = cli("import", "watched", home.export, "--user", "eve", *config)
    assert (done.code, done.out.splitlines()[-2:]) == (
        0,
        [
            "Left out: line 2, Dark - S01E01: is not watched",
            "1 of 2 imported, 0 already known, 1 left out, 0 not matched",
        ],
    )
    plays = cli("history", *config, "--json").json["items"]
    assert [play["user_id"] for play in plays] == ["eve"]


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", 'title\n"x', '[{"title": 1'])
def test_a_file_that_cannot_be_read_is_exit_2_and_changes_nothing(
    cli: Run, folder: Path, content: str | None
) -> None:
    cli("init")
    if content is not None:
        (folder / "export.csv").write_text(content)
    done = cli("import", "watched", "export.csv")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("viewra-lite: error: export.csv")


@pytest.mark.parametrize(
    "arguments",
    [
        ["import"],
        ["import", "seen", "x.csv"],
        ["import", "watched"],
        ["import", "watched", "a", "b"],
    ],
)
def test_wrong_usage_is_exit_2(cli: Run, arguments: list[str]) -> None:
    done = cli(*arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


def test_without_a_store_nothing_is_made(cli: Run, folder: Path) -> None:
    (folder / "export.csv").write_text(CSV)
    done = cli("import", "watched", "export.csv")
    assert (done.code, done.out) == (1, "") and "viewra-lite init" in done.err
    assert [path.name for path in folder.iterdir()] == ["export.csv"]


@pytest.mark.parametrize("language", ["csv", "json"])
def test_the_samples_of_the_guide_are_imported(cli: Run, folder: Path, language: str) -> None:
    text = (ROOT / "viewra_lite/importing/README.md").read_text(encoding="utf-8")
    (sample,) = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    films = folder / "films"
    films.mkdir()
    with Store.open("sqlite:///viewra-data/viewra.db") as store:
        library = store.media.add_library("All", films, "movie")
        paths = [str(films / name) for name in ("Dune.mkv", "Alien (1979)/Alien.mkv", "D.mkv")]
        with store.media.reconcile(library.id) as files:
            for path in paths:
                files.add(FileFacts(path, len(path), 1, duration=8000.0))
        dune, _, dark = (store.media.find_file(library.id, path) for path in paths)
        assert dune is not None and dark is not None
        store.media.save_movie(library.id, title="Dune", year=2021, media_file_id=dune.id)
        show = store.media.save_show(library.id, title="Dark")
        store.media.save_episode(show.id, season_number=1, episode_number=1, media_file_id=dark.id)
    (folder / "sample").write_text(sample, encoding="utf-8")
    done = cli("import", "watched", "sample", "--json")
    assert (done.code, done.json["unmatched"]) == (0, [])
    assert done.json["imported"] == done.json["total"] >= 3


def test_what_an_export_says_cannot_harm_the_terminal(cli: Run, folder: Path) -> None:
    cli("init")
    (folder / "export.csv").write_text('user,title\nann,"two\nlines \x1b[31m"\n')
    done = cli("import", "watched", "export.csv")
    assert done.code == 1 and len(done.out.splitlines()) == 4
    assert "\x1b" not in done.out


def test_imports_are_listed_and_taken_back(cli: Run, home: Home) -> None:
    config = ("--config", home.url)
    done = cli("import", "watched", home.export, *config)
    unmatched = home.export.with_name("export.unmatched.csv")
    assert str(unmatched) in done.err and "viewra-lite import undo" in done.err
    assert "Solaris" in unmatched.read_text()
    cli("import", "watched", home.export, *config)
    assert home.export.with_name("export.unmatched-2.csv").exists()
    listed = cli("import", "list", *config)
    heading, row = listed.out.splitlines()
    assert heading.split()[0] == "id" and "export.csv" in row
    undone = cli("import", "undo", row.split()[0], *config)
    assert (undone.code, undone.out) == (0, "Undone: 3 plays and states\n")
    assert cli("history", *config, "--json").json["items"] == []
    assert "undone" in cli("import", "list", *config).out
    again = cli("import", "undo", row.split()[0], *config)
    assert again.code == 1 and "was already undone" in again.err
    assert cli("import", "undo", "nothing", *config).code == 1


def test_a_users_data_are_written_and_read_again(cli: Run, home: Home) -> None:
    config = ("--config", home.url)
    cli("import", "watched", home.export, *config)
    out = home.export.with_name("ann.json")
    done = cli("export", "watched", "ann", "--output", out, *config)
    assert done.code == 0 and json.loads(out.read_text())["user_id"] == "ann"
    assert cli("export", "watched", "ann", "--output", out, *config).code == 2
    printed = cli("export", "watched", "ann", *config).json
    assert printed["items"] == json.loads(out.read_text())["items"]
    again = cli("import", "watched", out, "--user", "eve", *config, "--json")
    assert (again.code, again.json["format"], again.json["imported"]) == (0, "viewra", 1)


@pytest.mark.parametrize(
    "options", [("--timezone", "Mars/Olympus"), ("--format", "plex"), ("--user", "")]
)
def test_an_option_that_cannot_be_is_exit_2(cli: Run, home: Home, options: tuple[str, str]) -> None:
    done = cli("import", "watched", home.export, "--config", home.url, *options)
    assert (done.code, done.out) == (2, "") and "Traceback" not in done.err
