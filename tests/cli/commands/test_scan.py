"""scan, libraries and search, on both engines."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.command_line import Run, in_process
from tests.support.media import garbage, make_library, write_video
from viewra_lite.cli.progress import Lines


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Movies, TV Shows and Music."""
    folder = tmp_path_factory.mktemp("media")
    make_library(folder)
    return folder


@pytest.fixture
def media(generated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(generated, tmp_path / "media"))


def test_scan_list_search_remove(cli: Run, url: str, media: Path) -> None:
    config = ("--config", url)
    first = cli("scan", media / "Movies", "--type", "movie", *config, "--json")
    assert first.code == 0
    assert [scan["added"] for scan in first.json["scans"]] == [9]
    assert first.json["scans"][0]["library"]["name"] == "Movies"
    assert "Movies: reading files: 9 of 9" in first.err
    shows = cli("scan", media / "TV Shows", "--type", "tv", "--name", "Series", *config)
    assert shows.code == 0 and shows.out.splitlines()[1].split()[:2] == ["Series", "7"]

    again = cli("scan", media / "Movies", *config, "--json").json["scans"][0]
    assert (again["added"], again["unchanged"], again["frozen"]) == (0, 9, None)
    rows = cli("libraries", *config, "--json").json["libraries"]
    assert [(row["name"], row["files"], row["missing"]) for row in rows] == [
        ("Movies", 9, 0),
        ("Series", 7, 0),
    ]
    assert rows[0]["last_scan"].endswith("+00:00")
    table = cli("libraries", *config).out
    assert str(media / "Movies") in table and rows[0]["id"][:8] in table

    hits = cli("search", "amelie", *config, "--json").json["hits"]
    assert [(hit["kind"], hit["year"]) for hit in hits] == [("movie", 2001)]
    assert "Amélie" in cli("search", "fabuleux", "destin", *config).out
    assert len(cli("search", "s", "--limit", "2", *config, "--json").json["hits"]) == 2

    refused = cli("libraries", "remove", rows[0]["id"], *config)
    assert (refused.code, refused.out) == (2, "") and "--yes" in refused.err
    removed = cli("libraries", "remove", rows[0]["id"], "--yes", *config)
    assert removed.code == 0 and "still in" in removed.out
    assert [row["name"] for row in cli("libraries", *config, "--json").json["libraries"]] == [
        "Series"
    ]
    assert len(list((media / "Movies").iterdir())) > 5


def test_what_was_left_out_is_said_in_one_line(cli: Run, media: Path) -> None:
    (media / "Movies/@eaDir").mkdir()
    (media / "Movies/notes.txt").touch()
    (media / "Movies/more.txt").touch()
    done = cli("scan", media / "Movies", "--type", "movie")
    assert "Movies: left out: not media 2, system folder 1\n" in done.out


def test_a_part_of_a_library_is_scanned(cli: Run, url: str, media: Path) -> None:
    config = ("--config", url)
    cli("scan", media / "Movies", "--type", "movie", *config)
    part = media / "Movies/New (2003)"
    write_video(part / "New (2003).mkv", seed=77)
    write_video(media / "Movies/Elsewhere (2004).mkv", seed=78)
    done = cli("scan", "Movies", "--folder", part, *config, "--json")
    assert (done.code, done.json["scans"][0]["added"]) == (0, 1)
    (part / "New (2003).mkv").unlink()
    frozen = cli("scan", "Movies", "--folder", part, *config)
    again = f"scan {media / 'Movies'} --folder '{part}' --accept-missing"
    assert frozen.code == 1 and again in frozen.out
    assert cli("scan", "Movies", "--folder", part, "--accept-missing", *config).code == 0
    wrong = cli("scan", "--folder", part, *config)
    assert (wrong.code, wrong.out) == (2, "") and "PATH" in wrong.err
    assert "give a folder below" in cli("scan", "Movies", "--folder", media, *config).err


def test_finding_nothing_is_no_answer_and_no_error(cli: Run) -> None:
    cli("init")
    for command in (["libraries"], ["search", "amelie"], ["scan"], ["scan", "--all"]):
        done = cli(*command)
        assert (done.code, done.out, done.err.count("\n")) == (0, "", 1)
    assert cli("libraries", "--json").json == {"libraries": []}
    assert cli("search", "x", "--json").json == {"hits": []}
    assert cli("scan", "--json").json == {"scans": []}


def test_without_a_path_what_is_due_is_scanned(cli: Run, media: Path) -> None:
    cli("scan", media / "Movies", "--type", "movie")
    cli("scan", media / "Music", "--type", "music")
    none = cli("scan")
    assert (none.code, none.out) == (0, "") and "--all" in none.err
    every = cli("scan", "--all", "--json").json["scans"]
    assert sorted(scan["library"]["name"] for scan in every) == ["Movies", "Music"]


def test_what_was_said_of_a_library_must_fit(cli: Run, media: Path) -> None:
    cli("init")
    assert "--type" in cli("scan", media / "Movies").err
    cli("scan", media / "Movies", "--type", "movie")
    assert cli("scan", media / "Movies", "--type", "movie", "--name", "Movies").code == 0
    for wrong in (["--type", "tv"], ["--name", "Films"]):
        done = cli("scan", media / "Movies", *wrong)
        assert (done.code, done.out) == (2, "") and "already" in done.err


def test_a_folder_that_is_not_there(cli: Run, folder: Path) -> None:
    done = cli("scan", "absent", "--type", "movie")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "does not exist" in done.err


