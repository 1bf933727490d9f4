"""Numbers that names spell out: "Part Two", "Second Season", "Part IV"."""

from __future__ import annotations

CARDINALS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
).split()
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
ROMAN = "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx".split()
CHINESE = list("一二三四五六七八九十")


def number_of(said: str) -> int | None:
    """Return the number that digits or a word say, or None."""
    if said.isdecimal():
        return int(said)
    tens, ten, ones = said.rpartition("十")
    if ten and len(said) > 1:  # "二十三"
        return 10 * (number_of(tens) or 1) + (number_of(ones) or 0)
    for words in (CARDINALS, ORDINALS, ROMAN, CHINESE):
        if said.lower() in words:
            return words.index(said.lower()) + 1
    return None
