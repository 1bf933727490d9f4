"""Episode tokens in file names: S01E02, 1x02, "Episode 3", [04], a bare number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ..text import CRUFT, YEAR


@dataclass(frozen=True, slots=True)
class Token:
    """The meaning of a token and its span of text.

    Without a season, `episodes` may count through all seasons; `absolute` does for certain.
    """

    start: int
    end: int
    episodes: tuple[int, ...]
    season: int | None = None
    kind: Literal["marked", "worded", "bare"] = "marked"
    absolute: tuple[int, ...] = ()
    series: str | None = None  # "OVA", "12.5": specials with numbers of their own
    may_hold_season: bool = False  # 305 may be season 3, episode 5


MOST_EPISODES_IN_A_FILE = 100

_MARK = r"(?:e|ep|eps|epi|episode|x|е|х)"  # the last two are Cyrillic
_SEASON_EPISODE = re.compile(
    rf"(?<![^\W_])[st](?:eason[ ._]?)?(\d{{1,4}})[ ._,\]\[-]{{0,3}}x?{_MARK}[ ._]?(\d{{1,5}})(?!\d)"
    r"(?:[ab](?![^\W_]))?",
    re.I,
)
_CROSS = re.compile(r"(?<![^\W_])(\d{1,2}|20\d\d)[xх](\d{1,3})(?![0-9])(?!p\b)", re.I)
_EPISODE_FIRST = re.compile(r"(?<![^\W_])()e(\d{1,4})[ ._-]?(?=s\d{1,4}(?![^\W_]))", re.I)
_IN_WORD = re.compile(r"(?<=[a-z])(?:s(\d{1,2})ep?(\d{1,3})|(\d{1,2})x(\d{2}))(?!\d)", re.I)
_DOTTED = re.compile(r"(?:\[|(?<![^\W_])episode[ ._]?)(\d{1,2})\.(\d{2})(?!\d)\]?", re.I)
_REPEATED = re.compile(r"(?<=[ ._][-–][ ._])(\d{1,2})(\d{2})[ ._]\(\2\)")  # "Show - 110 (10)"
_SEASON_NUMBER = re.compile(
    r"(?<![^\W_])[st](\d{1,2})(?:[ ._]{0,2}-[ ._]{0,2}|[ ._]{1,2})(\d{1,3})(?:v\d)?(?![^\W_])", re.I
)
_LEADING_PAIR = re.compile(r"\s*(\d{1,2})-(\d{2})(?=[ ._]|$)(?!\.\d)")
# What may follow a token's first number: ".S01E03", "x04", "-E05", " & 1x06", "+02", "~16".
_NEXT = re.compile(
    r"(?P<gap>[ ._]?(?:[-–~+&,]|and|to)[ ._]?|[ ._]?)"
    r"(?:s(?P<season>\d{1,4})[ ._]?)?"
    r"(?P<mark>(?:\d{1,2}|20\d\d)[xх](?=\d)|e(?:pi?s?)?[ ._]?|[xхе])?"
    r"(?P<number>\d{1,5})(?:v\d)?(?![^\W_]|\.\d(?![\dp]))",
    re.I,
)
_NEXT_GLUED = re.compile(
    r"(?P<gap>)(?:s(?P<season>\d{1,4}))?(?P<mark>ep?|[xх])(?P<number>\d{1,4})(?!\d)", re.I
)
_AFTER_NUMBER = (*" ._-[]()", "")
_VERSION = re.compile(r"v\d(?![^\W_])", re.I)
_OTHER_SEASON = re.compile(r"[ ._]?[-&+]?[ ._]?s\d{1,2}e\d{1,3}(?![^\W_])", re.I)
_OF_MANY = re.compile(r"[ ._]?(?:of|из)[ ._]?\d{1,3}(?![^\W_])", re.I)
_CAP = re.compile(r"[\[(. _]cap\.?[ ]?(\d{1,2})(\d{2})(?:_\d{1,2}(\d{2}))?(?=[\]). _])", re.I)
_EPISODE_WORD = (
    "episode|episodes|folge|epis[oó]dio|[eé]pisode|episod|epizoda|epizód|eps|epi|ep"
    "|cap[ií]tulo|cap|aflevering|afl|avsnitt|afsnit|jakso|odcinek|odc|díl|diel|rész|bölüm|bolum|blm"
    "|серия|серии|серія|эпизод|выпуск|episodul|الحلقة|פרק|επεισόδιο|tập"
)
_WORDED = re.compile(
    rf"(?<![^\W_])(?:(?:{_EPISODE_WORD}|#)[ ._#:№-]{{0,3}}|e)(\d{{1,5}})"
    r"(?![^\W_]|\.\d{1,2}(?!\d)|-?\d{3,4}p)"
    rf"|(?<![^\W_])(?:{_EPISODE_WORD}|#)[ ._#:№-]{{0,3}}(\d{{1,4}})(?=v\d|end\b)",
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
    r"(?<![^\W_])(?:part[ ._]?)?(\d{1,3})[ ._]?(?:of|из|iz|von|de)[ ._]?\d{1,3}(?![^\W_])", re.I
)
_EAST_ASIAN = re.compile(
    r"(?<![全共\d])第?\s*(?P<number>\d{1,4})(?:[-~](?P<last>\d{1,4}))?\s*[話话集回화회]"
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
_BRACKETED = re.compile(
    r"(?:\[(?!(?:480|720|1080|2160)\])|\((?=\d\d|\d-))(?P<number>\d{1,4})"
    r"(?:[-~_](?P<last>\d{1,4}))?(?:v\d)?[ ._]?(?:end|fin|final|完)?[\])]",
    re.I,
)
_LEADING = re.compile(
    r"\s*(?P<number>\d{1,4})(?:(?:-\d{1,4})?-(?P<last>\d{1,4}))?(?:v\d)?"
    r"(?=\s*$|[ ._]*[-–.)\]\[(_][ ._]*|\s+(?:[^\W\d_]|\d{3,4}p))(?!\.\d)"
)
_RANGE_DASH = r"(?:v\d)?(?:[-~+&,]|[ _][~+&][ _])"
_DASHED = re.compile(
    rf"[ ._][-–][ ._]{{1,2}}#?\(?(?P<number>\d{{1,4}})(?:{_RANGE_DASH}(?P<last>\d{{1,4}}))?"
    r"(?:\.?v\d|[a-c])?(?![^\W_]|\.\d(?!\d)|-\d)",
    re.I,
)
_TRAILING = re.compile(r"[ ._-]#?(?P<number>\d{2,4})(?:v\d)?(?=[ ._]*(?:[\[(]|$|end\b))", re.I)
_TRAILING_RANGE = re.compile(
    r"(?<!\d)(?<!part)[ ._(-](?P<number>\d{1,4})(?:v\d)?(?:[-~+&]| & | to )(?P<last>\d{1,4})"
    r"(?:v\d)?(?=[ ._)]*(?:[\[(]|$|-\.))",
    re.I,
)
_BEFORE_CRUFT = re.compile(
    r"(?<=[^\W_])(?<!part)(?<!pt)(?<!teil)[ ._-]#?(?P<number>\d{2,4}|\d(?=-))"
    r"(?:-(?P<last>\d{2,4}))?(?=[ ._-]*$)",
    re.I,
)
_MIDDLE = re.compile(r"(?<=[^\W\d_])[ ._](?P<number>\d{3}|0\d{1,3})(?=[ ._][^\W\d_])")
_RESOLUTION = re.compile(r"(?<=[ ._])(?:480|576|720|1080|2160)(?=[ ._])")
_DOTTED_PAIR = re.compile(r"(?<=[^\W\d_])[ ._-](\d{2})\.(\d{2})(?=[. _]|$)")
_SPACED_CROSS = re.compile(r"(?<=[^\W\d_])[ ._-]+(\d{1,2}) x (\d{2})(?![^\W_])", re.I)
_SEASON_AND_TWO = re.compile(r"(?<=[^\W_])[ ._-](\d{1,2})(\d{2})(?:[ ._]\1)?(\d{2})(?![^\W_])")
_PART = re.compile(
    r"(?<![^\W_])(?:part|pt|teil|partie|chapter)[ ._]?"
    r"(?P<first>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|[ivx]{1,4})"
    r"(?:[ ._](?:and|to|[-&])[ ._](?:(?:part|pt)[ ._]?)?(?P<last>\d{1,2}))?"
    r"(?![^\W_])",
    re.I,
)
_NUMBER_WORDS = "one two three four five six seven eight nine ten".split()
_ROMAN = "i ii iii iv v vi vii viii ix x".split()


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
    ):
        found = pattern.search(text)
        if found:
            season, number = (int(group) for group in found.groups() if group)
            episodes, end = _all_of(text, found.end(), number, season)
            return Token(found.start(), end, episodes, season)
    return None


def find_certain(text: str) -> Token | None:
    """Return the token of a name that also has a date, which bare numbers may be parts of."""
    return find_marked(text) or _worded(text)


def _all_of(
    text: str, at: int, number: int, season: int | None = None
) -> tuple[tuple[int, ...], int]:
    """Collect the episodes of "E01-E03" (a range), "E01E02" and "E01-E03-E05" (lists).

    `at` is the end of the first; returns the end of the last, too.
    """
    episodes, gaps = [number], []
    version = _VERSION.match(text, at)
    at = version.end() if version else at
    while found := _NEXT_GLUED.match(text, at) or _NEXT.match(text, at):
        following = int(found["number"])
        is_other_season = found["season"] is not None and int(found["season"]) != season
        if following <= episodes[-1] or is_other_season or not _continues(found, episodes[-1]):
            break
        episodes.append(following)
        gaps.append(found["gap"])
        at = found.end()
    while found := _OTHER_SEASON.match(text, at) or _OF_MANY.match(
        text, at
    ):  # "S01E10S02E01": only season 1 is read
        at = found.end()
    first, last = episodes[0], episodes[-1]
    is_range = len(gaps) == 1 and re.search(r"[-–~]|to", gaps[0])
    if is_range and last - first < MOST_EPISODES_IN_A_FILE:
        episodes = list(range(first, last + 1))
    return tuple(episodes), at


def _continues(found: re.Match[str], last: int) -> bool:
    """Whether another number of a token is an episode, and not a title or a resolution."""
    gap, mark, number = found["gap"], found["mark"], found["number"]
    if int(number) - last >= MOST_EPISODES_IN_A_FILE:
        return False
    if mark:
        is_absolute = mark[0] in "eE" and len(gap) == 3 and not found["season"]  # " - Ep.129"
        return not is_absolute or int(number) - last < 10
    is_tight = gap.strip() in ("-", "~", "+", "&") and gap != " - "
    is_next = gap in (".", "_") and int(number) == last + 1 and len(number) == 2
    return (is_tight or is_next) and found.string[found.end() : found.end() + 1] in _AFTER_NUMBER


def span(first: int, last: int) -> tuple[int, ...]:
    """Return the episodes of a range; only the first of an impossible one."""
    is_range = first < last < first + MOST_EPISODES_IN_A_FILE
    return tuple(range(first, last + 1)) if is_range else (first,)


def _spanned(found: re.Match[str]) -> tuple[int, ...]:
    number = int(found["number"])
    return span(number, int(found.groupdict().get("last") or number))


def _pair(text: str) -> Token | None:
    """Read "4-13 Title" as season and episode, "04-05 Title" as two episodes."""
    found = _LEADING_PAIR.match(text)
    if found is None:
        return None
    season, number = int(found[1]), int(found[2])
    if len(found[1]) == 2 and number > season:
        return None
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
    for found in filter(None, (*of_many, *others)):
        number = int(next(group for group in found.groups() if group))
        episodes, end = _all_of(text, found.end(), number)
        return Token(found.start(), end, episodes, kind="worded")
    after = _NUMBER_WORD.search(text) or _EAST_ASIAN.search(text)
    return Token(after.start(), after.end(), _spanned(after), kind="worded") if after else None


def _special(text: str) -> Token | None:
    found = _SEASON_SPECIAL.search(text)
    if found:
        return Token(found.start(), found.end(), (), 0, "worded")
    found = _HALF.search(text)
    if found:
        return Token(found.start(), found.end(), (), 0, "worded", series=found[1])
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
    series = found["series"].upper()
    return Token(
        start,
        found.end(),
        (int(number or 1),),
        0,
        "worded",
        series=series if series in ("OVA", "OAD", "OVD", "ONA", "EX") else None,
    )


_MAY_HOLD_SEASON = (_TRAILING, _TRAILING_RANGE, _BEFORE_CRUFT, _MIDDLE)


def _bare(text: str) -> Token | None:
    for found in _bare_numbers(text):
        if len(found["number"]) == 4 and re.fullmatch(YEAR, found["number"]):
            continue
        if found.re is _TRAILING_RANGE and len(found["number"]) == 1 and found["last"][0] == "0":
            season, number = int(found["number"]), int(found["last"])  # "Show 2-05"
            return Token(found.start(), found.end(), (number,), season, "bare")
        is_loose = found.re in _MAY_HOLD_SEASON and (text[found.start()] != "-" or " " not in text)
        return Token(
            found.start(),
            found.end(),
            _spanned(found),
            kind="bare",
            may_hold_season=is_loose and len(found["number"]) > 2,
        )
    return None


def _bare_numbers(text: str) -> Iterator[re.Match[str]]:
    """Find numbers that may be an episode's, the most certain first."""
    leading = _LEADING.match(text)
    dashed = list(_DASHED.finditer(text))
    # "16 - 12 Angry Men": the second number is in the title
    while dashed and re.match(r"\.?[ _]+[^\W\d_]", text[dashed[-1].end() :]):
        if not (leading and leading.end() == dashed[-1].start()) and len(dashed) == 1:
            break
        dashed.pop()
    yield from reversed(dashed)
    yield from reversed(list(_BRACKETED.finditer(text, 1)))
    yield from reversed(list(_TRAILING_RANGE.finditer(text)))
    if leading:
        yield leading
    yield from reversed(list(_TRAILING.finditer(text)))
    for cruft in (_RESOLUTION.search(text), CRUFT.search(text)):
        if cruft:
            yield from _BEFORE_CRUFT.finditer(text, 0, cruft.start())
    yield from _MIDDLE.finditer(text)


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
    said = found["first"].lower()
    words = next((words for words in (_NUMBER_WORDS, _ROMAN) if said in words), None)
    if words is None and not said.isdecimal():
        return None
    number = int(said) if words is None else words.index(said) + 1
    episodes = span(number, int(found["last"] or number))
    return Token(found.start(), found.end(), episodes, kind="worded")


_READERS: tuple[Callable[[str], Token | None], ...] = (
    find_marked,
    _pair,
    _worded,
    _special,
    _season_and_two,
    _bare,
    _part,
    _weak_pair,
)
