"""Numbers across all seasons, beside season and episode: " - 12 (S01E12)"."""

from __future__ import annotations

import re
from dataclasses import replace

from ..text import YEAR
from .several import span
from .token import Token

_DASHED_BEFORE = re.compile(
    r"[ ._][-–][ ._](?P<number>\d{1,4})(?:[-~](?P<last>\d{1,4}))?(?P<half>\.\d)?(?:v\d)?"
    r"[ ._]*[-–]?[ ._]*[(\[]?$"
)
_PADDED_BEFORE = re.compile(r"[ ._](?P<number>0\d{2,3})[ ._]*[(\[]?$")
_RANGE_BEFORE = re.compile(r"[ ._-](?P<number>\d{1,4})[-~](?P<last>\d{1,4})[ ._-]*$")
_AFTER = re.compile(
    r"""[ ._\])]*-?[ ._]*(?:
    (?P<dashed>\d{2,4})(?=[ ._]+-[ ._])  # "S05E12 - 137 - Title"
    | ep?[ ._]?(?P<worded>\d{2,4})(?![^\W_])  # "S05E12 - Ep.137"
    | (?P<padded>0\d{2,3})(?![^\W_])  # "S05E12 - 012"
    | [(\[](?P<bracketed>\d{1,4})[)\]]  # "S05E12 (137)"
    ) | [ ._]+(?P<last>\d{2,4})(?=[ ._]*(?:$|[\[(]))  # "S05E12 137"
    """,
    re.I | re.X,
)


def with_absolute(text: str, token: Token) -> Token:
    """Extend the S01E12 of a name by the absolute number beside it, if there is one."""
    before = _before(text, token)
    if before is not None and text[: before.start()].strip(" ._-"):
        groups = before.groupdict()
        is_special = token.season == 0 or groups.get("half")
        numbers = span(int(groups["number"]), int(groups.get("last") or groups["number"]))
        return replace(token, start=before.start(), absolute=() if is_special else numbers)
    after = _AFTER.match(text, token.end)
    if after is not None:
        said = after[after.lastgroup or 0]
        if not re.fullmatch(YEAR, said) and int(said) >= token.episodes[0]:
            return replace(token, end=after.end(), absolute=(int(said),))
    return token


def _before(text: str, token: Token) -> re.Match[str] | None:
    for pattern in (_DASHED_BEFORE, _PADDED_BEFORE):
        found = pattern.search(text, 0, token.start)
        if found is not None:
            return found
    found = _RANGE_BEFORE.search(text, 0, token.start)
    if (
        found is None
        or not 0 < int(found["last"]) - int(found["number"]) == len(token.episodes) - 1
    ):
        return None
    return found
