"""Tracks: names and folders fill the gaps of a music file's tags."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from .facts import TrackName
from .keys import fold
from .releases import release_of, release_track
from .text import YEAR, words

_DISC = re.compile(
    r"(?:.*?[ ._([-]+)?(?:cd|disc|disk|vinyl|lp)[ ._-]*(\d{1,2}|one|two|three|four)"
    r"(?:[ ._]?of[ ._]?\d+)?[)\]]?(?:[ ._]*[-:(\[].*)?",
    re.I,
)
_DISC_ONLY = re.compile(
    r"(?:cd|disc|disk|vinyl|lp)[ ._-]*(?:\d{1,2}|one|two|three|four)(?:[ ._]?of[ ._]?\d+)?"
    r"(?:[ ._]*[-:(\[].*)?",
    re.I,
)
HIGHEST_BARE_TRACK = 50
_NUMBER_WORDS = ("one", "two", "three", "four")
_YEAR_FIRST = re.compile(
    rf"[(\[]?({YEAR})(?:[-.]\d\d[-.]\d\d)?[)\]]?"
    r"(?:(?:[ ._]*-[ ._]*|[)\]][ ._]*|\.[ ])(?=\S)|[ ](?=\d{0,2}[^\W\d_]))"
)
_YEAR_LAST = re.compile(
    r"(?P<gap>[ ._-]*)[(\[](?:\d\d?[.-]\d\d?[.-]|(?:single|album|ep|lp)[ ])?"
    rf"(?P<year>{YEAR})[^)\]]*[)\]]",
    re.I,
)
_YEAR_ANYWHERE = re.compile(rf"(?<!\d)({YEAR})(?!\d)")
# Where the words about the files begin: the title of an album ends before them.
_FORMAT = re.compile(
    r"(?<=\S)(?:[ ._-]+|(?=[\[({]))(?:[\[({][^\[\](){}]*)?(?<![^\W_])"
    r"(?:flac|mp3|m4a|aac|alac|ogg|wav|lossless|v0|(?:cd|vinyl|web)-?rip|"
    r"\d{0,3}[ ]?kbps|\d{1,2}x?cds?|(?<=[)\]][ ])(?:128|192|256|320))"
    r"(?![^\W_])",
    re.I,
)
_GENRE_FIRST = re.compile(r"\([^()]+\)[ ]*(?:\[[^\[\]]+\][ ]*)?(?=\S.* - )")
_NOTE = re.compile(
    r"[ ._-]*(?:\{[^{}]*\}|[\[({][^\[\](){}]*(?:flac|mp3|320|v0|kbps|khz|24.?bit|16.?bit|web|vinyl|"
    r"lossless|cd(?![ ._-]?\d)|m4a|aac|remaster(?:ed)?|deluxe(?:[ ]edition)?(?=\])|hi-?res|lp|"
    r"ep(?=\]))"
    r"[^\[\](){}]*[\])}]|[\[(]album[)\]])",
    re.I,
)
_VARIOUS = re.compile(r"(?:various(?:[ ._]artists?)?|va|compilations?|soundtracks?|ost)", re.I)
_SHELF = re.compile(
    r"(?:music|audio|albums|singles|eps|artists|downloads?|flac|mp3|lossless|lossy|[a-z]|0-9|#|"
    r"misc|unsorted|new|unknown[ ._]artist|unknown[ ._]album|studio[ ._]albums?|discography)",
    re.I,
)
_GENRE = re.compile(
    r"(?:alternative|blues|classical?|country|dance|electronic|folk|funk|hip[ -]?hop|indie|jazz|"
    r"latin|metal|pop|punk|r&b|rap|reggae|rock|soul|techno|world)(?:[ ._]music)?",
    re.I,
)
_YEAR_AT_END = re.compile(rf"(?<=[\w)\]])[ ._,-]+({YEAR})[ ,-]*(?:{_GENRE.pattern})?", re.I)
_TRACK = re.compile(
    r"(?:(?P<disc>[0-2]?\d)[-._](?=\d\d(?![-.]?\d))|"
    r"(?:(?:cd|dis[ck])[ ._]?(?P<disc2>\d\d?)[ ._-]*(?:t|track)?|d(?P<disc3>\d\d?)[ ._-]*t)"
    r"[ ._-]*)?"
    r"(?:track[ ._-]*(?:n[or][ ._-]*)?)?[#(\[]?(?P<track>0*\d{1,3})"
    r"(?:\s*(?:[-–)_\]]|\.(?!(?<=[1-9]\d\.)\d))+\s*|\s+|(?<=0\d)(?=[^\W\d_]{2}))(?=\S)",
    re.I,
)
_SIDE = re.compile(r"(?P<side>[A-H])(?P<track>\d)\s*[-–.)_]+\s*(?=\S)")  # of a record
_TRACK_ONLY = re.compile(
    r"(?:track|titel|piste|pista|audio[ ._]?track|chapter|kapitel|chapitre|cap[ií]tulo)?"
    r"[ ._-]*(?:n[or][ ._-]*)?0*(\d{1,3})",
    re.I,
)
_TRACK_WORD = re.compile(
    r"(?<![^\W_])(?<!bonus[ ])(?<!hidden[ ])track[ ._-]*(?:n[or][ ._-]*)?0*(\d{1,3})(?![^\W_])",
    re.I,
)
_TRACK_AT_END = re.compile(r"(?<=\S)[ _]+(?:[(\[](0\d)[)\]]|\[(\d\d?)\]|(00\d\d))")
_BY = re.compile(r"(\S.*) by (\S.*)")
_LATE_TRACK = re.compile(r"(\d\d)[ .]+(?=[^\W\d_])")  # "Artist - Album - 01 Title"
_WITH_OTHERS = re.compile(r"[ ,]+[(\[]?(?:feat|ft|featuring|with|vs|and|x|&|,)(?![^\W_])", re.I)
_SPLIT = re.compile(r"\s+[-–—]\s+|_-_")


@dataclass(frozen=True, slots=True)
class _Album:
    artist: str | None
    title: str | None
    year: int | None
    disc: int | None


def track_name(parents: list[str], stem: str) -> TrackName:
    """Read a track's name from its file and the folders above it (nearest last)."""
    stem = release_track(stem, parents)
    album = _album(parents)
    disc, track, rest = _numbered(stem)
    artist, title, album_title, late_track = _split(rest, album, has_number=track is not None)
    performer = None if album.artist and _VARIOUS.fullmatch(album.artist) else album.artist
    album_artist = "Various Artists" if album.artist and performer is None else None
    if artist is None:
        artist = performer or album_artist
    elif performer and fold(artist) == fold(performer):
        artist = performer
    elif performer:
        album_artist = performer
    track = late_track if track is None else track
    if track is not None and album.disc and track // 100 == album.disc:  # 201 on CD2
        track %= 100
    return TrackName(
        artist,
        album.title or album_title,
        title or words(stem) or stem,
        disc or album.disc,
        track,
        album.year,
        album_artist,
    )


