"""Discs as folders, with the files that name their titles, of tiny clips."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from tests.support.media import write_video


def _clip(path: Path, suffix: str, seed: int, padding: int) -> Path:
    written = write_video(path.with_suffix(suffix), seconds=0.2, audio=False, seed=seed)
    path.write_bytes(written.read_bytes() + bytes(padding))
    written.unlink()
    return path


def _bcd(number: int) -> int:
    return number // 10 << 4 | number % 10


def write_dvd(
    folder: Path,
    sets: Sequence[tuple[int, int]] = ((1, 90), (2, 5400)),
    *,
    index: bool = True,
    seed: int = 0,
) -> Path:
    """Write a DVD: for each title set the number of its clips and its seconds; return the index."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (clips, seconds) in enumerate(sets, 1):
        for clip in range(1, clips + 1):
            name = f"VTS_{number:02}_{clip}.VOB"
            _clip(folder / name, ".mkv", seed * 100 + number * 10 + clip, 1000 * clips)
        ifo = bytearray(4096)
        ifo[:12] = b"DVDVIDEO-VTS"
        struct.pack_into(">I", ifo, 0xCC, 1)
        struct.pack_into(">HHI", ifo, 2048, 2, 0, 0)
        for chain, length in enumerate((5, seconds)):
            struct.pack_into(">II", ifo, 2048 + 8 + 8 * chain, 0, 64 + 32 * chain)
            digits = (length // 3600, length // 60 % 60, length % 60)
            ifo[2048 + 64 + 32 * chain + 4 : 2048 + 64 + 32 * chain + 7] = bytes(map(_bcd, digits))
        (folder / f"VTS_{number:02}_0.IFO").write_bytes(ifo)
        (folder / f"VTS_{number:02}_0.BUP").write_bytes(ifo)
    _clip(folder / "VIDEO_TS.VOB", ".mkv", 1, 0)
    if index:
        (folder / "VIDEO_TS.IFO").write_bytes(b"DVDVIDEO-VMG" + bytes(2000))
    return folder / "VIDEO_TS.IFO"


def write_bluray(
    folder: Path,
    playlists: Sequence[Sequence[tuple[str, float]]] = (
        (("00001", 60.0),),
        (("00800", 3600.0), ("00801", 1800.5)),
        (("00001", 60.0), ("00001", 60.0), ("00001", 60.0)),
    ),
    *,
    index: bool = True,
    seed: int = 0,
) -> Path:
    """Write a Blu-ray: for each playlist its clips and their seconds; return the index."""
    for name in ("STREAM", "PLAYLIST", "CLIPINF", "BACKUP"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    clips = sorted({clip for playlist in playlists for clip, _ in playlist} | {"00002"})
    for number, clip in enumerate(clips):
        _clip(folder / f"STREAM/{clip}.m2ts", ".mkv", seed * 100 + number, 500 * number)
    for number, playlist in enumerate(playlists):
        items = b"".join(
            struct.pack(">H5s4sHBII", 20, clip.encode(), b"M2TS", 1, 0, 90_000, ends)
            for clip, seconds in playlist
            for ends in [90_000 + round(seconds * 45_000)]
        )
        head = struct.pack(">4s4sIII", b"MPLS", b"0200", 40, 0, 0).ljust(40, b"\0")
        body = struct.pack(">IHHH", len(items) + 6, 0, len(playlist), 0) + items
        (folder / f"PLAYLIST/{number:05}.mpls").write_bytes(head + body)
        (folder / f"BACKUP/{number:05}.mpls").write_bytes(head + body)
    if index:
        (folder / "index.bdmv").write_bytes(b"INDX0200" + bytes(100))
        (folder / "MovieObject.bdmv").write_bytes(b"MOBJ0200")
    return folder / "index.bdmv"


def write_hd_dvd(
    folder: Path,
    clips: Sequence[str] = ("FEATURE_1", "FEATURE_2", "MENU_1"),
    *,
    titles: Sequence[tuple[Sequence[str], str]] = (),
    index: str | None = "HVA00001.VTI",
    seed: int = 0,
) -> Path:
    """Write an HD DVD: its clips, the first the smallest, and the titles of its playlist."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(clips):
        _clip(folder / f"{name}.EVO", ".mkv", seed * 100 + number, 500 * number)
        (folder / f"{name}.MAP").write_bytes(b"HDDVD_V_CONT")
    if titles:
        elements = "".join(
            f'<Title id="T{number}" titleDuration="{length}">'
            + "".join(
                f'<PrimaryAudioVideoClip src="file:///dvddisc/HVDVD_TS/{name}.MAP"/>'
                for name in names
            )
            + "</Title>"
            for number, (names, length) in enumerate(titles)
        )
        playlist = folder.parent / "ADV_OBJ/VPLST000.XPL"
        playlist.parent.mkdir(exist_ok=True)
        playlist.write_text(f"<Playlist><TitleSet>{elements}</TitleSet></Playlist>")
    if index:
        (folder / index).write_bytes(b"ADVANCED-VTI" + bytes(100))
    return folder / (index or f"{clips[0]}.EVO")


def write_camera(folder: Path, *, seed: int = 0) -> Path:
    """Write the AVCHD folder of a camera, with names of eight letters and three."""
    index = write_bluray(folder, ((("00000", 60.0), ("00001", 30.0)),), seed=seed)
    for path in sorted(folder.rglob("*.*")):
        short = {".m2ts": ".MTS", ".mpls": ".MPL", ".bdmv": ".BDM"}[path.suffix]
        name = "MOVIEOBJ" if path.stem == "MovieObject" else path.stem.upper()
        path.rename(path.with_name(name + short))
    return index.with_name("INDEX.BDM")
