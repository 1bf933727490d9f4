"""Reading the tags of a music file as they are written: every value of every field.

Fields are named in lower case without spaces and punctuation, so that "MusicBrainz Album Id",
MUSICBRAINZ_ALBUMID and MusicBrainz/Album Id are one. tinytag reads ID3, Vorbis comments, MP4, ASF,
RIFF and AIFF. APEv2 is read here: libmediainfo gives only the first of several values, and none of
a file that is opened without its name. The rest comes from what libmediainfo says.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO

from ...errors import ProbeUnavailable
from .parser import Track
from .tag_values import LONGEST_LYRICS

Fields = dict[str, list[str]]

_NAMED = (
    "title",
    "artist",
    "album",
    "albumartist",
    "composer",
    "genre",
    "year",
    "track",
    "track_total",
    "disc",
    "disc_total",
)
_OF_MEDIAINFO = {
    "Album_Performer": "albumartist",
    "Part": "disc",
    "Part_Position": "disc",
    "Part_Position_Total": "disctotal",
    "Performer": "artist",
    "Track": "title",
    "Track_Position": "track",
    "Track_Position_Total": "tracktotal",
}
_GAINS = ("replaygaintrackgain", "replaygainalbumgain", "r128trackgain", "r128albumgain")
_NUMBERS = {"track", "wmpartofset"}
_DSF_HEADER = struct.Struct("<4sQQQ")  # mark, size, size of the file, place of the tag
_CHUNK = struct.Struct(">4sQ")
_MOST_CHUNKS = 1000
_APE_FOOTER = struct.Struct("<8sIIII8x")
_ID3V1_BYTES = 128
_ID3_HEADER = struct.Struct(">3sBxB4s")
_ID3_FRAME = struct.Struct(">4sIxB")
_MOST_FRAMES = 1000
_MOST_GAIN_BYTES = 1000
_MASTER = 1  # of RVA2's channels
_RVA2_STEPS = 512  # of a decibel
_MOST_BYTES = 16 * 2**20  # of a tag, with pictures
_MOST_APE_ITEMS = 1000


def read_fields(path: str, general: Track) -> Fields:
    """Return the fields of a file; general is libmediainfo's General track.

    Raises ProbeUnavailable without tinytag, OSError if the file cannot be read.
    """
    with open(path, "rb") as file:
        begin = file.read(_DSF_HEADER.size)
        fields, said = _of_dsd(file, begin) or _of_tinytag(file, path), _of_general(general)
        if fields:
            _divide_artists(fields, said.get("artists"))
            # tinytag reads no "3/12" of ASF and RIFF.
            fields = {**{name: said[name] for name in _NUMBERS & said.keys()}, **fields}
        if not fields or path.lower().endswith(".mp3"):
            of_ape = _of_ape(file)
            # Without ID3v2, an MP3's ID3v1 has only the first 30 characters of each text.
            fields = {**of_ape, **fields} if begin.startswith(b"ID3") else {**fields, **of_ape}
        if fields.keys().isdisjoint(_GAINS):
            fields.update(
                _of_rva2(file) if begin.startswith(b"ID3") else _of_opus_head(file, begin)
            )
    return fields or said


def _key(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _of_tinytag(file: BinaryIO, path: str | None = None) -> Fields:
    try:
        from tinytag import TinyTag
        from tinytag.tinytag import TinyTagException
    except ImportError as exc:
        raise ProbeUnavailable(
            "tinytag, which reads music tags, is missing: pip install tinytag"
        ) from exc
    file.seek(0)
    try:
        tag = TinyTag.get(path, file_obj=file, duration=False)
    except TinyTagException:
        return {}
    fields: Fields = {}
    for name in _NAMED:
        value = getattr(tag, name, None)
        if value is not None:
            fields[_key(name)] = [str(value)]
    for name, values in (getattr(tag, "other", None) or {}).items():
        fields.setdefault(_key(name), []).extend(map(str, values))
    fields.pop("", None)  # QuickTime's numbered names, which libmediainfo looks up
    return fields


def _of_dsd(file: BinaryIO, header: bytes) -> Fields:
    """Read the ID3v2 tag of a DSF or a DSDIFF file."""
    size, at = file.seek(0, os.SEEK_END), 0
    if header.startswith(b"DSD ") and len(header) == _DSF_HEADER.size:
        at = _DSF_HEADER.unpack(header)[3]
    elif header.startswith(b"FRM8"):
        at = _place_in_dsdiff(file, size)
    if not 0 < at < size:
        return {}
    file.seek(at)
    return _of_tinytag(BytesIO(file.read(_MOST_BYTES)))


def _place_in_dsdiff(file: BinaryIO, size: int) -> int:
    """Return where the tag of a DSDIFF file begins, or 0."""
    at = 16  # after the outer chunk's name, size and kind
    for _ in range(_MOST_CHUNKS):
        if at >= size:
            break
        file.seek(at)
        chunk = file.read(_CHUNK.size)
        if len(chunk) < _CHUNK.size:
            break
        name, length = _CHUNK.unpack(chunk)
        at += _CHUNK.size
        if name == b"ID3 ":
            return at
        at += length + length % 2
    return 0


def _divide_artists(fields: Fields, artists: list[str] | None) -> None:
    """Take what ARTISTS says out of ARTIST, where tinytag puts both."""
    artist = fields.get("artist", [])
    of_id3 = [value for value in artist if "\0" in value]
    listed = of_id3[0].split("\0") if of_id3 else artists
    if listed:
        fields["artists"] = listed
        known = {*listed, *of_id3, " / ".join(listed)}
        fields["artist"] = [value for value in artist if value not in known]


def _of_general(general: Track) -> Fields:
    fields: Fields = {}
    extra = general.get("extra")
    named = ((_OF_MEDIAINFO.get(name, name), value) for name, value in general.items())
    for name, value in [*named, *(extra.items() if isinstance(extra, dict) else ())]:
        if isinstance(value, str):
            key = _key(name)
            is_text = key == "lyrics"  # the lines of which are joined as well
            values = [value.replace(" / ", "\n")] if is_text else _divided(value[:LONGEST_LYRICS])
            fields.setdefault(key, []).extend(values)
    if general.get("Format") == "Wave" and "disc" in fields:
        fields["track"] = fields.pop("disc")  # RIFF has only "part"
    return fields


def _divided(value: str) -> list[str]:
    """Divide the values that libmediainfo joins; one that contains " / " is in quotes."""
    found: list[str] = []
    begun = ""
    for piece in value.split(" / "):
        begun = f"{begun} / {piece}" if begun else piece
        if not begun.startswith('"') or (begun.endswith('"') and len(begun) > 1):
            found.append(begun[1:-1] if begun.startswith('"') else begun)
            begun = ""
    return [*found, begun] if begun else found


# Gains that are not text


def _of_rva2(file: BinaryIO) -> Fields:
    """Read the gains of ID3v2's frames RVA2, in ID3v2.3 XRVA, as ReplayGain has them.

    The name of a frame says of what it is; one for another purpose is of the track.
    """
    fields: Fields = {}
    for content in _frames(file, (b"RVA2", b"XRVA")):
        name, _, channels = content.partition(b"\0")
        what = "album" if name.strip().lower() == b"album" else "track"
        for channel, steps, peak in _channels(channels):
            if channel == _MASTER and f"replaygain{what}gain" not in fields:
                fields[f"replaygain{what}gain"] = [f"{steps / _RVA2_STEPS:.4f}"]
                fields[f"replaygain{what}peak"] = [f"{peak:.6f}"] if peak else []
    return fields


def _frames(file: BinaryIO, names: tuple[bytes, ...]) -> Iterator[bytes]:
    """Yield the small frames of these names, reading no others."""
    file.seek(0)
    header = file.read(_ID3_HEADER.size)
    _, version, flags, length = _ID3_HEADER.unpack(header.ljust(_ID3_HEADER.size, b"\0"))
    if version not in (3, 4):
        return
    is_unsynchronised = bool(flags & 0x80)
    end = _ID3_HEADER.size + _whole(length)
    if flags & 0x40:  # an extended header
        extended = file.read(4)
        is_whole = version == 4  # its size counts itself
        file.seek(
            _whole(extended) - 4 if is_whole else int.from_bytes(extended, "big"), os.SEEK_CUR
        )
    for _ in range(_MOST_FRAMES):
        head = file.read(_ID3_FRAME.size)
        if len(head) < _ID3_FRAME.size or head[0] == 0 or file.tell() > end:
            return
        name, size, flags = _ID3_FRAME.unpack(head)
        size = _whole(head[4:8]) if version == 4 else size
        if name not in names or size > _MOST_GAIN_BYTES:
            file.seek(size, os.SEEK_CUR)
            continue
        content = file.read(size)
        if is_unsynchronised or (version == 4 and flags & 2):
            content = content.replace(b"\xff\0", b"\xff")
        yield content[4:] if version == 4 and flags & 1 else content


def _whole(synchsafe: bytes) -> int:
    """Return a number of ID3, which has seven bits in a byte."""
    number = 0
    for byte in synchsafe:
        number = number << 7 | byte & 0x7F
    return number


def _channels(content: bytes) -> Iterator[tuple[int, int, float]]:
    """Yield each channel of an RVA2 frame with its steps and its peak, 1.0 at full scale."""
    at = 0
    while at + 4 <= len(content):
        channel, steps, bits = struct.unpack_from(">BhB", content, at)
        size = (bits + 7) // 8
        peak = int.from_bytes(content[at + 4 : at + 4 + size], "big")
        yield channel, steps, peak / (1 << max(bits - 1, 0))
        at += 4 + size


def _of_opus_head(file: BinaryIO, begin: bytes) -> Fields:
    """Read the gain in the header of Opus, which every decoder applies.

    It is how some programs bring a file to R128's level, so that nothing is left of R128's gain.
    """
    if not begin.startswith(b"OggS"):
        return {}
    file.seek(0)
    page = file.read(512)
    at = page.find(b"OpusHead")
    if at < 0 or page[at + 16 : at + 18] in (b"\0\0", b""):
        return {}
    return {"r128trackgain": ["0"]}


# APEv2


def _of_ape(file: BinaryIO) -> Fields:
    """Read the APEv2 tag at the end of a file, before an ID3v1 tag if there is one."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _ID3V1_BYTES))
    end = size - _ID3V1_BYTES if file.read(3) == b"TAG" else size
    file.seek(max(0, end - _APE_FOOTER.size))
    footer = file.read(_APE_FOOTER.size)
    if len(footer) < _APE_FOOTER.size:
        return {}
    mark, _, length, count, _ = _APE_FOOTER.unpack(footer)
    if mark != b"APETAGEX" or not _APE_FOOTER.size <= length <= min(end, _MOST_BYTES):
        return {}
    file.seek(end - length)
    fields: Fields = {}
    for name, values in _items(file.read(length - _APE_FOOTER.size), count):
        fields.setdefault(_key(name), []).extend(values)
    return fields


def _items(content: bytes, count: int) -> Iterator[tuple[str, Iterable[str]]]:
    at = 0
    for _ in range(min(count, _MOST_APE_ITEMS)):
        name_end = content.find(b"\0", at + 8)
        if name_end < 0:
            return
        size, flags = struct.unpack_from("<II", content, at)
        name = content[at + 8 : name_end].decode("latin-1")
        at = name_end + 1 + size
        if flags >> 1 & 3 == 0:  # text, not a picture
            yield name, content[name_end + 1 : at].decode("utf-8", "replace").split("\0")