def album_folder(path: str) -> str:
    """Return the folder of a music file's album; "CD1" and "Album CD1" are discs of one album."""
    folder = os.path.dirname(path)
    above, name = os.path.split(folder)
    if _DISC_ONLY.fullmatch(name.strip()):
        return above
    if _DISC.fullmatch(_NOTE.sub("", name)):
        return os.path.join(above, _without_disc(name))
    return folder


def _album(parents: list[str]) -> _Album:
    """Read artist, album, year and disc from "Artist/1999 - Album/CD2"."""
    folders = [name for name in parents if not _SHELF.fullmatch(name.strip())]
    disc = None
    if folders and _DISC_ONLY.fullmatch(folders[-1].strip()):
        disc = _disc_number(folders.pop())
    if not folders:
        return _Album(None, None, None, disc)
    name = folders[-1]
    if release := release_of(name):
        return _Album(release.artist, release.album, release.year, disc or release.disc)
    if disc is None and _DISC.fullmatch(_NOTE.sub("", name)):
        disc = _disc_number(name)
        name = _without_disc(name)
    above = folders[-2] if len(folders) > 1 else None
    if above is not None and _GENRE.fullmatch(above) and _SPLIT.search(name):
        above = None  # "Classical/Artist - Album"
    artist, title, year = _album_title(name, above)
    if above is None and artist is None and year is None and disc is None:
        return _Album(words(name), None, None, None)  # Artist/song.mp3
    return _Album(artist or (words(_NOTE.sub("", above)) if above else None), title, year, disc)


def _without_disc(name: str) -> str:
    return re.split(r"[ ._([-]+(?:cd|disc|disk|lp)[ ._-]*\d", name, flags=re.I)[0]


def _disc_number(name: str) -> int:
    found = _DISC.fullmatch(_NOTE.sub("", name).strip())
    said = found.group(1).lower() if found else "1"
    return int(said) if said.isdecimal() else _NUMBER_WORDS.index(said) + 1


def _album_title(name: str, above: str | None) -> tuple[str | None, str, int | None]:
    """Split "Artist - Album (1999) [FLAC]", "1999 - Album" into artist, album, year."""
    text, about = _without_format(name if " " in name else name.replace("+", " "))
    text, year = _without_year(_NOTE.sub("", text))
    if about and year is None:
        text, year = _bare_year(text, about)
    pieces = [words(piece) for piece in _SPLIT.split(text) if words(piece)]
    for at in (1, -1):
        if len(pieces) > 1 + (at < 0) and year is None and re.fullmatch(YEAR, pieces[at]):
            year = int(pieces.pop(at))
    if len(pieces) > 1 and (above is None or _is_artist(pieces[0], above)):
        if year is None and (leading := _YEAR_FIRST.match(pieces[1])):  # "Artist - 1999 Album"
            pieces[1], year = pieces[1][leading.end() :], int(leading[1])
        return pieces[0], " - ".join(pieces[1:]), year
    return None, " - ".join(pieces) or words(name) or name, year


