"""The tables of the plugins module: plugins, their metadata, and their storage."""

from __future__ import annotations

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import BooleanField, Check, CompositeKey, DoubleField, IntegerField, SQL, TextField

from ..database.orm.fields import JSONField, TimestampField
from ..database.orm.models import StoreModel, reference
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
    """Metadata extracted by plugins."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    plugin = reference(PluginRow, on_delete="CASCADE", help_text="the plugin that wrote it")
    media_file = reference(MediaFile, on_delete="CASCADE", help_text="the file it describes")
    metadata_type = TextField(help_text="its kind: movie, subtitles, ...")
    metadata = JSONField(help_text="JSON data")
    confidence = DoubleField(
        default=1.0,
        constraints=[SQL("DEFAULT 1"), Check('"confidence" BETWEEN 0 AND 1')],
        help_text="0 to 1",
    )
    created_at = TimestampField(help_text="UTC")

    class Meta:
        table_name = "plugin_metadata"


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


MODELS = (PluginRow, PluginMetadata, PluginStorage)
