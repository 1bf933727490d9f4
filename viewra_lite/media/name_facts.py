"""What a file's name can say, and the words and keys that names are compared by."""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Union

from ..errors import ViewraError


class ProbeUnavailable(ViewraError):
    """An optional package is missing: pip install guessit pymediainfo tinytag."""


@dataclass(frozen=True, slots=True)
class MovieName:
    """A movie file: the film, and which version or part of it the file holds."""

    title: str
    year: int | None = None
    edition: str | None = None
    part: int | None = None
    tmdb_id: int | None = None
    imdb_id: str | None = None

    @property
    def identity(self) -> str:
        """Key the film and its part: editions and qualities of one film share it."""
        part = f":part{self.part}" if self.part else ""
        return f"movie:{fold(self.title)}:{self.year or ''}{part}"


@dataclass(frozen=True, slots=True)
class EpisodeName:
    """An episode file: season 0 holds specials; the ids are the show's, not the episode's."""

    show: str
    show_year: int | None = None
    season: int | None = None
    episodes: tuple[int, ...] = ()
    absolute: int | None = None
    title: str | None = None
    air_date: date | None = None
    tvdb_id: int | None = None
    tmdb_id: int | None = None
    imdb_id: str | None = None

    @property
    def identity(self) -> str:
        """Key the episode: by season and number, else absolute number, else date, else title."""
        return f"episode:{fold(self.show)}:{self.show_year or ''}:{self._which()}"

    def _which(self) -> str:
        if self.episodes:
            return f"s{self.season or 0:02d}{_episode_span(self.episodes)}"
        if self.absolute is not None:
            return f"a{self.absolute}"
        if self.air_date is not None:
            return self.air_date.isoformat()
        season = "" if self.season is None else f"s{self.season:02d}:"
        return season + fold(self.title or "")


@dataclass(frozen=True, slots=True)
class TrackName:
    """A music file: `artist` plays the track, `album_artist` is on the cover where it differs."""

    artist: str | None
    album: str | None
    title: str
    disc: int | None = None
    track: int | None = None
    year: int | None = None
    album_artist: str | None = None

    @property
    def identity(self) -> str:
        """Key the track on its album; a file without a disc number is on disc 1."""
        who, album = fold(self.album_artist or self.artist or ""), fold(self.album or "")
        return f"track:{who}:{album}:{self.disc or 1}:{self.track or ''}:{fold(self.title)}"


NameFacts = Union[MovieName, EpisodeName, TrackName]


def _episode_span(episodes: tuple[int, ...]) -> str:
    first, last = episodes[0], episodes[-1]
    if first == last:
        return f"e{first:02d}"
    if episodes == tuple(range(first, last + 1)):
        return f"e{first:02d}-e{last:02d}"
    return "".join(f"e{number:02d}" for number in episodes)


# -- keys ----------------------------------------------------------------------------------------

