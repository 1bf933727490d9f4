"""Music files with any tags, in the words of each format, several values of one field included."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import av

from tests.support.media import mux_silence, write_audio

Fields = Sequence[tuple[str, str]]
NUL = "\0"

# The fields as Picard names them; here ID3v2.4 and MP4. Vorbis comments and APEv2 have them as is.
_ID3 = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "albumartist": "TPE2",
    "tracknumber": "TRCK",
    "discnumber": "TPOS",
    "date": "TDRC",
    "originaldate": "TDOR",
    "genre": "TCON",
    "composer": "TCOM",
    "label": "TPUB",
    "compilation": "TCMP",
    "discsubtitle": "TSST",
    "lyrics": "USLT:",
    "releasetype": "TXXX:MusicBrainz Album Type",
    "musicbrainz_trackid": "UFID:http://musicbrainz.org",
    "musicbrainz_albumid": "TXXX:MusicBrainz Album Id",
    "musicbrainz_artistid": "TXXX:MusicBrainz Artist Id",
    "musicbrainz_albumartistid": "TXXX:MusicBrainz Album Artist Id",
}
_ID3V23 = {**_ID3, "date": "TYER", "originaldate": "TORY"}
_ID3V22 = {
    "title": "TT2",
    "artist": "TP1",
    "album": "TAL",
    "albumartist": "TP2",
    "tracknumber": "TRK",
    "discnumber": "TPA",
    "date": "TYE",
    "originaldate": "TOR",
    "genre": "TCO",
    "composer": "TCM",
    "label": "TPB",
    "compilation": "TCP",
    "lyrics": "ULT:",
    "musicbrainz_trackid": "UFI:http://musicbrainz.org",
}
_MP4 = {
    "title": "©nam",
    "artist": "©ART",
    "album": "©alb",
    "albumartist": "aART",
    "tracknumber": "trkn",
    "discnumber": "disk",
    "date": "©day",
    "genre": "©gen",
    "composer": "©wrt",
    "compilation": "cpil",
    "lyrics": "©lyr",
    "releasetype": "----:MusicBrainz Album Type",
    "musicbrainz_trackid": "----:MusicBrainz Track Id",
    "musicbrainz_albumid": "----:MusicBrainz Album Id",
    "musicbrainz_artistid": "----:MusicBrainz Artist Id",
    "musicbrainz_albumartistid": "----:MusicBrainz Album Artist Id",
}
_ASF = {"discsubtitle": "WM/SetSubTitle", "label": "WM/Publisher", "lyrics": "WM/Lyrics"}
# suffix: container format, encoder, options
_BY_PYAV = {
    ".aac": ("adts", "aac", {"write_id3v2": "1"}),
    ".aiff": ("aiff", "pcm_s16be", {"write_id3v2": "1"}),
    ".mka": ("matroska", "flac", {}),
    ".ogg": ("ogg", "vorbis", {}),
    ".wav": ("wav", "pcm_s16le", {}),
    ".tta": ("tta", "tta", {}),
    ".wma": ("asf", "wmav2", {}),
    ".wv": ("wv", "wavpack", {}),
}
# Names that FFmpeg translates into the format's own.
_FFMPEG = {"albumartist": "album_artist", "tracknumber": "track", "discnumber": "disc"}


def write_tagged(path: Path, tags: Fields, *, id3_version: int = 4) -> Path:
    """Write a music file with these tags, named as Picard names them, in its suffix's format.

    A field may come several times, where the format has no other way with NUL between the values.
    """
    suffix = path.suffix.lower()
    path.parent.mkdir(parents=True, exist_ok=True)
    once = [(name, NUL.join(v for n, v in tags if n == name)) for name in dict(tags)]
    names = {4: _ID3, 3: _ID3V23, 2: _ID3V22}[id3_version]
    own = "TXX:" if id3_version == 2 else "TXXX:"
    frames = [(names.get(name, own + name.upper()), value) for name, value in once]
    if suffix == ".mp3":
        return write_mp3(path, frames, version=id3_version)
    if suffix in (".flac", ".opus"):
        return (write_flac if suffix == ".flac" else write_opus)(path, tags)
    if suffix == ".m4a":
        return write_m4a(path, [_mp4(name, value) for name, value in tags])
    if suffix in (".ape", ".mpc"):
        return (write_ape if suffix == ".ape" else write_mpc)(path, once)
    if suffix in (".dsf", ".dff"):
        return (write_dsf if suffix == ".dsf" else write_dff)(path, frames)
    if suffix in (".tta", ".wv"):
        path.write_bytes(_encoded(suffix, ()) + apev2(once))
        return path
    renamed = _ASF if suffix == ".wma" else {"releasetype": "MusicBrainz Album Type"}
    words = {**_FFMPEG, **renamed}
    path.write_bytes(_encoded(suffix, tuple((words.get(n, n), v) for n, v in once)))
    return path


def _mp4(name: str, value: str) -> tuple[str, str | int | bytes]:
    atom = _MP4.get(name, f"----:{name.upper()}")
    if atom == "cpil":
        return atom, int(value)
    if atom in ("trkn", "disk"):
        number, _, total = value.partition("/")
        return atom, struct.pack(">4H", 0, int(number), int(total or 0), 0)[
            : 8 - 2 * (atom == "disk")
        ]
    return atom, value


@lru_cache(maxsize=64)
def _encoded(suffix: str, tags: tuple[tuple[str, str], ...]) -> bytes:
    container_format, codec, options = _BY_PYAV[suffix]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_format, options=options) as container:
        container.metadata.update(tags)
        sound = container.add_stream(
            codec, rate=48_000, layout="stereo", options={"strict": "experimental"}
        )
        if suffix == ".wma":
            sound.bit_rate = 128_000
        mux_silence(container, sound, 0.2)
    return buffer.getvalue()


def write_mp3(path: Path, frames: Fields, *, version: int = 4, ape: Fields = ()) -> Path:
    """Write an MP3 with an ID3v2 tag of these frames: ("TPE1", "A"), ("TXXX:ARTISTS", "A")."""
    sound = _without_id3(write_audio(path, seconds=0.1).read_bytes())
    path.write_bytes(id3(frames, version) + sound + (apev2(ape) if ape else b""))
    return path


def write_flac(path: Path, comments: Fields) -> Path:
    """Write a FLAC file with these Vorbis comments, a name as often as it is given."""
    sound = write_audio(path, seconds=0.1).read_bytes()
    at, kept = 4, []
    is_last = False
    while not is_last:
        kind, size = sound[at] & 0x7F, int.from_bytes(sound[at + 1 : at + 4], "big")
        is_last = bool(sound[at] & 0x80)
        if kind == 0:
            kept.append(b"\0" + sound[at + 1 : at + 4 + size])
        at += 4 + size
    block = vorbis(comments)
    kept.append(b"\x84" + len(block).to_bytes(3, "big") + block)
    path.write_bytes(b"fLaC" + b"".join(kept) + sound[at:])
    return path


def write_opus(path: Path, comments: Fields) -> Path:
    """Write an Opus file with these Vorbis comments."""
    sound = write_audio(path, seconds=0.1).read_bytes()
    second = sound.index(b"OggS", 4)
    third = sound.index(b"OggS", second + 4)
    packet = b"OpusTags" + vorbis(comments)
    sizes = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    page = sound[second : second + 22] + bytes(4) + bytes([len(sizes)]) + sizes + packet
    page = page[:22] + _ogg_crc(page).to_bytes(4, "little") + page[26:]
    path.write_bytes(sound[:second] + page + sound[third:])
    return path


def write_m4a(path: Path, atoms: Sequence[tuple[str, str | int | bytes]]) -> Path:
    """Write an M4A with these atoms: ("©ART", "A"), ("cpil", 1), ("----:LABEL", "L")."""
    sound = write_audio(path, seconds=0.1).read_bytes()
    at = sound.index(b"moov") - 4
    assert at + int.from_bytes(sound[at : at + 4], "big") == len(sound)  # at the end
    names = list(dict.fromkeys(name for name, _ in atoms))
    items = b"".join(_item(name, [value for key, value in atoms if key == name]) for name in names)
    handler = _atom(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    udta = _atom(b"udta", _atom(b"meta", bytes(4) + handler + _atom(b"ilst", items)))
    inside = sound[at + 8 :]
    old = inside.find(b"udta")
    kept = inside if old < 0 else inside[: old - 4]
    path.write_bytes(sound[:at] + _atom(b"moov", kept + udta))
    return path


def id3(frames: Fields, version: int = 4) -> bytes:
    """Return an ID3v2 tag; the text of a frame is UTF-8, in older versions UTF-16."""
    body = b"".join(_frame(name, text, version) for name, text in frames) + bytes(64)
    return b"ID3" + bytes([version, 0, 0]) + _synchsafe(len(body)) + body


def vorbis(comments: Fields) -> bytes:
    """Return a block of Vorbis comments."""
    lines = [f"{name}={value}".encode() for name, value in comments]
    packed = b"".join(struct.pack("<I", len(line)) + line for line in lines)
    return struct.pack("<I", 4) + b"test" + struct.pack("<I", len(lines)) + packed


def apev2(items: Fields) -> bytes:
    """Return an APEv2 tag with header and footer; NUL divides several values of an item."""
    body = b"".join(
        struct.pack("<II", len(value.encode()), 0) + name.encode() + b"\0" + value.encode()
        for name, value in items
    )
    head, foot = (
        b"APETAGEX" + struct.pack("<IIII", 2000, len(body) + 32, len(items), flags) + bytes(8)
        for flags in (0xA0000000, 0x80000000)
    )
    return head + body + foot


def write_ape(path: Path, items: Fields) -> Path:
    """Write a Monkey's Audio file: a header that is all a reader of tags needs, and APEv2."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = struct.pack("<4sHHIIIIIII", b"MAC ", 3990, 0, 52, 24, 4, 0, 1000, 0, 0) + bytes(16)
    header = struct.pack("<HHIIIHHI", 2000, 0, 73728 * 4, 73728, 1, 16, 2, 44100)
    path.write_bytes(descriptor + header + bytes(4) + bytes(1000) + apev2(items))
    return path


