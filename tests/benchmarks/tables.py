"""The tables that are measured, told once for every contender to declare them from.

They are those of schema.sql, which the smoke run compares them with.
"""

from __future__ import annotations

# Kinds: text, integer, real, boolean, moment (an aware datetime), date, json. "?" may be NULL.
_TABLES = {
    "media_files": """
        id:text library_id:text path:text filename:text size:integer? mime_type:text?
        container:text? duration:real? width:integer? height:integer? video_codec:text?
        audio_codec:text? created_at:moment updated_at:moment modified_ns:integer?
        fingerprint:text? identity:text? status:text missing_since:moment? probe_state:text
        error:text? disproved_duration:real? bit_rate:integer? hdr:text? edition:text?
        part:integer? source:text?""",
    "movies": """
        id:text library_id:text media_file_id:text? work_id:text identity:text title:text
        sort_title:text year:integer? original_title:text? overview:text? release_date:date?
        runtime:integer? genres:json? director:text? cast:json? rating:real? poster_path:text?
        backdrop_path:text? tmdb_id:integer? imdb_id:text? cleared:json?
        created_at:moment updated_at:moment tagline:text? content_rating:text? logo_path:text?
        thumb_path:text? sources:json?""",
    "playback_sessions": """
        id:text media_file_id:text? user_id:text device_id:text? method:text state:text
        position:real duration:real? start_time:moment last_activity:moment end_time:moment?
        reported_at:moment? watched:real completed:boolean kind:text title:text? top_title:text?""",
    "user_media_progress": """
        user_id:text media_file_id:text position:real completed:boolean updated_at:moment
        duration:real? play_count:integer marked:boolean last_played_at:moment? reported_at:moment?
        dropped:boolean session_id:text? previous:json?""",
    "playback_history": """
        id:text user_id:text media_file_id:text? played_at:moment duration_watched:integer?
        completed:boolean kind:text title:text? top_title:text? device_id:text? method:text?""",
}

# Table -> column -> (kind, may be NULL), in the order of schema.sql.
TABLES: dict[str, dict[str, tuple[str, bool]]] = {
    table: {
        name: (kind.rstrip("?"), kind.endswith("?"))
        for name, kind in (column.split(":") for column in columns.split())
    }
    for table, columns in _TABLES.items()
}

KEYS = {"user_media_progress": ("user_id", "media_file_id")}
"""Primary keys other than id."""

# What a scan tells of a file, in the order of viewra_lite's FileFacts.
FACTS = (
    "path",
    "size",
    "modified_ns",
    "mime_type",
    "container",
    "duration",
    "width",
    "height",
    "video_codec",
    "audio_codec",
    "fingerprint",
    "identity",
)

# What a scan writes of a new file: every column but those that only a later one fills.
WRITTEN = (
    "id",
    "library_id",
    "path",
    "filename",
    "size",
    "mime_type",
    "container",
    "duration",
    "width",
    "height",
    "video_codec",
    "audio_codec",
    "created_at",
    "updated_at",
    "modified_ns",
    "fingerprint",
    "identity",
    "status",
    "probe_state",
)


def key_of(table: str) -> tuple[str, ...]:
    """Return the columns of a table's primary key."""
    return KEYS.get(table, ("id",))


def names(table: str) -> tuple[str, ...]:
    """Return the columns of a table in their order."""
    return tuple(TABLES[table])
