"""The nouns that watch state hangs on: works, and which files are theirs."""

from __future__ import annotations

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import SQL, CompositeKey, ForeignKeyField, IntegerField, TextField

from ..database.orm.fields import ChoiceField, JSONField
from ..database.orm.models import StoreModel, index, reference

WORK_KINDS = ("movie", "show", "episode", "album", "track", "other")


class Work(StoreModel):
    """What people watch, beyond the rows and files that stand for it: watch state hangs on it."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    kind = ChoiceField(WORK_KINDS, help_text="what it is; other: only the files' identity is known")
    key = TextField(
        null=True, unique=True, help_text="the identity of its rows: finds it again; NULL: episode"
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
        null=True, help_text="JSON object: a movie's columns, while it has no row: to come back"
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
    """Which files are, or were, files of a work; several works where a file holds several."""

    media_file_id = TextField(help_text="media_files.id, perhaps of a removed file")
    work = reference(Work, on_delete="CASCADE", index=False, help_text="what it is a file of")
    part = IntegerField(
        default=0, constraints=[SQL("DEFAULT 0")], help_text="of a movie in parts; 0 = all of it"
    )

    work_id: str

    class Meta:
        table_name = "work_files"
        primary_key = CompositeKey("media_file_id", "work")


index(WorkFile, "idx_work_files_work", WorkFile.work, WorkFile.media_file_id)
