"""The text of a name: its words, its ids, and its words about the release."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

YEAR = r"(?:18[89]\d|19\d\d|20[0-3]\d)"
_ID = re.compile(
    r"[\[({][ ]*(?P<source>tmdb|tvdb|imdb)(?:id)?[ ]*[-=: ][ ]*(?P<id>(?:tt)?\d+)[ ]*[\])}]", re.I
)
_IMDB = re.compile(r"(?<![a-z0-9])(tt\d{7,9})(?![0-9])", re.I)
_SITE = re.compile(r"\s*\[?\s*www\.[^\s\]]+\s*\]?[\s-]+", re.I)
_BRACES = re.compile(r"\{[^{}]*\}")
_ARTICLE_LAST = re.compile(r"^(.+), (the|an?)$", re.I)
_INITIALS = re.compile(r"(?<![^\W_])((?:[^\W\d_]\.){2,}(?:[^\W\d_](?![^\W_])\.?)?)")
# Words that only ever describe a release: a title ends before the first of them.
CRUFT = re.compile(
    r"(?<![^\W_])(?:\d{3,4}[pi](?:\d\d)?|\d{3,4}x\d{3,4}|4k|uhd|"
    r"blu-?ray|bd(?:rip|remux|mv)|brrip|remux|"
    r"web-?(?:dl|rip)|hdtv(?:rip)?|pdtv|dsr(?:ip)?|dvd(?:rip|scr|[59r])?|hd-?rip|cam-?rip|hdcam|"
    r"telesync|vhs-?rip|[xh]\.?26[3456]|hevc|avc|av1|xvid|divx|10-?bit|hdr(?:10)?\+?|dts(?:-hd)?|"
    r"ddp?5\.1|ac3|e-?ac3|aac(?:2\.0)?|truehd|atmos|flac|mp3|(?:amzn|nf|dsnp|hmax)(?=[ ._-]web)|"
    r"repack|proper|internal|dubbed|subbed|dual[ ._-]audio|multi(?=[ ._-]\d)|"
    r"3d(?=[ ._-]+(?:h-?)?(?:sbs|ou|tab)))(?![^\W_])",
    re.I,
)


def readable(text: str) -> str:
    """Turn a file system's text into plain Unicode: other encodings as cp1252, no control codes."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        raw = text.encode("utf-8", "surrogateescape" if _came_from_bytes(text) else "replace")
        text = raw.decode("cp1252", "replace")
    text = unicodedata.normalize("NFC", text)
    return "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)


def _came_from_bytes(text: str) -> bool:
    return not any("\ud800" <= char < "\udc80" or "\udcff" < char <= "\udfff" for char in text)


def words(text: str) -> str:
    """Write a name's text as people would: dots and underscores to spaces, loose ends trimmed."""
    spaced = text.replace("_", " ")
    if " " not in spaced.strip() or _is_dotted(spaced):
        spaced = _INITIALS.sub(lambda found: found.group(1).replace(".", "\0") + " ", spaced)
        spaced = spaced.replace(".", " ").replace("\0", ".")
    spaced = re.sub(r"[(\[{]\s*[)\]}]", " ", spaced)
    trimmed = _trimmed(" ".join(spaced.split()))
    return _ARTICLE_LAST.sub(r"\2 \1", trimmed)


def _is_dotted(text: str) -> bool:
    return len(re.findall(r"(?<=[^\W_])\.(?=[^\W_])", text)) > 2 * text.count(" ") + 1


def _trimmed(text: str) -> str:
    text = text.strip(" -–—_~,;:/+|")
    while text and text[-1] in "([{" or text[:1] in (")", "]", "}"):
        text = text[1:] if text[0] in ")]}" else text[:-1]
        text = text.strip(" -–—_~,;:/+|")
    return text if re.search(r"[^\W_]", text[-2:]) or not text.endswith(" .") else text[:-2]


def without_group(text: str) -> str:
    """Drop a leading "[Group]"; "[REC] 2" keeps it, for there it is the title."""
    text = _SITE.sub("", text)
    found = re.match(r"\s*\[([^\[\]]+)\][ ._-]*(?=\S)", text)
    if found is None or re.fullmatch(YEAR, found.group(1)):
        return text
    rest = text[found.end() :]
    is_group = "[" in rest or re.match(r"[^\W\d_]", rest)
    return rest if is_group else text


def before_cruft(text: str) -> str:
    """Cut the text before the first word that describes a release, unless nothing would stay."""
    for found in CRUFT.finditer(text):
        if words(text[: found.start()]):
            return text[: found.start()]
    return text


def ids_in(*texts: str) -> dict[str, Any]:
    """Collect {tmdb-603}, [tvdbid-1], tt0133093 ...: the first text that has an id decides."""
    ids: dict[str, Any] = {}
    for text in texts:
        for found in _ID.finditer(text):
            source, value = found["source"].lower(), found["id"].lower()
            is_imdb = source == "imdb"
            if is_imdb or (value.isdecimal() and len(value) < 10):
                ids.setdefault(f"{source}_id", _imdb(value) if is_imdb else int(value))
        for loose in _IMDB.finditer(text):
            ids.setdefault("imdb_id", loose.group(1).lower())
    return ids


def _imdb(value: str) -> str:
    return value if value.startswith("tt") else f"tt{value:0>7}"


def without_ids(text: str) -> str:
    """Drop ids and every {...} note from a name."""
    return _BRACES.sub(" ", _IMDB.sub(" ", _ID.sub(" ", text))).rstrip()
