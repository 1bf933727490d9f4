"""Sources: which of the values that are read of a movie, a show or an album its row takes.

A row remembers in `sources` where each value came from, and the value that was read. A stored value
that still equals it is replaced by a corrected one, or by one of a higher source. Any other value
was written by a person or a plugin, possibly by their own SQL: it stays, also if it is empty.

What a person or a plugin says hides the value that was read of the files. It is remembered below,
where scans correct it, and returns when the plugin's answer or the person's lock is removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

from ...database.orm.fields import DateField
from ...database.orm.reading import Reading, date_of, shaped
from ...database.transactions.database import Database
from ..files import versions
from ..models import Album, Episode, MediaFile, Season, Track, TVShow, quality_of
from ..names.keys import fold, sort_title
from .cleared import cleared

NAME, TAGS, SIDECAR, PLUGIN, PERSON = "name", "tags", "sidecar", "plugin", "person"
_RANK = {source: rank for rank, source in enumerate((NAME, TAGS, SIDECAR, PLUGIN, PERSON))}

Read = Mapping[str, Mapping[str, Any]]
"""What a file says of a row, by source and column. If a source has no value, or None, for a column
that is named for any source, its earlier value has vanished. Other columns stay."""

HIDING = (PLUGIN, PERSON)
_LONG_TEXT = 500  # characters; a longer one is not stored twice

# A person's choice of these hides nothing: they belong to a file.
_NOT_HIDDEN = ("media_file", "season", "season_number", "episode_number", "episode_number_end")

# Columns that people and plugins write: they keep a row after its last file is removed.
_CURATED = {
    TVShow: ("overview", "tagline", "tmdb_id", "first_air_date", "poster_path"),
    Season: ("title", "overview", "tmdb_id", "tvdb_id", "air_date", "poster_path"),
    Episode: ("overview", "tmdb_id", "tvdb_id", "imdb_id", "still_path"),
    Album: ("release_date", "album_type", "label", "cover_path"),
    Track: ("lyrics",),
}


class Known(tuple[Any, ...]):
    """Where a value came from, and the value that was read, as plain() returns it.

    Of a plugin's answer also the plugin, and of a value that hides another one the hidden one,
    whose value is whole. In JSON a list as short as these allow.
    """

    def __new__(
        cls, source: str, value: Any, plugin: str | None = None, below: Any = None
    ) -> Known:
        more: tuple[Any, ...] = ()
        if below is not None:
            more = (plugin, Known(*below))
        elif plugin is not None:
            more = (plugin,)
        return super().__new__(cls, (source, value, *more))

    @property
    def source(self) -> str:
        """The kind of source."""
        return str(self[0])

    @property
    def value(self) -> Any:
        """The value that was read."""
        return self[1]

    @property
    def plugin(self) -> str | None:
        """The id of the plugin that answered it."""
        return self[2] if len(self) > 2 else None

    @property
    def below(self) -> Known | None:
        """What it hides."""
        return self[3] if len(self) > 3 else None

    def hiding(self, below: Known | None) -> Known:
        """Return the same value above another one."""
        return Known(self.source, self.value, self.plugin, below)

    @property
    def of_files(self) -> Known | None:
        """The value that was read of the files, hidden or not."""
        return self.below if self.source in HIDING else self


class Speaker(NamedTuple):
    """Which file of a row a reading is of; by default the only one."""

    decides: Callable[[], bool] = lambda: True
    """Whether it decides between files of equal sources; the others only fill gaps."""
    others: Callable[[], Iterable[str]] = tuple
    """Returns the paths of the row's other files: a value in one of them has not vanished."""


_ONLY_ONE = Speaker()


