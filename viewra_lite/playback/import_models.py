"""The tables of imports: the imports, the rows that each changed, and the rows that wait."""

from __future__ import annotations

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import CompositeKey, IntegerField, SQL, TextField

from ..database.orm.fields import JSONField, TimestampField
from ..database.orm.models import StoreModel, index, reference, unique


def _count(help_text: str) -> IntegerField:
    return IntegerField(default=0, constraints=[SQL("DEFAULT 0")], help_text=help_text)


class PlaybackImport(StoreModel):
    """Imports of watch history from other programs."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    source = TextField(help_text="name of the file")
    format = TextField(help_text="format it was read as")
    user_id = TextField(null=True, help_text="the user of every row; NULL if each row names one")
    started_at = TimestampField(help_text="UTC")
    finished_at = TimestampField(null=True, help_text="UTC; NULL if it was interrupted")
    undone_at = TimestampField(null=True, help_text="when it was undone, UTC")
    total = _count("rows read")
    imported = _count("rows recorded, including those that waited")
    already = _count("rows whose plays were known")
    left_out = _count("rows without watch state")
    unmatched = _count("rows that matched no media")

    class Meta:
        table_name = "playback_imports"


class ImportedRow(StoreModel):
    """Changes of an import, to undo it: a play, or a user's progress in a file."""

    batch = reference(PlaybackImport, on_delete="CASCADE", index=False, help_text="the import")
    seq = IntegerField(help_text="order of writing")
    user_id = TextField(help_text="the user it concerns")
    media_file_id = TextField(help_text="media_files.id, possibly of a removed file")
    play_id = TextField(null=True, help_text="playback_history.id, if a play")
    before = JSONField(null=True, help_text="the row before the change; NULL if there was none")
    after = JSONField(null=True, help_text="the progress after the change")

    batch_id: str

    class Meta:
        table_name = "playback_import_rows"
        primary_key = CompositeKey("batch", "seq")


index(ImportedRow, "idx_import_rows_user", ImportedRow.user_id)
index(ImportedRow, "idx_import_rows_file", ImportedRow.media_file_id)


class WaitingRow(StoreModel):
    """Rows of imports that match no media yet, and wait for later scans."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    batch = reference(PlaybackImport, on_delete="CASCADE", index=False, help_text="the import")
    user_id = TextField(help_text="the user it concerns")
    key = TextField(help_text="SHA-256 of the record: equal rows wait once")
    record = JSONField(help_text="content of the row")

    batch_id: str

    class Meta:
        table_name = "playback_import_waiting"
        constraints = [unique("user_id", "key")]


index(WaitingRow, "idx_import_waiting_batch", WaitingRow.batch)
