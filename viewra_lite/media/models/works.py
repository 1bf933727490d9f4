"""The tables that watch state is attached to: works, and their files."""

from __future__ import annotations

from ...database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import SQL, CompositeKey, ForeignKeyField, IntegerField, TextField

from ...database.orm.fields import ChoiceField, JSONField
from ...database.orm.models import StoreModel, index, reference

WORK_KINDS = ("movie", "show", "episode", "album", "track", "other")


class Work(StoreModel):
    """Movies, episodes and tracks independent of library and files: watch state belongs to them."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    kind = ChoiceField(WORK_KINDS, help_text="other: only the identity of its files is known")
    key = TextField(
        null=True, unique=True, help_text="identity of its rows, to find it again; NULL: an episode"
    )
    show = ForeignKeyField(
        "self",
        null=True,
        on_delete="CASCADE",
        backref="+",
        lazy_load=False,
        index=False,
        help_text="the show's work, if an episode",
    )
    season_number = IntegerField(null=True, help_text="of an episode, 0 = specials")
    episode_number = IntegerField(null=True, help_text="of an episode, within the season")
    kept = JSONField(
        null=True, help_text="JSON object: the columns of a movie without a row, to restore it"
    )

    show_id: str | None

    class Meta:
        table_name = "works"


index(
    Work,
    "idx_works_episode",
    Work.show,
    Work.season_number,
    Work.episode_number,
    where=Work.show.is_null(False),
    is_unique=True,
)


class WorkFile(StoreModel):
    """Files of works, removed ones included; a file of several episodes has several works."""

    media_file_id = TextField(help_text="media_files.id, possibly of a removed file")
    work = reference(Work, on_delete="CASCADE", index=False, help_text="the work it holds")
    part = IntegerField(
        default=0, constraints=[SQL("DEFAULT 0")], help_text="of a movie in parts; 0 = the whole"
    )

    work_id: str

    class Meta:
        table_name = "work_files"
        primary_key = CompositeKey("media_file_id", "work")


index(WorkFile, "idx_work_files_work", WorkFile.work, WorkFile.media_file_id)
