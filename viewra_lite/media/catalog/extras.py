"""Extras of the catalog: trailers, featurettes and the like, each with its movie or show.

An extra is a file and a row of media_extras; it is a version of nothing and has no work. Its movie
may be found later than the extra itself, so extras are linked at the end of a scan.
"""

from __future__ import annotations

import os
from typing import Any

from ...database.transactions.database import Database
from .. import queries
from ..identities import movie_identity, show_identity
from ..models import Episode, MediaExtra, MediaFile, MediaLibrary, Movie, TVShow, WorkFile
from ..names.facts import ExtraName, MovieName

_BATCH = 100  # extras per transaction
_AFTER_ALL = "~"  # after every digit and "#"


def place(db: Database, file: MediaFile, name: ExtraName) -> None:
    """Record what an extra is, inside a writer; it keeps its movie or show while it names it."""
    of = name.of
    if isinstance(of, MovieName):
        identity, season = movie_identity(of.title, of.year), None
    else:
        identity, season = show_identity(of.show, of.show_year), of.season
    values = {"kind": name.kind, "title": name.title, "identity": identity, "season_number": season}
    known = MediaExtra.get_or_none(MediaExtra.media_file == file.id)
    if known is None:
        MediaExtra.insert(media_file=file.id, **values).execute()
        return
    if known.identity != identity:
        values.update(movie=None, show=None)
    MediaExtra.update(**values).where(MediaExtra.media_file == file.id).execute()


def leave(db: Database, file: MediaFile) -> None:
    """Forget that a file was an extra, inside a writer."""
    db.run(queries.delete_extra, file.id)


def link(db: Database, library: MediaLibrary) -> None:
    """Link the extras of a library that have no movie or show to theirs, in short transactions."""
    last = ""
    while rows := db.all(queries.unlinked_extras, library.id, last, _BATCH):
        last = rows[-1].media_file_id
        db.yield_to_writers()
        with db.writer():
            for extra in rows:
                _link(library, extra)


def _link(library: MediaLibrary, extra: MediaExtra) -> None:
    model: Any = TVShow if str(extra.identity).startswith("show:") else Movie
    row = _named(model, library, str(extra.identity)) or _around(
        model, library, extra.media_file.path
    )
    if row is not None:
        owner = {"show" if model is TVShow else "movie": row.id}
        MediaExtra.update(**owner).where(
            MediaExtra.media_file == extra.media_file_id, MediaExtra.identity == extra.identity
        ).execute()


def _named(model: Any, library: MediaLibrary, identity: str) -> Any:
    """Return the row with an identity, else the only one of its title and no other year."""
    kind, title, year = identity.split(":", 2)
    stem = f"{kind}:{title}:"
    rows = list(
        model.select()
        .where(model.library == library.id, model.identity.between(stem, stem + _AFTER_ALL))
        .limit(_BATCH)
    )
    exact = [row for row in rows if row.identity == identity]
    some = exact or [row for row in rows if not year or row.year in (None, int(year))]
    return some[0] if len(some) == 1 else None


def _around(model: Any, library: MediaLibrary, path: str) -> Any:
    """Return the only movie or show with files in the nearest folder around that has any."""
    folder = os.path.dirname(path)
    while len(folder) > len(library.path):
        rows = list(_of_folder(model, library, folder).limit(2))
        if rows:
            return rows[0] if len(rows) == 1 else None
        folder = os.path.dirname(folder)
    return None


def _of_folder(model: Any, library: MediaLibrary, folder: str) -> Any:
    start, end = folder + os.sep, folder + chr(ord(os.sep) + 1)
    rows = model.select().distinct()
    if model is TVShow:
        rows = rows.join(Episode, on=(Episode.show == TVShow.id))
        work: Any = Episode.work
    else:
        work = Movie.work
    return (
        rows.join(WorkFile, on=(WorkFile.work == work))
        .join(MediaFile, on=(MediaFile.id == WorkFile.media_file_id))
        .where(
            model.library == library.id,
            MediaFile.library == library.id,
            MediaFile.path > start,
            MediaFile.path < end,
        )
    )
