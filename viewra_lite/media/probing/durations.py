"""The duration of files whose headers libmediainfo does not count: raw AAC, and short DSF files."""

from __future__ import annotations

import os
import struct

_HERTZ = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_SAMPLES = 1024  # of an AAC frame
_READ_BYTES = 1024 * 1024  # of a longer file the rest is taken for alike


def counted_seconds(path: str, format: str) -> float | None:
    """Return the seconds of a file in one of these formats, None in any other.

    format is libmediainfo's, in lower case. Reads at most 1 MiB. Raises OSError.
    """
    if format == "adts":
        return _of_adts(path)
    return _of_dsf(path) if format == "dsf" else None


def _of_adts(path: str) -> float | None:
    """Count the frames of raw AAC; each begins with its own length."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(_READ_BYTES)
    start = place = _after_id3(data)
    seconds = 0.0
    while place + 7 <= len(data) and data[place] == 0xFF and data[place + 1] & 0xF6 == 0xF0:
        hertz = _HERTZ[min(data[place + 2] >> 2 & 15, len(_HERTZ) - 1)]
        length = (data[place + 3] & 3) << 11 | data[place + 4] << 3 | data[place + 5] >> 5
        if length < 7:
            break
        seconds += (1 + (data[place + 6] & 3)) * _SAMPLES / hertz
        place += length
    if not seconds:
        return None
    if size > len(data):
        seconds *= (size - start) / (place - start)
    return round(seconds, 3)


def _after_id3(data: bytes) -> int:
    """Return where an ID3 tag at the beginning ends."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    length = 0
    for byte in data[6:10]:
        length = length << 7 | byte & 0x7F
    return 10 + length


def _of_dsf(path: str) -> float | None:
    """Divide the samples by the rate that the header says."""
    with open(path, "rb") as file:
        header = file.read(80)
    if len(header) < 72 or header[28:32] != b"fmt ":
        return None
    hertz, _, samples = struct.unpack_from("<IIQ", header, 56)
    return float(samples / hertz) if hertz else None
