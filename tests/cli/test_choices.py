"""Ids are shown short, and a library is meant by its id, how that begins, its name or its path."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.command_line import Run
from tests.support.media import write_video
from viewra_lite import Store, errors
from viewra_lite.cli.choices import short_ids, whole_id
from viewra_lite.cli.complaints import UsageError
from viewra_lite.database.ids import Ids

IDS = st.sets(st.text("01a-", min_size=10, max_size=12), max_size=12)


@given(IDS)
def test_a_short_id_means_its_own_alone(ids: set[str]) -> None:
    short = short_ids(ids)
    assert short.keys() == ids
    for id, begin in short.items():
        assert id.startswith(begin) and len(begin) >= 8
        assert whole_id(begin, ids, "thing", "the list") == id


@given(IDS, st.text("01a-", max_size=12))
def test_a_text_means_one_id_or_is_refused(ids: set[str], text: str) -> None:
    fit = {id for id in ids if text and id.startswith(text)}
    if text in ids or len(fit) == 1:
        assert whole_id(text, ids, "thing", "the list") == (text if text in ids else fit.pop())
        return
    with pytest.raises(UsageError if fit else errors.NotFoundError) as caught:
        whole_id(text, ids, "thing", "the list")
    assert "thing" in str(caught.value)
    assert not fit or sum(id in str(caught.value) for id in fit) >= min(len(fit), 5)


@pytest.fixture
def homes(url: str, tmp_path: Path) -> tuple[str, dict[str, str], Path]:
    """A store with three libraries: its URL, their ids by folder, and where the folders are."""
    root = tmp_path / "media"
    names = {"films": "Films", "series": "Series", "more": "Films"}
    with Store.open(url) as store:
        ids = {}
        for folder, name in names.items():
            (root / folder).mkdir(parents=True)
            ids[folder] = store.media.add_library(name, root / folder, "movie").id
    return url, ids, root


def test_libraries_are_listed_with_short_ids(
    cli: Run, homes: tuple[str, dict[str, str], Path]
) -> None:
    url, ids, root = homes
    listed = [line.split()[0] for line in cli("libraries", "--config", url).out.splitlines()[1:]]
    assert sorted(listed) == sorted(short_ids(ids.values()).values())
    whole = cli("libraries", "--json", "--config", url).json["libraries"]
    assert {row["id"] for row in whole} == set(ids.values())


def test_a_library_is_meant_in_every_way(cli: Run, homes: tuple[str, dict[str, str], Path]) -> None:
    url, ids, root = homes
    id, near = ids["series"], os.path.relpath(root / "series")
    for text in (id, short_ids(ids.values())[id], "Series", "SERIES", root / "series", f"{near}/"):
        done = cli("libraries", "remove", text, "--config", url)
        assert done.code == 2 and f"the library Series ({root}/series)" in done.err
        scanned = cli("scan", text, "--json", "--config", url).json["scans"]
        assert [scan["library"]["id"] for scan in scanned] == [id]


def test_what_means_several_libraries_is_refused_with_their_ids(
    cli: Run, homes: tuple[str, dict[str, str], Path], folder: Path
) -> None:
    url, ids, root = homes
    short = short_ids(ids.values())
    begin = os.path.commonprefix(list(ids.values()))
    for text, meant in (("Films", ("films", "more")), ("films", ("films", "more")), (begin, ids)):
        for command in (["remove", text, "--yes"], ["move", text, str(folder)]):
            done = cli("libraries", *command, "--config", url)
            assert (done.code, done.out) == (2, "")
            assert f"{text!r} matches more than one library: " in done.err
            assert all(f"{short[ids[one]]} (" in done.err for one in meant)
    assert cli("scan", "Films", "--config", url).code == 2
    assert len(cli("libraries", "--json", "--config", url).json["libraries"]) == 3


@pytest.mark.parametrize("text", ["", "Nothing", "zzzz", "ffffffff-ffff", "\udce9", "%"])
def test_what_means_no_library_is_refused(cli: Run, folder: Path, text: str) -> None:
    cli("init")
    (folder / "media").mkdir()
    cli("scan", "media", "--type", "movie")
    for command in (["remove", text, "--yes"], ["move", text, "elsewhere"]):
        done = cli("libraries", *command)
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
        assert "viewra-lite libraries lists them" in done.err
    assert len(cli("libraries", "--json").json["libraries"]) == 1


def test_a_folder_that_is_no_library_yet_is_not_taken_for_one(
    cli: Run, homes: tuple[str, dict[str, str], Path], folder: Path
) -> None:
    url, ids, _ = homes
    done = cli("scan", "absent", "--config", url)
    assert (done.code, done.out) == (2, "") and "neither a folder nor a library" in done.err
    (folder / "new").mkdir()
    done = cli("scan", "new", "--config", url)
    assert (done.code, done.out) == (2, "") and "scan new --type movie" in done.err
    (folder / "Series").mkdir()  # with a type a folder is added, whatever else is called so
    assert cli("scan", "Series", "--type", "tv", "--config", url).code == 0
    assert len(cli("libraries", "--json", "--config", url).json["libraries"]) == 4


def test_ids_that_were_made_at_once_are_still_told_apart() -> None:
    ids = Ids(lambda: datetime(2024, 5, 1, tzinfo=timezone.utc)).many(50)
    assert len(set(short_ids(ids).values())) == 50


# Moving


def test_a_library_moves_with_all_that_is_known_of_it(cli: Run, url: str, folder: Path) -> None:
    config = ("--config", url)
    films = folder / "films"
    films.mkdir()
    write_video(films / "Dune (2021).mkv")
    cli("scan", films, "--type", "movie", *config)
    with Store.open(url) as store:
        [before] = store.media.movies().items
        store.playback.mark_watched("anna", before.media_file_id)
    films.rename(folder / "disk")
    moved = cli("libraries", "move", "films", "disk", *config)
    assert (moved.code, moved.out) == (
        0,
        f"The library films is at {folder}/disk now; it was at {films}\n",
    )
    assert f"viewra-lite scan {folder}/disk --config" in moved.err
    scanned = cli("scan", "films", "--json", *config).json["scans"][0]
    assert (scanned["unchanged"], scanned["added"], scanned["missing"]) == (1, 0, 0)
    with Store.open(url) as store:
        [after] = store.media.movies().items
        assert (after.id, after.media_file_id) == (before.id, before.media_file_id)
        assert store.playback.progress("anna", after.media_file_id).completed
    again = cli("libraries", "move", "films", "disk", *config).out
    assert again == f"The library films is at {folder}/disk already\n"
    document = cli("libraries", "move", "films", folder / "disk", "--json", *config).json["moved"]
    assert (document["name"], document["path"], document["was"]) == (
        "films",
        f"{folder}/disk",
        f"{folder}/disk",
    )


def test_a_library_moves_to_no_place_that_cannot_be_its_own(
    cli: Run, homes: tuple[str, dict[str, str], Path], folder: Path
) -> None:
    url, ids, root = homes
    (folder / "file").touch()
    for place, reason in (
        ("absent", "does not exist"),
        ("file", "is a file"),
        (root / "films", "is the folder of library Films"),
        (root, "holds library"),
    ):
        done = cli("libraries", "move", "Series", place, "--config", url)
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
        assert reason in done.err
    rows = cli("libraries", "--json", "--config", url).json["libraries"]
    assert {row["path"] for row in rows} == {str(root / name) for name in ids}