def write_mpc(path: Path, items: Fields) -> Path:
    """Write a Musepack file (SV8): its headers, and APEv2."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = b"SH\x0f" + bytes(4) + b"\x08" + b"\x87\x50" + b"\x00" + b"\x09\x10" + bytes(1)
    path.write_bytes(b"MPCK" + stream + b"SE\x03" + apev2(items))
    return path


def write_dsf(path: Path, frames: Fields) -> Path:
    """Write a DSF file: a tenth of a second of silence, and an ID3v2 tag at its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples, tag = 282_240, id3(frames, 3)
    data = bytes(2 * 4096 * 9)
    fmt = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 2, 2, 2_822_400, 1, samples, 4096, 0)
    sound = fmt + struct.pack("<4sQ", b"data", 12 + len(data)) + data
    size = 28 + len(sound)
    head = struct.pack("<4sQQQ", b"DSD ", 28, size + len(tag), size)
    path.write_bytes(head + sound + tag)
    return path


def write_dff(path: Path, frames: Fields) -> Path:
    """Write a DSDIFF file: a tenth of a second of silence, and a chunk with an ID3v2 tag."""
    path.parent.mkdir(parents=True, exist_ok=True)

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack(">Q", len(content)) + content + bytes(len(content) % 2)

    prop = b"SND " + chunk(b"FS  ", struct.pack(">I", 2_822_400))
    prop += chunk(b"CHNL", struct.pack(">H", 2) + b"SLFTSRGT") + chunk(b"CMPR", b"DSD \x00")
    inside = b"DSD " + chunk(b"FVER", b"\x01\x05\x00\x00") + chunk(b"PROP", prop)
    inside += chunk(b"DSD ", bytes(70_560)) + chunk(b"ID3 ", id3(frames, 3))
    path.write_bytes(chunk(b"FRM8", inside))
    return path


