"""The nouns of imports: which there were, what each changed, and what waits for its media."""

from __future__ import annotations

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import CompositeKey, IntegerField, SQL, TextField

from ..database.orm.fields import JSONField, TimestampField
from ..database.orm.models import StoreModel, index, reference, unique


def _count(help_text: str) -> IntegerField:
    return IntegerField(default=0, constraints=[SQL("DEFAULT 0")], help_text=help_text)


class PlaybackImport(StoreModel):
    """Imports of what was watched elsewhere."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    source = TextField(help_text="the name of the file")
    format = TextField(help_text="what it was taken for")
    user_id = TextField(null=True, help_text="whose it all was; NULL: each row said it")
    started_at = TimestampField(help_text="UTC")
    finished_at = TimestampField(null=True, help_text="UTC; NULL: it broke off")
    undone_at = TimestampField(null=True, help_text="when it was taken back, UTC")
    total = _count("how many rows were read")
    imported = _count("how many of them were recorded, those that waited included")
    already = _count("how many said what was known")
    left_out = _count("how many said nothing of what was watched")
    unmatched = _count("how many were not matched")

    class Meta:
        table_name = "playback_imports"


class ImportedRow(StoreModel):
    """What an import changed, to take it back: a play, or a user's progress in a file."""

    batch = reference(PlaybackImport, on_delete="CASCADE", index=False, help_text="the import")
    seq = IntegerField(help_text="in the order they were written")
    user_id = TextField(help_text="whose it is")
    media_file_id = TextField(help_text="media_files.id, perhaps of a removed file")
    play_id = TextField(null=True, help_text="playback_history.id, if a play")
    before = JSONField(null=True, help_text="the row as it was; NULL: there was none")
    after = JSONField(null=True, help_text="the progress as it was written")

    batch_id: str

    class Meta:
        table_name = "playback_import_rows"
        primary_key = CompositeKey("batch", "seq")


index(ImportedRow, "idx_import_rows_user", ImportedRow.user_id)
index(ImportedRow, "idx_import_rows_file", ImportedRow.media_file_id)


class WaitingRow(StoreModel):
    """Rows of imports that matched nothing yet: they wait for media that come later."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    batch = reference(PlaybackImport, on_delete="CASCADE", index=False, help_text="the import")
    user_id = TextField(help_text="whose it is")
    key = TextField(help_text="SHA-256 of what the row says: it waits once")
    record = JSONField(help_text="what the row says")

    batch_id: str

    class Meta:
        table_name = "playback_import_waiting"
        constraints = [unique("user_id", "key")]


index(WaitingRow, "idx_import_waiting_batch", WaitingRow.batch)
