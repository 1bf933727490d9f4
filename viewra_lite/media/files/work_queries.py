"""The queries of works and their files: builders that run nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

from peewee import EXCLUDED, ModelSelect, fn

from ...database.orm.nodes import OneOf, Placeholder
from ...database.orm.statements import Query, statement
from ...database.transactions.inserts import Insert
from ..models import Episode, MediaFile, Track, Work, WorkFile


@statement
def work_by_id(id: Placeholder) -> Query:
    return Work.select().where(Work.id == id)


@statement
def work_by_key(key: Placeholder) -> Query:
    return Work.select(Work.id).where(Work.key == key).tuples()


@statement
def works_by_keys(keys: Placeholder) -> Query:
    return Work.select(Work.key, Work.id).where(OneOf(Work.key, keys)).tuples()


@statement
def work_by_number(show_id: Placeholder, season: Placeholder, number: Placeholder) -> Query:
    return (
        Work.select(Work.id)
        .where(Work.show == show_id, Work.season_number == season, Work.episode_number == number)
        .tuples()
    )


class NumberedWork(NamedTuple):
    """The work of an episode, with its numbers."""

    id: str
    season: int
    number: int


@statement
def episodes_of(show_id: Placeholder) -> Query:
    return (
        Work.select(Work.id, Work.season_number, Work.episode_number)
        .where(Work.show == show_id)
        .objects(NumberedWork)
    )


@statement
def insert_work(
    id: Placeholder,
    kind: Placeholder,
    key: Placeholder,
    show_id: Placeholder,
    season: Placeholder,
    number: Placeholder,
) -> Query:
    return Work.insert(
        {
            Work.id: id,
            Work.kind: kind,
            Work.key: key,
            Work.show: show_id,
            Work.season_number: season,
            Work.episode_number: number,
        }
    )


insert_works = Insert(Work.id, Work.kind, Work.key)


@statement
def set_key(key: Placeholder, id: Placeholder) -> Query:
    return Work.update({Work.key: key}).where(Work.id == id)


@statement
def set_show(show_id: Placeholder, id: Placeholder) -> Query:
    return Work.update({Work.show: show_id}).where(Work.id == id)


@statement
def of_same_show(work_id: Placeholder, ids: Placeholder) -> Query:
    """The works among these that are episodes of the same show as a work."""
    other = Work.alias()
    return (
        other.select(other.id)
        .join(Work, on=(Work.show == other.show))
        .where(Work.id == work_id, OneOf(other.id, ids))
        .tuples()
    )


# Files


@statement
def links_of(file_id: Placeholder) -> Query:
    return (
        WorkFile.select(WorkFile.work, WorkFile.part)
        .where(WorkFile.media_file_id == file_id)
        .tuples()
    )


@statement
def files_of(work_id: Placeholder) -> Query:
    return (
        WorkFile.select(WorkFile.media_file_id, WorkFile.part)
        .where(WorkFile.work == work_id)
        .tuples()
    )


@statement
def insert_link(file_id: Placeholder, work_id: Placeholder, part: Placeholder) -> Query:
    return WorkFile.insert(
        {WorkFile.media_file_id: file_id, WorkFile.work: work_id, WorkFile.part: part}
    ).on_conflict(
        conflict_target=[WorkFile.media_file_id, WorkFile.work],
        update={WorkFile.part: EXCLUDED.part},
    )


insert_links = Insert(WorkFile.media_file_id, WorkFile.work, WorkFile.part)
"""For new files, which have no links yet."""


@statement
def delete_link(file_id: Placeholder, work_id: Placeholder) -> Query:
    return WorkFile.delete().where(WorkFile.media_file_id == file_id, WorkFile.work == work_id)


@statement
def known_files_of(work_id: Placeholder) -> Query:
    """Every file of a work in any library, missing ones included, removed ones not."""
    return (
        MediaFile.select()
        .join(WorkFile, on=(WorkFile.media_file_id == MediaFile.id))
        .where(WorkFile.work == work_id)
    )


@statement
def links_of_show(show_id: Placeholder, library_id: Placeholder) -> Query:
    """The works of a show's episodes, each with the id of one of its files in a library."""
    return _links(Episode, library_id).where(Episode.show == show_id)


@statement
def links_of_album(album_id: Placeholder, library_id: Placeholder) -> Query:
    """The works of an album's tracks, each with the id of one of its files in a library."""
    return _links(Track, library_id).where(Track.album == album_id)


def _links(model: Any, library_id: Placeholder) -> ModelSelect[Any]:
    rows: ModelSelect[Any] = (
        model.select(WorkFile.work, WorkFile.media_file_id)
        .join(WorkFile, on=(WorkFile.work == model.work))
        .join(MediaFile, on=(MediaFile.id == WorkFile.media_file_id))
        # COALESCE: not by the library's index, which has far more files than the works.
        .where(fn.COALESCE(MediaFile.library, "") == library_id)
        .tuples()
    )
    return rows