def _frame(name: str, text: str, version: int) -> bytes:
    id, _, description = name.partition(":")
    encoding, coding, end = (3, "utf-8", b"\0") if version == 4 else (1, "utf-16", b"\0\0")

    def encoded(value: str) -> bytes:
        return value.encode(coding)

    if id in ("UFID", "UFI"):
        content = description.encode() + b"\0" + text.encode()
    elif id in ("USLT", "ULT", "COMM", "COM"):
        content = bytes([encoding]) + b"eng" + encoded(description) + end + encoded(text)
    elif id in ("TXXX", "TXX"):
        content = bytes([encoding]) + encoded(description) + end + encoded(text)
    else:
        content = bytes([encoding]) + end.join(encoded(value) for value in text.split(NUL))
    if version == 2:
        return id.encode() + len(content).to_bytes(3, "big") + content
    size = _synchsafe(len(content)) if version == 4 else len(content).to_bytes(4, "big")
    return id.encode() + size + bytes(2) + content


def _synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _without_id3(sound: bytes) -> bytes:
    if not sound.startswith(b"ID3"):
        return sound
    size = sum(byte << shift for byte, shift in zip(sound[6:10], (21, 14, 7, 0)))
    return sound[10 + size :]


def _ogg_crc(page: bytes) -> int:
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)
        crc &= 0xFFFFFFFF
    return crc


def _atom(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def _item(name: str, values: Sequence[str | int | bytes]) -> bytes:
    atoms = b"".join(_data(value) for value in values)
    if name.startswith("----"):
        mean = _atom(b"mean", bytes(4) + b"com.apple.iTunes")
        return _atom(
            b"----", mean + _atom(b"name", bytes(4) + name.partition(":")[2].encode()) + atoms
        )
    return _atom(name.encode("latin-1"), atoms)


def _data(value: str | int | bytes) -> bytes:
    if isinstance(value, int):
        return _atom(b"data", struct.pack(">II", 21, 0) + bytes([value]))
    if isinstance(value, bytes):
        return _atom(b"data", bytes(8) + value)
    return _atom(b"data", struct.pack(">II", 1, 0) + value.encode())
