"""The tables of the plugins module: registered plugins, and their metadata."""

from __future__ import annotations

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import BooleanField, Check, DoubleField, SQL, TextField

from ..database.orm.fields import JSONField, TimestampField
from ..database.orm.models import StoreModel, reference
from ..media.models import MediaFile


class Plugin(StoreModel):
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
    last_health_check = TimestampField(null=True, help_text="UTC")
    created_at = TimestampField(help_text="when it was registered, UTC")
    updated_at = TimestampField(help_text="last change of this row, UTC")

    class Meta:
        table_name = "plugins"


class PluginMetadata(StoreModel):
    """Metadata extracted by plugins."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    plugin = reference(Plugin, on_delete="CASCADE", help_text="the plugin that wrote it")
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


MODELS = (Plugin, PluginMetadata)
