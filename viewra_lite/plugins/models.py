"""The tables of the plugins module: plugins, their answers, and their storage."""

from __future__ import annotations

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import (
    BigIntegerField,
    BooleanField,
    Check,
    CompositeKey,
    DoubleField,
    IntegerField,
    SQL,
    TextField,
)

from ..database.orm.fields import JSONField, TimestampField
from ..database.orm.models import StoreModel, index, reference
from ..media.models import MediaFile


class PluginRow(StoreModel):
    """Registered plugins and their status."""

    id = TextField(primary_key=True, help_text="chosen by the plugin")
    name = TextField(help_text="shown to people")
    type = TextField(help_text="transcoder, enrichment, scanner, ...")
    version = TextField(null=True, help_text="reported by the plugin")
    enabled = BooleanField(
        default=True, constraints=[SQL("DEFAULT TRUE")], help_text="a disabled plugin is not called"
    )
    config = JSONField(null=True, help_text="JSON configuration")
    capabilities = JSONField(null=True, help_text="JSON capabilities")
    last_health_check = TimestampField(null=True, help_text="last successful check(), UTC")
    created_at = TimestampField(help_text="when it was registered, UTC")
    updated_at = TimestampField(help_text="last change of this row, UTC")
    last_run_at = TimestampField(null=True, help_text="last run(), UTC")
    due_at = TimestampField(null=True, help_text="after a failure: when it runs again, UTC")
    failures = IntegerField(null=True, help_text="in a row; 0 after a success")
    error = TextField(null=True, help_text="of the last failure")

    class Meta:
        table_name = "plugins"


class PluginMetadata(StoreModel):
    """Answers of plugins about media files, and what they have yet to answer."""

    # A file that todo() has returned has a row before it is answered: answered_at is NULL, and
    # applied_at is set, as there is nothing to merge. An answer, also "nothing known", sets
    # answered_at and makes applied_at NULL. If a file becomes another movie, episode or track, its
    # answer is withdrawn: metadata, answered_at and applied_at become NULL, so that the merging
    # sees it. Rows go with their file; that is seen by file.removed.
    #
    # The facts of an episode may hold the mappings "show" and "season", and those of a file with
    # several episodes "episodes", a list in their order; the facts of a track may hold "album".

    id = TextField(primary_key=True, help_text="UUIDv7")
    plugin = reference(
        PluginRow, on_delete="CASCADE", index=False, help_text="the plugin that answers"
    )
    media_file = reference(MediaFile, on_delete="CASCADE", help_text="the file that it is about")
    metadata_type = TextField(help_text="its kind: movie, episode, track or file")
    metadata = JSONField(
        null=True,
        help_text="JSON object, the facts; NULL: nothing is known, or answered_at is NULL",
    )
    confidence = DoubleField(
        default=1.0,
        constraints=[SQL("DEFAULT 1"), Check('"confidence" BETWEEN 0 AND 1')],
        help_text="0 to 1",
    )
    created_at = TimestampField(help_text="when the file was first found for this plugin, UTC")
    answered_at = TimestampField(
        null=True, help_text="time of the answer, UTC; NULL: not answered, or it was withdrawn"
    )
    due_at = TimestampField(
        null=True,
        help_text="when todo() returns it, UTC; 1970: at once; NULL: not before its file changes",
    )
    failures = IntegerField(null=True, help_text="in a row; NULL or 0 after an answer")
    error = TextField(null=True, help_text="of the last failure")
    question = TextField(
        null=True, help_text="SHA-256 of what it was asked about: another one makes it due"
    )
    subject_id = TextField(
        null=True,
        help_text="id of the movie, episode or track that it is about; an answer about another one "
        "than the file has now is old; NULL: not known",
    )
    applied_at = TimestampField(
        null=True,
        help_text="when the answer, or its withdrawal, was merged into the catalog, UTC; NULL: not "
        "yet",
    )

    plugin_id: str
    media_file_id: str

    class Meta:
        table_name = "plugin_metadata"


index(
    PluginMetadata,
    "idx_plugin_metadata_answer",
    PluginMetadata.plugin,
    PluginMetadata.media_file,
    PluginMetadata.metadata_type,
    is_unique=True,
)
index(
    PluginMetadata,
    "idx_plugin_metadata_due",
    PluginMetadata.plugin,
    PluginMetadata.metadata_type,
    PluginMetadata.due_at,
    PluginMetadata.media_file,
    where=PluginMetadata.due_at.is_null(False),
)
index(
    PluginMetadata,
    "idx_plugin_metadata_unapplied",
    PluginMetadata.media_file,
    where=PluginMetadata.applied_at.is_null(),
)


class PluginCursor(StoreModel):
    """How far each plugin has read files and changes, for the files of a kind."""

    plugin = reference(PluginRow, on_delete="CASCADE", index=False, help_text="the plugin")
    metadata_type = TextField(help_text="as in plugin_metadata")
    file_id = TextField(help_text="the last of media_files that it has compared; they repeat")
    is_complete = BooleanField(
        default=False,
        constraints=[SQL("DEFAULT FALSE")],
        help_text="whether all files were compared once",
    )
    change_id = BigIntegerField(help_text="the last of changes that it has read; 0: none")
    change_at = TimestampField(help_text="created_at of that change, UTC")

    plugin_id: str

    class Meta:
        table_name = "plugin_cursors"
        primary_key = CompositeKey("plugin", "metadata_type")


class PluginStorage(StoreModel):
    """Small values that a plugin keeps without a table of its own."""

    plugin = reference(
        PluginRow, on_delete="CASCADE", index=False, help_text="the plugin whose value it is"
    )
    key = TextField(help_text="at most 256 bytes")
    value = JSONField(null=True, help_text="JSON, at most 64 KiB; NULL is null")
    size = IntegerField(help_text="bytes of key and value")
    expires_at = TimestampField(null=True, help_text="UTC; NULL: it is kept")

    class Meta:
        table_name = "plugin_storage"
        primary_key = CompositeKey("plugin", "key")


MODELS = (PluginRow, PluginMetadata, PluginStorage, PluginCursor)
