"""The queries of sidecars and their media: builders that run nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from peewee import EXCLUDED, SQL, ColumnBase, fn

from ...database.orm.nodes import OneOf, Placeholder
from ...database.orm.statements import Query, Statement, statement
from ...database.transactions.inserts import Insert
from ..models import (
    Album,
    Episode,
    MediaFile,
    MediaFolder,
    MediaStream,
    Movie,
    Season,
    Track,
    TVShow,
    WorkFile,
)

_PRESENT = SQL("'present'")

# Folders


@statement
def known_folders(library_id: Placeholder, paths: Placeholder) -> Query:
    return (
        MediaFolder.select(MediaFolder.path, MediaFolder.signature)
        .where(MediaFolder.library == library_id, OneOf(MediaFolder.path, paths))
        .tuples()
    )


@statement
def folders_between(
    library_id: Placeholder, after: Placeholder, end: Placeholder, limit: Placeholder
) -> Query:
    return (
        MediaFolder.select(MediaFolder.path, MediaFolder.signature)
        .where(MediaFolder.library == library_id, MediaFolder.path > after, MediaFolder.path < end)
        .order_by(MediaFolder.path)
        .limit(limit)
        .tuples()
    )


@statement
def count_folders(library_id: Placeholder) -> Query:
    return MediaFolder.select(fn.COUNT(SQL("*"))).where(MediaFolder.library == library_id).tuples()


@statement
def pending_folders(library_id: Placeholder, after: Placeholder, limit: Placeholder) -> Query:
    return (
        MediaFolder.select(MediaFolder.path, MediaFolder.signature)
        .where(MediaFolder.library == library_id, MediaFolder.is_pending, MediaFolder.path > after)
        .order_by(MediaFolder.path)
        .limit(limit)
        .tuples()
    )


@statement
def change_folder(library_id: Placeholder, path: Placeholder, signature: Placeholder) -> Query:
    return MediaFolder.insert(
        {
            MediaFolder.library: library_id,
            MediaFolder.path: path,
            MediaFolder.signature: signature,
            MediaFolder.is_pending: SQL("TRUE"),
        }
    ).on_conflict(
        conflict_target=[MediaFolder.library, MediaFolder.path],
        update={MediaFolder.signature: EXCLUDED.signature, MediaFolder.is_pending: SQL("TRUE")},
    )


@statement
def read_again(library_id: Placeholder, path: Placeholder) -> Query:
    return MediaFolder.insert(
        {
            MediaFolder.library: library_id,
            MediaFolder.path: path,
            MediaFolder.signature: SQL("''"),
            MediaFolder.is_pending: SQL("TRUE"),
        }
    ).on_conflict(
        conflict_target=[MediaFolder.library, MediaFolder.path],
        update={MediaFolder.is_pending: SQL("TRUE")},
    )


@statement
def folder_was_read(library_id: Placeholder, path: Placeholder, signature: Placeholder) -> Query:
    return MediaFolder.update({MediaFolder.is_pending: SQL("FALSE")}).where(
        MediaFolder.library == library_id,
        MediaFolder.path == path,
        MediaFolder.signature == signature,
    )


@statement
def delete_folder(library_id: Placeholder, path: Placeholder) -> Query:
    return MediaFolder.delete().where(MediaFolder.library == library_id, MediaFolder.path == path)


# Files and titles


class FileBeside(NamedTuple):
    """A media file, as far as its sidecars need to know."""

    id: str
    path: str
    identity: str | None

    @property
    def is_extra(self) -> bool:
        """Whether it is a trailer, a featurette or another extra."""
        return str(self.identity).startswith("extra:")


@statement
def files_below(
    library_id: Placeholder, start: Placeholder, end: Placeholder, limit: Placeholder
) -> Query:
    files: Query = _files(library_id, start, end).limit(limit)
    return files


@statement
def files_in(
    library_id: Placeholder, start: Placeholder, end: Placeholder, length: Placeholder
) -> Query:
    """The files right in a folder, whose path with a separator has this length."""
    files: Query = _files(library_id, start, end).where(
        fn.LENGTH(MediaFile.path) - fn.LENGTH(MediaFile.filename) == length
    )
    return files


def _files(library_id: Placeholder, start: Placeholder, end: Placeholder) -> Any:
    return (
        MediaFile.select(MediaFile.id, MediaFile.path, MediaFile.identity)
        .where(
            MediaFile.library == library_id,
            MediaFile.path > start,
            MediaFile.path < end,
            MediaFile.status == _PRESENT,
        )
        .order_by(MediaFile.path)
        .objects(FileBeside)
    )


@lru_cache(maxsize=None)
def titles_of(model: Any) -> Statement:
    """Return the statement for the movies, episodes or tracks of files: argument file ids."""

    def build(library_id: Placeholder, ids: Placeholder) -> Query:
        linked = WorkFile.select(WorkFile.work).where(OneOf(WorkFile.media_file_id, ids))
        rows = model.select().where(model.work.in_(linked))
        if model is Movie:
            rows = rows.where(Movie.library == library_id)
        elif model is Episode:
            shows = TVShow.select(TVShow.id).where(TVShow.library == library_id)
            rows = rows.where(Episode.show.in_(shows))
        else:
            albums = Album.select(Album.id).where(Album.library == library_id)
            rows = rows.where(Track.album.in_(albums))
        ordered: Query = rows.order_by(model.id)
        return ordered

    return Statement(build, arity=2)


class FileOfTitle(NamedTuple):
    """A file of a movie, an episode or a track."""

    title_id: str
    id: str
    path: str
    best_id: str | None


@lru_cache(maxsize=None)
def files_of(model: Any, parent: Any = None) -> Statement:
    """Return the statement for the present files of titles, or of all titles of some parents.

    The arguments are a library's id, and ids of the model or, where a column is given, of that.
    """
    column = model.id if parent is None else parent

    def build(library_id: Placeholder, ids: Placeholder) -> Query:
        files: Query = (
            model.select(model.id, MediaFile.id, MediaFile.path, model.media_file)
            .join(WorkFile, on=(WorkFile.work == model.work))
            .join(MediaFile, on=(MediaFile.id == WorkFile.media_file_id))
            .where(
                OneOf(column, ids), MediaFile.library == library_id, MediaFile.status == _PRESENT
            )
            .order_by(MediaFile.path, model.id)
            .objects(FileOfTitle)
        )
        return files

    return Statement(build, arity=2)


@statement
def shows_by_ids(ids: Placeholder) -> Query:
    return TVShow.select().where(OneOf(TVShow.id, ids)).order_by(TVShow.id)


@statement
def seasons_of(show_id: Placeholder) -> Query:
    return Season.select().where(Season.show == show_id).order_by(Season.season_number)


@statement
def episodes_of(show_id: Placeholder) -> Query:
    return Episode.select().where(Episode.show == show_id).order_by(Episode.id)


@statement
def albums_by_ids(ids: Placeholder) -> Query:
    return Album.select().where(OneOf(Album.id, ids)).order_by(Album.id)


@statement
def read_files_again(ids: Placeholder) -> Query:
    return MediaFile.update({MediaFile.probe_state: "pending"}).where(OneOf(MediaFile.id, ids))


@lru_cache(maxsize=None)
def row_by_id(model: Any) -> Statement:
    """Return the statement for a row of a model: argument id."""
    return Statement(lambda id: model.select().where(model.id == id), arity=1)


@lru_cache(maxsize=None)
def change_row(model: Any, columns: tuple[str, ...]) -> Statement:
    """Return the statement that changes columns of a row; rows of one scan change the same."""

    def build(*, id: Placeholder, **values: ColumnBase) -> Query:
        change: Query = model.update(**values).where(model.id == id)
        return change

    return Statement(build, names=("id", *columns))


# Subtitles


insert_subtitles = Insert(
    MediaStream.media_file,
    MediaStream.stream_index,
    MediaStream.kind,
    MediaStream.external_path,
    MediaStream.codec,
    MediaStream.language,
    MediaStream.is_forced,
    MediaStream.is_default,
    MediaStream.title,
)


@statement
def streams_of(file_id: Placeholder) -> Query:
    return (
        MediaStream.select()
        .where(MediaStream.media_file == file_id)
        .order_by(MediaStream.stream_index)
    )


@statement
def delete_subtitles(file_id: Placeholder) -> Query:
    return MediaStream.delete().where(
        MediaStream.media_file == file_id, MediaStream.external_path.is_null(False)
    )