def test_a_vanished_disk_is_exit_1_and_says_so(cli: Run, media: Path) -> None:
    cli("scan", media / "Movies", "--type", "movie")
    shutil.move(media / "Movies", media / "gone")
    done = cli("scan", "--all")
    assert done.code == 1
    assert "Movies: frozen: " in done.out
    assert cli("scan", "--all", "--json").json["scans"][0]["frozen"]
    assert cli("libraries", "--json").json["libraries"][0]["missing"] == 0


def test_one_busy_library_does_not_stop_the_others(
    cli: Run, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from viewra_lite.errors import ConflictError
    from viewra_lite.media.module import MediaModule

    for name, kind in (("Movies", "movie"), ("Music", "music")):
        cli("scan", media / name, "--type", kind)
    scan = MediaModule.scan

    def busy(self: MediaModule, id: str, **options: object) -> object:
        if self.library(id).name == "Movies":
            raise ConflictError("library Movies is being scanned already")
        return scan(self, id, **options)

    monkeypatch.setattr(MediaModule, "scan", busy)
    done = cli("scan", "--all", "--json")
    assert done.code == 1
    assert [scan["library"]["name"] for scan in done.json["scans"]] == ["Music"]
    assert "viewra-lite: error: library Movies is being scanned already\n" in done.err


def test_problems_are_shown_but_not_all(cli: Run, tmp_path: Path) -> None:
    for number in range(7):
        garbage(tmp_path / "films" / f"Broken {number} (2001).mkv")
    done = cli("scan", tmp_path / "films", "--type", "movie")
    assert done.code == 0
    assert sum("Broken" in line for line in done.out.splitlines()) == 5
    assert done.out.endswith("films: and 2 more\n")
    assert cli("status", "--json").json["counts"]["failed_probes"] == 7


def test_status_names_what_is_missing_or_broken(cli: Run, url: str, media: Path) -> None:
    garbage(media / "Movies/Broken (1999).mkv")
    cli("scan", media / "Movies", "--type", "movie", "--config", url)
    gone = media / "Movies/Casablanca.1942.x265.mkv"
    gone.unlink()
    cli("scan", media / "Movies", "--config", url)
    assert "problems" not in cli("status", "--config", url, "--json").json
    named = cli("status", "--problems", "--config", url, "--json").json["problems"]
    assert [(Path(file["path"]).name, file["status"], bool(file["error"])) for file in named] == [
        ("Broken (1999).mkv", "present", True),
        (gone.name, "missing", False),
    ]
    shown = cli("status", "--problems", "--config", url).out
    assert f"{gone}: missing since 20" in shown and "Broken (1999).mkv: no audio" in shown


def test_missing_packages_are_named_with_what_helps(
    cli: Run, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "viewra_lite.media.scanning.scan.available",
        lambda: {"guessit": False, "pymediainfo": True, "tinytag": True},
    )
    done = cli("scan", media / "Movies", "--type", "movie")
    assert (
        "metadata was not read: guessit. Run pip install guessit, then viewra-lite scan --all\n"
        in (done.out)
    )


def test_a_name_that_is_not_utf_8(cli: Run, folder: Path, tmp_path: Path) -> None:
    films = os.fsencode(tmp_path) + b"/caf\xe9"
    try:
        os.mkdir(films)
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    (Path(os.fsdecode(films)) / os.fsdecode(b"Am\xe9lie (2001).mkv")).write_bytes(b"x" * 5000)
    done = cli("scan", os.fsdecode(films), "--type", "movie")
    assert done.code == 0
    assert r"caf\xe9/Am\xe9lie (2001).mkv: " in done.out
    assert r"caf\xe9" in cli("libraries").out
    row = cli("libraries", "--json").json["libraries"][0]
    assert os.fsencode(row["path"]) == films
    for encoding in ("ascii", "latin-1", "utf-8"):
        printed = in_process(
            "libraries", cwd=folder, env={"PYTHONIOENCODING": encoding}, errors="strict"
        )
        assert (printed.code, printed.err) == (0, "")
        assert r"caf\xe9" in printed.out


def test_a_name_that_is_no_line(cli: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "two\nlines" / "Metropolis (1927).mkv")
    assert cli("scan", tmp_path / "two\nlines", "--type", "movie").code == 0
    assert len(cli("libraries").out.splitlines()) == 2


# Progress


def lines_for(counts: list[tuple[str, int, int]], capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = Lines("Movies")
    for count in counts:
        lines(*count)
    return capsys.readouterr().err.splitlines()


def test_progress_without_a_terminal_is_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    walk = [("walk", done, 0) for done in range(100, 1_000_000, 100)]
    probe = [("probe", done, 30_000) for done in range(1, 30_001)]
    printed = lines_for([*walk, ("walk", 999_950, 999_950), *probe], capsys)
    assert len(printed) < 30
    assert "Movies: looking for files: 999950 of 999950" in printed
    assert printed[-1] == "Movies: reading files: 30000 of 30000"


def test_progress_of_little_and_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines_for([("walk", 0, 0), ("finish", 0, 1), ("finish", 1, 1)], capsys) == []
    assert lines_for([("walk", 100, 0), ("walk", 150, 150)], capsys) == [
        "Movies: looking for files: 150 of 150"
    ]
    assert len(lines_for([("probe", done, 3) for done in (1, 2, 3)], capsys)) == 3