def changes(
    row: Any, read: Read, speaker: Speaker = _ONLY_ONE, implied: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the columns of a row that a reading changes, with `sources`; {} if there are none.

    implied are the columns whose values are those of its files, though the row is from a time when
    sources were not remembered.
    """
    before = sources_of(row)
    after = dict(before)
    found: dict[str, Any] = {}
    for name in _columns(read):
        stored, known, best = plain(getattr(row, name)), before.get(name), _best(read, name)
        if known is not None and known.source in HIDING and not _is_higher(best, known):
            after[name] = known.hiding(_below(known, name, read, speaker))
            continue
        if known is None and stored is not None and name in implied:
            known = Known(NAME, stored)
        if known is None:
            is_gap = stored is None and name not in cleared(row)
            is_taken = best is not None and (is_gap or stored == best.value)
        else:
            is_taken = stored == known.value and _is_replaced(known, best, read, speaker)
        if is_taken and best is not None:
            after[name] = best
        elif is_taken and type(row)._meta.fields[name].null:
            del after[name]
        else:
            continue
        if best is None or stored != best.value:
            found[name] = None if best is None else read[best.source][name]
    if "title" in found and "sort_title" in type(row)._meta.fields and "sort_title" not in before:
        found.update(_sort_title(row, found["title"]))
    return found if after == before else {**found, "sources": after or None}


def of_new_row(model: Any, read: Read) -> dict[str, Any]:
    """Return the columns of a new row that has been read, `sources` included."""
    known: dict[str, Known] = {}
    for name in _columns(read):
        best = _best(read, name)
        if best is not None:
            known[name] = best
    found = {name: read[one.source][name] for name, one in known.items()}
    if "sort_title" in model._meta.fields:
        found["sort_title"] = sort_title(found["title"])
    return {**found, "sources": known}


def _is_higher(best: Known | None, known: Known) -> bool:
    return best is not None and _RANK[best.source] > _RANK[known.source]


def _below(known: Known, name: str, read: Read, speaker: Speaker) -> Known | None:
    """Return what a value hides, after a reading."""
    below, best = known.below, _best(read, name)
    if below is not None:
        flat = Known(below.source, plain(below.value))
        if not _is_replaced(flat, best, read, speaker):
            return below
    return None if best is None else Known(best.source, whole(read[best.source][name]))


def _is_replaced(known: Known, best: Known | None, read: Read, speaker: Speaker) -> bool:
    """Whether what a file says replaces what was read before."""
    rank, known_rank = -1 if best is None else _RANK[best.source], _RANK[known.source]
    if rank > known_rank:
        return True
    if best == known or known.source not in read or known_rank > _RANK[SIDECAR]:
        return False
    if rank < known_rank and known.source == NAME:  # it has vanished from the name
        return not is_in(known.value, speaker.others())
    return speaker.decides()


def is_in(value: object, paths: Iterable[str]) -> bool:
    """Whether the name of a file, or of one of its folders, has a value."""
    text = f"-{fold(str(value))}-"
    return any(text in f"-{fold(part)}-" for path in paths for part in path.split("/"))


def _columns(read: Read) -> dict[str, None]:
    return dict.fromkeys(name for values in read.values() for name in values)


def _best(read: Read, name: str) -> Known | None:
    """Return the value of the highest source, in the form to remember."""
    best = None
    for source, values in read.items():
        value = values.get(name)
        if value is not None and (best is None or _RANK[source] > _RANK[best.source]):
            best = Known(source, plain(value))
    return best


def _sort_title(row: Any, title: str) -> dict[str, str]:
    """Return the sort_title of a new title, unless another was written."""
    follows = row.sort_title is None or row.sort_title == sort_title(row.title)
    return {"sort_title": sort_title(title)} if follows else {}


def best_file(db: Database, row: Any, file: MediaFile) -> str:
    """Return the id of the best file of a movie, an episode or a track, of which one was read.

    One that a person has chosen stays.
    """
    current: str | None = row.media_file_id
    if current is not None and sources_of(row).get("media_file") == Known(PERSON, current):
        return current
    if current is None or current != file.id:
        return file.id if versions.is_better(db, file, current) else str(current)
    other = versions.other_version(db, row, file)
    if other is None or quality_of(other) <= quality_of(file):
        return current
    return str(other.id)


def writable(row: Any, given: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the given columns of a row that a source may write: none of a higher source."""
    known = sources_of(row)
    return {
        name: value
        for name, value in given.items()
        if name not in known or _RANK[known[name].source] <= _RANK[source]
    }


def saved(
    row: Any, given: Mapping[str, Any], source: str = PERSON, derived: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the change of `sources` that saving columns of a row, or of a new one, makes.

    A value that was unknown and stays so has no source, and derived columns have none any more.
    """
    before = {} if row is None else sources_of(row)
    after = {name: known for name, known in before.items() if name not in derived}
    for name, value in given.items():
        if value is not None or name in before or getattr(row, name, None) is not None:
            after[name] = Known(source, plain(value), None, hidden_by_new(row, name))
    return {} if after == before else {"sources": after}


def hidden_by_new(row: Any, name: str) -> Known | None:
    """Return what a new value of a person or a plugin hides; None if that is not remembered."""
    known = None if row is None or name in _NOT_HIDDEN else sources_of(row).get(name)
    if known is None:
        return None
    if known.source == PERSON or known.plugin is not None:
        return known.below
    stored = getattr(row, name)
    return Known(known.source, whole(stored)) if plain(stored) == known.value else None


def read_of(row: Any) -> Read:
    """Return what was read of a row, for the row that it turns out to be.

    Of a plugin's answers what they hide: they are asked for again.
    """
    read: dict[str, dict[str, Any]] = {}
    for name, known in sources_of(row).items():
        if known.plugin is not None:
            if known.below is not None:
                value = of_column(row, name, known.below.value)
                read.setdefault(known.below.source, {})[name] = value
        elif plain(getattr(row, name)) == known.value:
            read.setdefault(known.source, {})[name] = getattr(row, name)
    return read


def sources_of(row: Any) -> dict[str, Known]:
    """Return where the values of a row came from, by column."""
    known: dict[str, Known] = shaped(row, "sources", _SOURCES)
    return known


def is_curated(row: Any) -> bool:
    """Whether a person or the program wrote to a row; what plugins answer is asked for again."""
    known = sources_of(row)
    return any(
        getattr(row, name) is not None and not _is_read(row, name, known.get(name))
        for name in _CURATED[type(row)]
    )


def _is_read(row: Any, name: str, known: Known | None) -> bool:
    if known is None or known.source in HIDING and known.plugin is None:
        return False
    return bool(plain(getattr(row, name)) == known.value)


def plain(value: Any) -> Any:
    """Return a value as JSON stores it; of a long text, such as lyrics, a digest."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and len(value) > _LONG_TEXT:
        return f"sha256:{sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return list(value) if isinstance(value, tuple) else value


def unhidden(known: Known) -> Known | None:
    """Return a value that was read, as the one to return to; None of a long text."""
    is_digest = isinstance(known.value, str) and known.value.startswith("sha256:")
    return None if is_digest else Known(known.source, known.value)


def whole(value: Any) -> Any:
    """Return a value as JSON stores it, also of a long text."""
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def of_column(row: Any, name: str, value: Any) -> Any:
    """Return a whole value as its column has it."""
    is_date = isinstance(type(row)._meta.fields[name], DateField)
    return date_of(value) if is_date else value


def _stored(value: object) -> dict[str, Known]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError(value)
    known = {name: Known(*entry) for name, entry in value.items()}
    if any(one.source not in _RANK for one in known.values()):
        raise ValueError(value)
    return known


_SOURCES = Reading("a JSON object of columns, each with its source and value", _stored)
