"""Episode tokens in file names: S01E02, 1x02, "Episode 3", [04], a bare number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ..text import YEAR
from .bare import find_bare
from .several import all_of, later_seasons, span, spanned
from .spelled import CARDINALS, ROMAN, number_of
from .token import Token


_MARK = r"(?:e|ep|eps|epi|episode|x|е|х)"  # the last two are Cyrillic
_SEASON_EPISODE = re.compile(
    rf"(?<![^\W_])[st](?:eason[ ._]?|o)?(\d{{1,4}})[ ._,\]\[-]{{0,3}}x?{_MARK}[ ._]?"
    r"(\d{1,5})(?!\d)(?:[ab](?![^\W_]))?",
    re.I,
)
_CROSS = re.compile(
    r"(?<![^\W_])(?:ep(?:isode)?[ ._]+)?(\d{1,2}|20\d\d)[xх](\d{1,3})(?![0-9])(?!p\b)", re.I
)
_EPISODE_FIRST = re.compile(  # "E02S01", "Episode 2 (Season 1)"
    r"(?<![^\W_])e(?:p|pisode)?[ ._]?(\d{1,4})[ ._,-]*[(\[]?"
    r"(?:s(?:eason|aison|taffel|tagione)?|temporada)[ ._]?(\d{1,4})(?![^\W_])[)\]]?",
    re.I,
)
_IN_WORD = re.compile(r"(?<=[a-z])(?:s(\d{1,2})ep?(\d{1,3})|(\d{1,2})x(\d{2}))(?!\d)", re.I)
_DOTTED = re.compile(
    r"(?:\[|(?<![^\W_])episode[ ._]?|[ ._]-[ ._](?=\d+\.\d+[ ._]-[ ._]))"
    r"(\d{1,2})\.(\d{2})(?!\d)\]?",
    re.I,
)
_UNMARKED = re.compile(r"(?<![^\W_])s(0\d)(\d\d)(?![^\W_])", re.I)  # "S0615"
_REPEATED = re.compile(r"(?<=[ ._][-–][ ._])(\d{1,2})(\d{2})[ ._]\(\2\)")  # "Show - 110 (10)"
_SEASON_NUMBER = re.compile(
    r"(?<![^\W_])[st](\d{1,2})(?:[ ._]{0,2}-[ ._]{0,2}|[ ._]{1,2})(\d{1,3})(?:v\d)?(?![^\W_])", re.I
)
_LEADING_PAIR = re.compile(r"\s*(\d{1,2})(?:-(\d{2})(?=[ ._]|$)(?!\.\d)|\.(\d{2})(?=[ ._]+-[ ._]))")
_LEADING_NUMBER = re.compile(r"\s*\d{1,4}[ ._]+[-–]")
_CAP = re.compile(r"[\[(. _]cap\.?[ ]?(\d{1,2})(\d{2})(?:[_-]\d{1,2}(\d{2}))?(?=[\]). _])", re.I)
_EPISODE_WORD = (
    "episoden|folgen?|epis[oó]dios?|episodi|[eé]pisodes?|episod|epizoda|epizód|eps|epi|ep"
    "|cap[ií]tulos?|cap|aflevering(?:en)?|afl|avsnitt|afsnit|jakso|odcinek|odc|díl|diel|rész|bölüm|bolum|blm"
    "|серия|серии|серія|эпизод|выпуск|episodul|الحلقة|פרק|επεισόδιο|tập"
)
_WORDED = re.compile(
    rf"(?<![^\W_])(?:(?:{_EPISODE_WORD}|#)[ ._#:№-]{{0,3}}|e)(\d{{1,5}})"
    r"(?![^\W_]|\.\d{1,2}(?!\d))"
    rf"|(?<![^\W_])(?:{_EPISODE_WORD}|#)[ ._#:№-]{{0,3}}(\d{{1,4}})(?=v\d|end\b)"
    rf"|(?<![^\W_])ep(?:isode)?[ ._](?:({'|'.join(CARDINALS + [x for x in ROMAN if len(x) > 1])})"
    r"(?![^\W_])|([ivx])(?=[ ._]*(?:$|[\[(-])))",
    re.I,
)
_WORDED_GLUED = re.compile(r"(?<![^\W_])ep?(\d{1,4})(?=(?:ep?|v)\d)", re.I)
_NUMBER_WORD = re.compile(
    r"(?<![^\W_])(?P<number>\d{1,4})(?:-(?P<last>\d{1,4}))?(?:[.ªº]|-?[яй])?[ ._]?"
    r"(?:bölüm|bolum|blm|серия|серии|серія|выпуск|ser|serya|seriya|folge|rész|jakso|díl|odcinek)(?![^\W_])",
    re.I,
)
_RUSSIAN_SHORT = re.compile(
    r"(?<![^\W_])(\d{1,2})[ ._](?:sez|сез)\w*[ ._](\d{1,3})[ ._](?:ser|сер)\w*", re.I
)
_OF = re.compile(
    r"(?<![^\W_])(?:(?:part|cd|dis[ck])[ ._]?)?(\d{1,3})[ ._]?(?:of|из|iz|von|de|di|van)"
    r"[ ._]?\d{1,3}(?![^\W_])",
    re.I,
)
_EAST_ASIAN = re.compile(
    r"(?<![全共\d])(?:第?\s*(?P<number>\d{1,4}|(?<=第)[一二三四五六七八九十]{1,3}))(?:[-~](?P<last>\d{1,4}))?\s*[話话集回화회]"
)
_SPECIAL = re.compile(
    r"(?<![^\W_])(?:s\d{1,2})?(?P<series>ova|oad|ovd|ona(?=[ ._-]*\d)|ex(?=\d)|sp|special)s?"
    r"[ ._-]{0,3}(\d{1,3})?(?:v\d)?(?![^\W_])",
    re.I,
)
_SEASON_SPECIAL = re.compile(r"(?<![^\W_])s\d{1,2}[ ._-]{1,3}(?=special(?![^\W_]))", re.I)
_HALF = re.compile(r"[ ._][-–][ ._]#?(\d{1,4}\.5)(?:\.\d)?(?:v\d)?(?![^\W_])", re.I)
_BEFORE_SPECIAL = re.compile(r"(?:(?<=[ ._-])|^)(\d{1,3})[ ._]*-?[ ._]*$")
_AT_END = re.compile(r"[ ._]*(?:$|[\[(])")
_BEFORE_NUMBER = re.compile(r"\s*(\d{1,3})\s+\d{1,3}\s+[^\W\d_]")
_DOTTED_PAIR = re.compile(r"(?<=[^\W_])[ ._-](\d{2})[._](\d{2})(?=[. _-]|$)")
_SPACED_CROSS = re.compile(r"(?<=[^\W\d_])[ ._-]+(\d{1,2}) x (\d{2})(?![^\W_])", re.I)
_SEASON_AND_TWO = re.compile(r"(?<=[^\W_])[ ._-](\d{1,2})(\d{2})(?:[ ._]\1)?(\d{2})(?![^\W_])")
_PART = re.compile(
    r"(?<![^\W_])(?:parte?|pt|teil|partie|chapter|chapitre|capitolo|kapitel|часть)[ ._]?"
    rf"(?P<first>\d{{1,2}}|{'|'.join(sorted(CARDINALS + ROMAN, key=len, reverse=True))})"
    r"(?:[ ._](?:and|to|[-&])[ ._](?:(?:part|pt)[ ._]?)?(?P<last>\d{1,2}))?"
    r"(?![^\W_])",
    re.I,
)


def find_token(text: str) -> Token | None:
    """Return the most certain episode token of a name, or None."""
    return next(filter(None, (reader(text) for reader in _READERS)), None)


def find_marked(text: str) -> Token | None:
    """Return the S01E02 or 1x02 of a name, or None."""
    for pattern in (
        _SEASON_EPISODE,
        _CROSS,
        _IN_WORD,
        _DOTTED,
        _SEASON_NUMBER,
        _SPACED_CROSS,
        _REPEATED,
        _UNMARKED,
    ):
        found = pattern.search(text)
        if found:
            season, number = (int(group) for group in found.groups() if group)
            episodes, end = all_of(text, found.end(), number, season)
            episodes = with_next(episodes, pattern.finditer(text, end), season)
            later, end = later_seasons(text, end, season)
            return Token(found.start(), end, episodes, season, later=later)
    return None


def with_next(
    episodes: tuple[int, ...], marks: Iterable[re.Match[str]], season: int | None = None
) -> tuple[int, ...]:
    """Add the next numbers that a name marks further on: "S01E01 Title S01E02 Title"."""
    for mark in marks:
        *others, number = (int(group) for group in mark.groups() if group)
        if others in ([], [season]) and number == episodes[-1] + 1:
            episodes += (number,)
    return episodes


def find_certain(text: str) -> Token | None:
    """Return the token of a name that also has a date, which bare numbers may be parts of."""
    return find_marked(text) or _worded(text)


def _episode_first(text: str) -> Token | None:
    found = _EPISODE_FIRST.search(text)
    return Token(*found.span(), (int(found[1]),), int(found[2])) if found else None


def _pair(text: str) -> Token | None:
    """Read "4-13 Title" as season and episode, "04-05 Title" as two episodes."""
    found = _LEADING_PAIR.match(text)
    if found is None:
        return None
    season, number = int(found[1]), int(found[2] or found[3])
    if found[2] and len(found[1]) == 2 and number > season:
        return None
    if found[3] and len(found[1]) == 2 and number == season + 1:  # "07.08 - Title"
        return Token(found.start(), found.end(), (season, number), kind="bare")
    return Token(found.start(), found.end(), (number,), season)


def _worded(text: str) -> Token | None:
    short = _RUSSIAN_SHORT.search(text)
    if short:
        return Token(short.start(), short.end(), (int(short[2]),), int(short[1]))
    spanish = _CAP.search(text)
    if spanish:
        episodes = span(int(spanish[2]), int(spanish[3] or spanish[2]))
        return Token(spanish.start(), spanish.end(), episodes, int(spanish[1]))
    of_many = list(_OF.finditer(text))[-1:]  # "Season 2of5.3of9"
    others = (pattern.search(text) for pattern in (_WORDED_GLUED, _WORDED))
    after = _NUMBER_WORD.search(text) or _EAST_ASIAN.search(text)
    for found in filter(None, (*of_many, *others)):
        number = number_of(next(group for group in found.groups() if group)) or 0
        if after and found.start() > after.start() and re.fullmatch(YEAR, str(number)):
            continue  # "7.Bölüm.2021"
        if text[found.start()] == "#" and _LEADING_NUMBER.match(text):
            continue  # "21 - Mail #1"
        episodes, end = all_of(text, found.end(), number)
        marks = (mark for mark in _WORDED.finditer(text, end) if mark[1])
        episodes = with_next(episodes, marks)
        return Token(found.start(), end, episodes, kind="worded")
    return Token(after.start(), after.end(), spanned(after), kind="worded") if after else None


def _special(text: str) -> Token | None:
    found = _SEASON_SPECIAL.search(text)
    if found:
        return Token(found.start(), found.end(), (), 0, "worded")
    found = _HALF.search(text)
    if found:
        series = found[1].lstrip("0")
        return Token(found.start(), found.end(), (), 0, "worded", series=series)
    found = _SPECIAL.search(text)
    if found is None:
        return None
    start, number = found.start(), found[2]
    if number is None and _AT_END.match(text, found.end()):
        before = _BEFORE_SPECIAL.search(text, 0, start)
        if before:
            start, number = before.start(), before[1]
    if not (number or found.group().isupper()):
        return None
    kind = found["series"].upper()
    return Token(
        start,
        found.end(),
        (int(number or 1),),
        0,
        "worded",
        series=kind if kind in ("OVA", "OAD", "OVD", "ONA", "EX") else None,
    )


def _season_and_two(text: str) -> Token | None:
    """Read "10708" and "107.108" as season 1, episodes 7 and 8."""
    for found in _SEASON_AND_TWO.finditer(text):
        first, second = int(found[2]), int(found[3])
        if second == first + 1 and int(found[1]):
            return Token(found.start(), found.end(), (first, second), int(found[1]))
    return None


def _weak_pair(text: str) -> Token | None:
    """Read "Show 02.10"."""
    found = _DOTTED_PAIR.search(text)
    if found is None:
        return None
    return Token(found.start(), found.end(), (int(found[2]),), int(found[1]), "bare")


def _part(text: str) -> Token | None:
    found = _PART.search(text)
    if found is None:
        return None
    number = number_of(found["first"]) or 0
    episodes = span(number, int(found["last"] or number))
    return Token(found.start(), found.end(), episodes, kind="worded")


def _before_number(text: str) -> Token | None:
    """Read "7 12 Angry Men"."""
    found = _BEFORE_NUMBER.match(text)
    return Token(0, found.end(1), (int(found[1]),), kind="bare") if found else None


_READERS: tuple[Callable[[str], Token | None], ...] = (
    find_marked,
    _episode_first,
    _pair,
    _worded,
    _special,
    _season_and_two,
    find_bare,
    _part,
    _weak_pair,
    _before_number,
)
