"""What is left out by name: of the system, hidden, or an incomplete download."""

from __future__ import annotations

import pytest

from viewra_lite.media.names.left_out import HIDDEN, INCOMPLETE, SYSTEM, is_incomplete, why_left_out


@pytest.mark.parametrize(
    "name",
    [
        ".Trash-1000",
        ".Trashes",
        ".snapshot",
        ".zfs",
        "@eaDir",
        "@EADIR",
        "@Recycle",
        "@Recently-Snapshot",
        ".@__thumb",
        "#recycle",
        "#Recycle",
        "#snapshot",
        "$RECYCLE.BIN",
        "$Recycle.Bin",
        "RECYCLER",
        "System Volume Information",
        "lost+found",
        "Lost+Found",
        "Thumbs.db",
        "__MACOSX",
        ".DS_Store",
    ],
)
def test_of_the_system(name: str) -> None:
    assert why_left_out(name) == SYSTEM


@pytest.mark.parametrize("name", [".hidden", "._film.mkv", ".hidden.mkv", ".config", "."])
def test_hidden(name: str) -> None:
    assert why_left_out(name) == HIDDEN


@pytest.mark.parametrize(
    "name",
    [
        "Film (2001).mkv.part",
        "Film (2001).mkv.PART",
        "Unconfirmed 1234.crdownload",
        "Film (2001).mkv.!qB",
        "Film (2001).mkv.!ut",
        "Film (2001).mkv.aria2",
        "Film (2001).mkv.filepart",
        "Film (2001).mkv.tmp",
        "_UNPACK_Film.2001.1080p",
    ],
)
def test_incomplete(name: str) -> None:
    assert why_left_out(name) == INCOMPLETE or is_incomplete(name)


@pytest.mark.parametrize(
    "name",
    [
        "...And Justice for All (1979).mkv",
        "...And Justice for All (1979)",
        "..More (2001).mkv",
        ".45 (2006).mkv",
        ".45 (2006)",
        "Film (2001)",
        "_film.mkv",
        "$9.99 (2008).mkv",
        "#Alive (2020)",
        "@midnight",
        "@ Suicide Room (2011).mkv",
        "Part.mkv",
        "Recycled (2006)",
        "Snapshot (2001).mkv",
        "Temp (2001)",
        "x",
    ],
)
def test_not_left_out(name: str) -> None:
    assert why_left_out(name) is None and not is_incomplete(name)
