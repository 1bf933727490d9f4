"""Seasons and specials in names: their words in many languages, and their numbers."""

from __future__ import annotations

import re

from ..text import YEAR
from .spelled import CARDINALS, ORDINALS, ROMAN, number_of

SEASON_WORDS = {
    "Afrikaans": "seisoen",
    "Albanian": "sezoni",
    "Arabic": "الموسم موسم",
    "Armenian": "սեզոն",
    "Basque": "denboraldia",
    "Bulgarian, Russian, Ukrainian": "сезон сез",
    "Croatian, Latvian, Slovene": "sezona sezóna",
    "Czech, Slovak": "sezóna řada séria série",
    "Danish": "sæson",
    "Dutch": "seizoen reeks",
    "English": "season series book volume vol",
    "Estonian": "hooaeg",
    "Finnish": "tuotantokausi kausi",
    "French": "saison livre",
    "Galician": "tempada",
    "Georgian": "სეზონი",
    "German": "staffel",
    "Greek": "σεζόν σεζον κύκλος κυκλος",
    "Hebrew": "עונה",
    "Hindi": "सीज़न सीजन",
    "Hungarian": "évad",
    "Icelandic": "þáttaröð sería",
    "Indonesian, Malay": "musim",
    "Irish, Welsh": "séasúr cyfres",
    "Italian": "stagione serie",
    "Japanese": "シーズン",
    "Kazakh": "маусым",
    "Korean": "시즌",
    "Lithuanian": "sezonas",
    "Macedonian, Serbian": "сезона",
    "Norwegian": "sesong seasong",
    "Persian": "فصل",
    "Polish": "sezon seria",
    "Romanian": "sezonul",
    "Spanish, Catalan, Portuguese": "temporada temp tem",
    "Swedish": "säsong",
    "Thai": "ซีซั่น ซีซัน",
    "Turkish": "sezon sez",
    "Vietnamese": "mùa phần",
}
_SPECIALS_WORDS = {
    "Czech, Slovak": "speciály",
    "Danish, Norwegian, Swedish": "specialer spesialer",
    "Dutch": "specialen",
    "English": "specials special ovas ova oads oad onas minisodes webisodes extras bonus",
    "Finnish": "erikoisjaksot",
    "French": "spéciaux spécial hors-série",
    "German": "sonderfolgen extrafolgen",
    "Italian": "speciali",
    "Japanese, Chinese, Korean": "特別編 特别篇 特典 番外 스페셜",
    "Polish": "odcinki_specjalne specjalne",
    "Russian, Ukrainian": "спецвыпуски спешлы спецвипуски",
    "Spanish, Portuguese": "especiales especiais especial",
    "Turkish": "özel_bölümler",
}
# Words that only say a season when a number follows: "2 Book" is a title.
_NEVER_AFTER = frozenset("series book volume vol serie tem temp".split())


def _either(words: str) -> str:
    longest_first = sorted(set(words.split()), key=len, reverse=True)
    return "|".join(re.escape(word).replace("_", "[ ._]") for word in longest_first)


_ALL_WORDS = " ".join(SEASON_WORDS.values())
_WORD = _either(_ALL_WORDS)
_WORD_AFTER = _either(" ".join(word for word in _ALL_WORDS.split() if word not in _NEVER_AFTER))
_NUMBER = rf"\d{{1,4}}|{'|'.join(sorted(CARDINALS[:12] + ROMAN[:12], key=len, reverse=True))}"
_SEASON = re.compile(
    rf"(?<![^\W_])(?<!['’])(?:"
    rf"(?:{_WORD})[ ._:№-]{{0,3}}(?P<number>{_NUMBER})(?:[ ._]?of[ ._]?\d{{1,2}})?"
    r"|s(?:[en]\.?)?(?P<short>\d{1,4})"
    rf"|(?:(?P<nth>\d{{1,2}}(?=st|nd|rd|th|ª|º|a|-?[йя])|(?<![.-])\d{{1,2}}(?=\.)|{'|'.join(ORDINALS)})"
    rf"(?:st|nd|rd|th|\.|ª|º|a|-?[йя])?[ ._]{{0,2}}(?:{_WORD})"
    rf"|(?P<number_first>\d{{1,2}})[ ._]{{0,2}}(?:{_WORD_AFTER})"
    rf"|^(?P<whole>\d{{1,2}})[ ._]{{0,2}}(?:{_WORD})$)"
    rf"(?![ ._:№-]{{0,3}}(?:{_NUMBER})(?![^\W_])))(?![^\W_])",
    re.I,
)
_OF_TITLES = re.compile(r"series|serie|book|vol|reeks|livre", re.I)
_EAST_ASIAN = re.compile(
    r"第\s*(\d{1,2}|[一二三四五六七八九十])\s*(?:[季期部]|シーズン|シリーズ)|(?<!\d)(\d{1,2})(?:期|기)"
)
_SPECIALS = re.compile(
    rf"(?:.* - )?(?:(?:{_either(' '.join(_SPECIALS_WORDS.values()))})"
    r"(?:[ ._&+]+specials?)?|season[ ._](?:0+|specials?)|s0+)",
    re.I,
)
_NUMBER_ONLY = re.compile(rf"t?(\d{{1,2}})|({YEAR})(?:[-._]\d\d)?", re.I)


def find_season(text: str) -> re.Match[str] | None:
    """Find "Season 2", "2. Staffel", "S2" or "第2季"; season_number() reads its number.

    "World Series 24 S02" is season 2.
    """
    found = _SEASON.search(text)
    if found and _OF_TITLES.search(found.group()):
        later = _SEASON.finditer(text, found.end())
        found = next((mark for mark in later if not _OF_TITLES.search(mark.group())), found)
    return found or _EAST_ASIAN.search(text)


def season_number(found: re.Match[str]) -> int:
    """Return the number of a season that find_season() has found."""
    return number_of(next(group for group in found.groups() if group)) or 0


def is_specials(text: str) -> bool:
    """Whether a folder holds specials: "Specials", "Season 0", "Show - OVAs"."""
    return _SPECIALS.fullmatch(text) is not None


def number_only(text: str) -> int | None:
    """Return the season of a folder that is only a number, a year (and month), or Spanish "T2"."""
    found = _NUMBER_ONLY.fullmatch(text)
    return int(next(group for group in found.groups() if group)) if found else None
