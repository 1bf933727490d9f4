"""Reading the XML of files that anyone may have written: forgiving, bounded, without entities.

Document types and entities are refused, because they can name other files or grow without bound.
Several roots, text around them, a bare `&`, HTML's named characters, a wrong encoding declaration
and an unclosed end are accepted, because many programs write them.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from html.entities import html5
from typing import NoReturn
from xml.parsers import expat

MOST_DEPTH = 64
MOST_ELEMENTS = 50_000


class Refused(ValueError):
    """XML that is not read; the message is a reason for people."""


@dataclass(slots=True)
class Element:
    """An element: its lower-case name, its attributes, its own text, and the elements in it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, *names: str) -> list[Element]:
        """Return the children of these names, in their order in the file."""
        return [child for child in self.children if child.name in names]

    def first(self, *names: str) -> str:
        """Return the text of the first child that has one, by the order of names, or ""."""
        for name in names:
            for child in self.children:
                if child.name == name and child.text:
                    return child.text
        return ""


def parsed(text: str) -> tuple[Element, str | None]:
    """Return an element around all roots of a text, and the fault of the text, or None.

    Of broken XML, what comes before the fault is returned. Raises Refused.
    """
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    problem = None
    try:
        parser.Parse(f"<all>{_mended(text)}</all>".encode("utf-8", "replace"), True)
    except expat.ExpatError as exc:
        problem = f"line {exc.lineno}: {expat.ErrorString(exc.code)}"
    return reader.finished(), problem


class _Reader:
    """Builds elements; without recursion, so that depth costs no stack."""

    def __init__(self) -> None:
        self._open = [Element("")]
        self._texts: list[list[str]] = [[]]
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) > MOST_DEPTH:
            raise Refused("it has more elements than any such file needs")
        lower = {key.lower(): value for key, value in attributes.items()}
        element = Element(name.lower(), lower)
        self._open[-1].children.append(element)
        self._open.append(element)
        self._texts.append([])

    def end(self, name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop()).strip()

    def characters(self, text: str) -> None:
        self._texts[-1].append(text)

    def finished(self) -> Element:
        """Return the outermost element; of one that was not closed, only its children count."""
        root = self._open[0].children[0] if self._open[0].children else self._open[0]
        if len(self._open) > 1:
            root.text = "".join(self._texts[1])
        return root


def _refuse(*_: object) -> NoReturn:
    raise Refused("it declares a document type or an entity, which may be unsafe")


# Mending

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# Names that Python knows, and that read text: "zlib" and "idna" are codecs too.
_ENCODINGS = re.compile(
    r"(?:us-)?ascii|iso-?8859-?\d{1,2}|latin-?1|windows-?\d{3,4}|cp\d{3,4}|koi8-[ru]|big5|gb2312|"
    r"gbk|gb18030|shift[_-]?jis|euc-?(?:jp|kr)|utf-?(?:8|16|32)(?:-?[lb]e)?",
    re.I,
)


def decoded(data: bytes) -> str:
    """Return the text of a file: by its byte order mark, as UTF-8, as it declares, else cp1252."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    declared = _DECLARED.search(data[:1024])
    name = declared.group(1).decode("ascii") if declared else ""
    for encoding in ("utf-8", name if _ENCODINGS.fullmatch(name) else "", "cp1252"):
        try:
            return data.decode(encoding) if encoding else data.decode("utf-8")
        except (UnicodeDecodeError, LookupError):
            continue  # the next one; the last below cannot fail
    return data.decode("cp1252", "replace")


# What starts each passage that is kept as it was written, or left out, and what ends it.
_PASSAGE = re.compile(r"<!\[CDATA\[|<!--|<\?|<!DOCTYPE|<!ENTITY", re.I)
_ENDS = {"<![CDATA[": "]]>", "<!--": "-->", "<?": "?>"}
_REFERENCE = re.compile(r"&(?:#(\d{1,7}|[xX][0-9a-fA-F]{1,6});|([A-Za-z][A-Za-z0-9]{1,30};))?")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BARE = re.compile(r"<(?![A-Za-z_/!])")
_OURS = {"amp;", "lt;", "gt;", "quot;", "apos;"}


def _mended(text: str) -> str:
    """Return a text with what XML forbids and many files have made valid. Raises Refused."""
    text = _NOT_XML.sub("", text)
    pieces, at = [], 0
    while found := _PASSAGE.search(text, at):
        pieces.append(_escaped(text[at : found.start()]))
        opening = found.group().upper()
        if opening not in _ENDS:
            _refuse()
        closing = text.find(_ENDS[opening], found.end())
        at = len(text) if closing < 0 else closing + len(_ENDS[opening])
        if opening == "<![CDATA[":
            pieces.append(opening + text[found.end() : at])
    return "".join([*pieces, _escaped(text[at:])])


def _escaped(text: str) -> str:
    return _BARE.sub("&lt;", _REFERENCE.sub(_reference, text))


def _reference(found: re.Match[str]) -> str:
    number, name = found.group(1), found.group(2)
    if number is not None:
        code = int(number[1:], 16) if number[0] in "xX" else int(number)
        char = chr(code) if code <= 0x10FFFF else ""
        return found.group() if char and not _NOT_XML.match(char) else ""
    if name in _OURS:
        return found.group()
    if name in html5:
        return html5[name].replace("&", "&amp;").replace("<", "&lt;")
    return "&amp;" + found.group()[1:]
