"""The text of a name: its words, its ids, and its words about the release."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

YEAR = r"(?:18[89]\d|19\d\d|20[0-3]\d)"
_ID = re.compile(
    r"[\[({][ ]*(?P<source>tmdb|tvdb|imdb)(?:id)?[ ]*[-=: ][ ]*(?P<id>(?:tt)?\d+)[ ]*[\])}]", re.I
)
_IMDB = re.compile(r"(?<![a-z0-9])(tt\d{7,9})(?![0-9])", re.I)
_SITE = re.compile(
    r"(?:^from\b)?\s*\[?\s*(?:www?[.,][^\s\]]+|www \w+ \w+(?= - )|"
    r"[\w-]+\.(?:com|net|org|info|tv|cc|to|me|ws)(?=\s*\]|\s+-))\s*\]?[\s_-]+",
    re.I,
)
_EAST_ASIAN_BRACKETS = str.maketrans("【】（）", "[]()")
EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")  # not Korean, which mixes in English
_BRACES = re.compile(r"\{[^{}]*\}")
_ARTICLE_LAST = re.compile(r"^(.+), (the|an?)$", re.I)
_CALIBRE = re.compile(r"\s*\.\d+\s*")  # ".45", a title
_INITIALS = re.compile(r"(?<![^\W_])((?:[^\W\d_]\.){2,}(?:[^\W\d_](?![^\W_])\.?)?)")
# Words that only ever describe a release: a title ends before the first of them.
CRUFT = re.compile(
    r"(?<![^\W_])(?:(?:bd|web)?\d{3,4}[pi](?:\d\d)?|\d{3,4}x\d{3,4}|4k|u(?:ltra)?-?hd|"
    r"blu-?e?ray|bd-?(?:rip|remux|mv|25|50)|br-?rip|remux|hd-?dvd|hd-?light|"
    r"web-?(?:dl|rip|cap)|u?hdtv(?:rip)?|[ps]dtv|dsr(?:ip)?|tv-?rip|sat-?rip|"
    r"\d{1,2}x?dvd[59r]?|\d{1,2}x?cds?|s?vcd|(?-i:SCREENER)|dvd(?:-?rip|scr|-?[59r])?|hd-?rip|(?:hd|hq|new)-?cam(?:-?rip)?|cam-?rip|"
    r"telesynch?|hd-?ts|ts-?rip|telecine|hd-?tc|vhs-?rip|(?:pre)?dvdrip|dvdmux|"
    r"[xh]\.?26[3456]|hevc|avc|av1|vc-?1|xvid|divx|10-?bit|8bit|hi10p?|hdr(?:10)?\+?|sdr|dovi|"
    r"dolby[ ._]?vision|dts(?:-?(?:hd|x|es))?|"
    r"ddp?\+?5\.1|ac3d?|e-?ac3|aac(?:2\.0)?|truehd|atmos|flac|mp3|hdc|"
    r"(?:amzn|nf|dsnp|hmax)(?=[ ._-]web)|"
    r"repack|rerip|(?-i:PROPER|[Ii]NTERNAL|DUBBED|SUBBED)|dual[ ._-]audio|multi(?=[ ._-]*(?:\d|$))|"
    r"truefrench|subfrench|vostfr|vff|vfq|swesub|nlsubs?|(?:kor|multi|e)-?subs?|dublado|legendado|"
    r"(?:proper|internal|dubbed|subbed|complete|stv|convert|hq|hc|multi|german|french|italian|"
    r"spanish)(?=[ ._-]+(?:uhd|blu-?ray|pal[ ._-]|ntsc[ ._-]|dvdr|web-?dl|bd-?rip|dvd-?rip|"
    r"\d{3,4}p))|3d(?=[ ._-]+(?:[hf]?-?)?(?:sbs|ou|tab|mvc))|"
    r"[hf]-?(?:sbs|ou|tab)|sbs(?:3d)?|\d\d(?:\.\d{1,3})?[ ]?fps|"
    r"\d\d\.\d\d\.\d\d_\d\d-\d\d_[^\W_]+)(?![^\W_])",
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
    if _CALIBRE.fullmatch(spaced):
        return spaced.strip()
    if " " not in spaced.strip() or _is_dotted(spaced):
        spaced = _INITIALS.sub(lambda found: found.group(1).replace(".", "\0") + " ", spaced)
        spaced = spaced.replace(".", " ").replace("\0", ".")
    spaced = re.sub(r"[(\[{]\s*[)\]}]", " ", spaced)
    trimmed = _trimmed(" ".join(spaced.split()))
    return _ARTICLE_LAST.sub(r"\2 \1", trimmed)


def _is_dotted(text: str) -> bool:
    return len(re.findall(r"(?<=[^\W_])\.(?=[^\W_])", text)) > 2 * text.count(" ") + 1


def _trimmed(text: str) -> str:
    text = text.rstrip(" -–—_~,;:/+|").lstrip(" -–—_~,;:/|")
    text = text if re.match(r"\+\d", text) else text.lstrip(" -–—_~,;:/+|")  # "+44"
    while text and text[-1] in "([{" or text[:1] in (")", "]", "}"):
        text = text[1:] if text[0] in ")]}" else text[:-1]
        text = text.strip(" -–—_~,;:/+|")
    return text if re.search(r"[^\W_]", text[-2:]) or not text.endswith(" .") else text[:-2]


def without_group(text: str) -> str:
    """Drop a leading "[Group]"; "[REC] 2" keeps it, for there it is the title."""
    text = _SITE.sub(" ", text).lstrip()
    found = re.match(r"\s*\[([^\[\]]+)\][ ._-]*(?=\S)", text)
    if found is None or re.fullmatch(YEAR, found.group(1)):
        return text
    rest = text[found.end() :]
    if re.fullmatch(rf".*\w[ ._]{YEAR}", found.group(1)):  # "[Title 1998] [...]"
        return f"{found.group(1)} {rest}"
    is_joined = found.group().endswith("]")  # "[group]12 Reeds", unlike "[REC] 2"
    begins = rf"[^\W\d_]|(?!{YEAR})\d\d" if is_joined else r"[^\W\d_]"
    is_group = "[" in rest or re.match(begins, rest)
    return rest if is_group else text


def with_latin_first(text: str) -> str:
    """Write "标题[国语].Title.2023.1080p" as other releases are, its Latin name first.

    East Asian brackets become square ones.
    """
    text = text.translate(_EAST_ASIAN_BRACKETS)
    head, _, release = text.rpartition("].")
    is_latin = EAST_ASIAN.search(head) and re.match(r"[A-Za-z]", release)
    return f"{release} {head}]" if is_latin and CRUFT.search(release) else text


def before_cruft(text: str) -> str:
    """Cut the text before the first word that describes a release, unless nothing would stay."""
    for found in CRUFT.finditer(text):
        head = text[: found.start()]
        if words(head):
            bracket = _OPEN_BRACKET.search(head)
            return head[: bracket.start()] if bracket and words(head[: bracket.start()]) else head
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


def id_starts(text: str) -> list[int]:
    """Return where the external ids of a name start."""
    return sorted(found.start() for ids in (_ID, _IMDB) for found in ids.finditer(text))


def _imdb(value: str) -> str:
    return value if value.startswith("tt") else f"tt{value:0>7}"


def without_ids(text: str) -> str:
    """Drop ids and every {...} note from a name."""
    return _BRACES.sub(" ", _IMDB.sub(" ", _ID.sub(" ", text))).rstrip()


# Sources

_OF_FOLDER = {"video_ts": "DVD", "hvdvd_ts": "HD-DVD", "bdmv": "Blu-ray", "avchd": "AVCHD"}
# Labels and their words, which may be words of titles: they are searched after the title only.
_SOURCES = {
    "HD-DVD": r"hd[ ._-]?dvd(?:-?rip)?",
    "Blu-ray": r"m?blu[ ._-]?e?ray|(?:uhd2?-?)?bd(?:-?(?:(?:rip)?mux|rip|mv|r|scr|light|iso|"
    r"\d{2,4}p?))?|br-?(?:rip)?(?:mux)?|uhd(?:-?rip)?(?![ ._-]*(?:web|h?d?tv))|[^\W_]*remux",
    "DVD": r"\d?x?m?dvd(?:-?rip|-?r|scr|[59]|mux)?|r5",
    "Web": r"web(?:[ ._-]?(?:dl|rip|cap|hd|mux|u?hd))?(?:-?rip)?|amzn|dsnp|hmax",
    "TV": r"u?hd[ ._-]?tv(?:-?rip)?|[ps]d-?tv|ds-?r(?:ip)?|(?:dvb|sat|dth|tv)-?(?:rip|mux)?",
    "Telesync": r"(?:hd|new)?-?ts(?:-?rip)?|tele-?synch?|p(?:re)?-?dvd(?:-?rip)?",
    "Telecine": r"(?:hd)?-?tc(?:-?rip)?|tele-?cine",
    "Camera": r"(?:hd|hq|new)*[ ._-]?cam(?:-?rip)?",
    "Screener": r"scr(?:eener)?",
    "Workprint": r"work-?print",
    "VHS": r"vhs(?:[ ._-]?rip)?",
    "LaserDisc": r"laser-?disc",
}
_SOURCE = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(f'({each})' for each in _SOURCES.values())})(?![^\W_])", re.I
)
_LABELS = list(_SOURCES)
_OPEN_BRACKET = re.compile(r"[\[(][^\[\]()]*$")
_BRACKET = re.compile(r"(?<=[^\W_])[ ._-]*\[")


def source_of(parents: Sequence[str], tails: Iterable[str]) -> str | None:
    """Read a file's source from its disc's folder, else from the texts after a title."""
    for folder in parents[-2:]:
        if folder.casefold() in _OF_FOLDER:
            return _OF_FOLDER[folder.casefold()]
    return next(filter(None, map(_source, tails)), None)


@lru_cache(maxsize=1024)  # most files of a library end alike
def _source(tail: str) -> str | None:
    found = _SOURCE.search(tail)
    return _LABELS[(found.lastindex or 1) - 1] if found else None


@lru_cache(maxsize=1024)
def release_words(name: str) -> str:
    """Return a name from where its words about the release may begin, "" without any."""
    cruft, bracket = CRUFT.search(name), _BRACKET.search(name)
    begins = [bracket.end()] if bracket else []
    if cruft:  # "Title TS XviD": the word before is one of them
        before = name[: max(0, cruft.start() - 1)]
        begins.append(max(before.rfind(gap) for gap in " ._-[(") + 1)
    return name[min(begins, default=len(name)) :]