# Letters that NFKD leaves whole although people type them in plain ASCII.
_PLAIN = str.maketrans({
    "ß": "ss", "ø": "o", "Ø": "o", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ł": "l", "Ł": "l",
    "đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "þ": "th", "Þ": "th", "ħ": "h", "Ħ": "h", "ı": "i",
    "&": " and ", "＆": " and ", "﹠": " and ",
})
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘‛ʼʻʹ´`′＇"))


# Characters: PostgreSQL's indexes hold 2,704 bytes a row, and an identity has up to three keys.
LONGEST_KEY = 200


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Reduce a title to a key: no case, accents or punctuation; words joined by "-".

    Letters of every script stay. Text of punctuation only becomes its code points ("u0021"), so
    that it still tells titles apart; blank text becomes "".
    """
    plain = _without_accents(text.translate(_APOSTROPHES).translate(_PLAIN))
    letters = "".join(char if _is_letter(char) else " " for char in plain)
    folded = "-".join(letters.split())
    marks = "-".join(f"u{ord(char):04x}" for char in text if _is_mark(char))
    return (folded or marks)[:LONGEST_KEY].rstrip("-")


def _without_accents(text: str) -> str:
    """Drop Latin, Greek and Cyrillic accents; a mark of another script may be half its letter."""
    for _ in range(3):  # casefold may yield letters that decompose again
        spread = unicodedata.normalize("NFKD", text).translate(_APOSTROPHES).translate(_PLAIN)
        bare = "".join(char for char in spread if not "\u0300" <= char <= "\u036f")
        text = unicodedata.normalize("NFC", bare.casefold())
    return text


def _is_letter(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"


def _is_mark(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char)[0] != "C"


# Only articles that are nothing else in another language: "Die Hard" and "La La Land" keep theirs.
_ARTICLE = re.compile(r"(?:(?:the|a|an|le|les|der|das|el|il|une)\s+|l['’])(?=\S)")


def sort_title(title: str) -> str:
    """Make the text to sort by: no leading article or accents, numbers padded to five digits."""
    text = _without_accents(title.replace("’", "'").replace("'", "\x01")).replace("\x01", "'")
    text = " ".join(text.split()).lstrip("\"'([{¡¿.…-_#* ") or " ".join(title.casefold().split())
    text = _ARTICLE.sub("", text, count=1) if _ARTICLE.match(text) else text
    return re.sub(r"\d+", lambda digits: digits.group().zfill(5), text)[:LONGEST_KEY]


# -- text ----------------------------------------------------------------------------------------

YEAR = r"(?:18[89]\d|19\d\d|20[0-3]\d)"
_ID = re.compile(
    r"[\[({][ ]*(?P<source>tmdb|tvdb|imdb)(?:id)?[ ]*[-=: ][ ]*(?P<id>(?:tt)?\d+)[ ]*[\])}]", re.I)
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
    r"3d(?=[ ._-]+(?:h-?)?(?:sbs|ou|tab)))(?![^\W_])", re.I)


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
    rest = text[found.end():]
    is_group = "[" in rest or re.match(r"[^\W\d_]", rest)
    return rest if is_group else text


def before_cruft(text: str) -> str:
    """Cut the text before the first word that describes a release, unless nothing would stay."""
    for found in CRUFT.finditer(text):
        if words(text[:found.start()]):
            return text[:found.start()]
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


# -- guessit -------------------------------------------------------------------------------------

@dataclass(frozen=True, slots=True)
class Found:
    """One thing that guessit saw, and where in the text it stands."""

    value: Any
    start: int
    end: int


_GUESSING = threading.Lock()  # guessit keeps its options in one shared object


def require_guessit() -> None:
    """Raise ProbeUnavailable where guessit is not installed."""
    try:
        import guessit  # noqa: F401
    except ImportError as exc:
        raise ProbeUnavailable(
            "guessit, which reads file names, is missing: pip install guessit") from exc


def guess(text: str, kind: str) -> dict[str, list[Found]]:
    """Ask guessit about one name ("movie" or "episode"); a name that defeats it yields {}.

    Takes about 5 ms, the first time 0.3 s. Raises ProbeUnavailable without guessit.
    """
    require_guessit()
    from guessit import guessit

    options = {"type": kind, "advanced": True, "no_user_config": True}
    try:
        with _GUESSING:
            answer = guessit(text, options)
        return {name: _found(value) for name, value in answer.items()}
    except Exception:  # guessit's rules fail in many ways on odd names; the stem remains
        return {}


def _found(value: Any) -> list[Found]:
    matches = value if isinstance(value, list) else [value]
    return [Found(match.value, match.start, match.end) for match in matches]


def first(guessed: dict[str, list[Found]], name: str) -> Any:
    """Return the first value under that name, or None."""
    return guessed[name][0].value if guessed.get(name) else None


_RELEASE_WORDS = (
    "screen_size", "source", "video_codec", "audio_codec", "edition", "cd", "crc32", "website",
    "streaming_service", "color_depth")


def release_start(guessed: dict[str, list[Found]], begin: int, end: int) -> int:
    """Tell where guessit sees the first word about the release after `begin`, at most `end`."""
    starts = [found.start for name in _RELEASE_WORDS for found in guessed.get(name, ())]
    cut = min((start for start in starts if begin < start < end), default=end)
    for language in reversed(guessed.get("language", ())):
        if cut < end and begin < language.start and 0 <= cut - language.end <= 1:
            cut = language.start
    return cut
