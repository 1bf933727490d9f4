"""Languages as the names of files write them: codes of ISO 639, English names, BCP 47 tags."""

from __future__ import annotations

import re

# The BCP 47 code, then what else names it.
_TABLE = """
af afr afrikaans|am amh amharic|ar ara arabic|as asm assamese|az aze azerbaijani|be bel belarusian
bg bul bulgarian|bn ben bengali|bo bod tib tibetan|br bre breton|bs bos bosnian
ca cat catalan|cs ces cze czech|cy cym wel welsh|da dan danish dansk|de deu ger german deutsch
el ell gre greek|en eng english|eo epo esperanto|es spa spanish español castellano
et est estonian|eu eus baq basque|fa fas per persian farsi|fi fin finnish suomi
fil filipino tagalog tgl|fr fra fre french français|ga gle irish|gl glg galician|gu guj gujarati
he heb hebrew|hi hin hindi|hr hrv scr croatian|hu hun hungarian magyar|hy hye arm armenian
id ind indonesian|is isl ice icelandic|it ita italian italiano|ja jpn japanese|jv jav javanese
ka kat geo georgian|kk kaz kazakh|km khm khmer|kn kan kannada|ko kor korean|ku kur kurdish
ky kir kyrgyz|la lat latin|lb ltz luxembourgish|lo lao|lt lit lithuanian|lv lav latvian
mk mkd mac macedonian|ml mal malayalam|mn mon mongolian|mr mar marathi|ms msa may malay
mt mlt maltese|my mya bur burmese|nb nob bokmal bokmål|ne nep nepali
nl nld dut dutch nederlands flemish|nn nno nynorsk|no nor norwegian norsk|or ori oriya
pa pan punjabi|pl pol polish polski|ps pus pashto|pt por portuguese português
ro ron rum romanian|ru rus russian|sa san sanskrit|sd snd sindhi|si sin sinhala|sk slk slo slovak
sl slv slovenian|so som somali|sq sqi alb albanian|sr srp scc serbian|sv swe swedish svenska
sw swa swahili|ta tam tamil|te tel telugu|tg tgk tajik|th tha thai|tk tuk turkmen
tr tur turkish türkçe|tt tat tatar|uk ukr ukrainian|ur urd urdu|uz uzb uzbek|vi vie vietnamese
yi yid yiddish|yo yor yoruba|yue cantonese|zh zho chi chinese mandarin|zu zul zulu
pt-BR pob brazilian|zh-Hans chs|zh-Hant cht|mul multi|und
"""
_CODES = {
    word.casefold(): entry.split()[0]
    for entry in _TABLE.replace("\n", "|").split("|")
    if entry
    for word in entry.split()
}
_TAG = re.compile(r"([a-z]{2,3})[-_](?:([a-z]{4})|([a-z]{2}|\d{3}))(?:[-_]([a-z]{2}|\d{3}))?", re.I)


def language_of(word: str) -> str | None:
    """Return the BCP 47 tag of a word, a code or a tag, or None for another word."""
    code = _CODES.get(word.casefold())
    if code is not None:
        return code
    tag = _TAG.fullmatch(word)
    base = _CODES.get(tag.group(1).casefold()) if tag else None
    if tag is None or base is None:
        return None
    script, region, other = tag.group(2), tag.group(3), tag.group(4)
    parts = [base, script and script.title(), (region or other or "").upper()]
    return "-".join(part for part in parts if part)