def _without_format(name: str) -> tuple[str, str]:
    """Divide a name before the words about its files: "Album - 1999, FLAC (tracks)"."""
    found = _FORMAT.search(name)
    if found is None:
        return name, ""
    text = name[: found.start()]
    genre = _GENRE_FIRST.match(text)
    return text[genre.end() :] if genre else text, name[found.start() :]


def _bare_year(text: str, about: str) -> tuple[str, int | None]:
    at_end = _YEAR_AT_END.search(text)
    if at_end and at_end.end() == len(text):
        return text[: at_end.start()], int(at_end[1])
    anywhere = _YEAR_ANYWHERE.search(about)
    return text, int(anywhere[1]) if anywhere else None


def _without_year(text: str) -> tuple[str, int | None]:
    leading = _YEAR_FIRST.match(text)
    if leading:
        return text[leading.end() :], int(leading.group(1))
    years = list(_YEAR_LAST.finditer(text))
    if years and words(text[: years[-1].start()]):
        rest = text[years[-1].end() :]
        gap = " - " if "-" in years[-1]["gap"] and words(rest) else ""  # "Artist - [1999] Album"
        return f"{text[: years[-1].start()]}{gap}{rest}", int(years[-1]["year"])
    return text, None


def _is_artist(piece: str, above: str) -> bool:
    known = words(_NOTE.sub("", above)).casefold()
    return piece.casefold() == known or bool(_VARIOUS.fullmatch(known))


def _numbered(stem: str) -> tuple[int | None, int | None, str]:
    """Take "1-03 ", "03. " or "Track 03 - " off the front: disc, track, the rest."""
    only = _TRACK_ONLY.fullmatch(stem.strip())
    if only:
        return None, int(only.group(1)) or None, words(stem)
    side = _SIDE.match(stem)
    if side:
        return "ABCDEFGH".index(side["side"]) + 1, int(side["track"]), stem[side.end() :]
    found = _TRACK.match(stem)
    if found is None or _is_title(found):
        return None, *_late_number(stem)
    disc = _disc_before(found)
    return int(disc) if disc else None, int(found["track"]), stem[found.end() :]


def _late_number(stem: str) -> tuple[int | None, str]:
    """Find "[07]" at the end of a name, or "track 7" anywhere in it."""
    ends = [end for end in _TRACK_AT_END.finditer(stem) if end.end() == len(stem)]
    if ends:
        return int(next(filter(None, ends[0].groups()))), stem[: ends[0].start()]
    word = _TRACK_WORD.search(stem)
    return (int(word[1]) or None if word else None), stem


def _is_title(found: re.Match[str]) -> bool:
    """A bare number that no track has, or no track is written as, begins a title: "7 Rings"."""
    is_spaced = found.group()[-1] == " " and not re.search(r"[-–.)_]", found.group())
    is_odd = len(found["track"]) in (1, 3) or int(found["track"]) > HIGHEST_BARE_TRACK
    return is_spaced and is_odd and not _disc_before(found)


def _disc_before(track: re.Match[str]) -> str | None:
    return track["disc"] or track["disc2"] or track["disc3"]


def _split(
    rest: str, album: _Album, *, has_number: bool
) -> tuple[str | None, str, str | None, int | None]:
    """Split "Artist - Album - 03 - Title" into artist, title, album, track."""
    pieces = [words(piece) for piece in _SPLIT.split(rest) if words(piece)]
    if len(pieces) > 2 and (late := _LATE_TRACK.match(pieces[-1])):
        pieces[-1:] = [late[1], pieces[-1][late.end() :]]
    numbers = [piece for piece in pieces[1:-1] if _TRACK_ONLY.fullmatch(piece)]
    track = int(re.sub(r"\D", "", numbers[0])) if numbers else None
    pieces = [piece for piece in pieces if piece not in numbers]
    known = {name.casefold() for name in (album.artist, album.title) if name}
    while len(pieces) > 1 and pieces[-2].casefold() in known and len(pieces) > 2:
        pieces.pop(-2)
    if len(pieces) < 2:
        return *_performed(pieces[0] if pieces else "", album), None, track
    if has_number and album.artist and not _VARIOUS.fullmatch(album.artist):
        if not _is_of(pieces[0], album.artist):
            return None, " - ".join(pieces), None, track
    if len(pieces) == 2:
        return pieces[0], pieces[1], None, track
    return pieces[0], " - ".join(pieces[2:]), pieces[1], track


def _is_of(performer: str, artist: str) -> bool:
    """Whether a performer is the album's artist, alone or with others."""
    rest = performer[len(artist) :]
    is_artist = performer.casefold().startswith(artist.casefold())
    return is_artist and (not rest or _WITH_OTHERS.match(rest) is not None)


def _performed(title: str, album: _Album) -> tuple[str | None, str]:
    """Divide "Title by The Artist", where a small "by" before "The" begins no title's words."""
    by = _BY.fullmatch(title)
    if by is None:
        return None, title
    artist = by[2]
    is_known = album.artist is not None and artist.casefold() == album.artist.casefold()
    is_name = album.artist is None and artist.startswith("The ")
    return (artist, by[1]) if is_known or is_name else (None, title)
