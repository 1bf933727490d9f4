"""Queries with names, for the browser of an SQLite store."""

from __future__ import annotations

from collections.abc import Mapping

_SIZE = "round(media_files.size / 1048576.0, 1) AS mib"
_FILES = "media_files JOIN media_libraries ON media_libraries.id = media_files.library_id"

QUERIES: Mapping[str, Mapping[str, str]] = {
    "missing_files": {
        "title": "Missing files",
        "description": "Not found by the last scan of their library, the latest first.",
        "sql": f"""
SELECT media_libraries.name AS library, media_files.path, media_files.missing_since, {_SIZE}
FROM {_FILES}
WHERE media_files.status = 'missing'
ORDER BY media_files.missing_since DESC""",
    },
    "who_watched_what": {
        "title": "Who watched what",
        "description": "Plays of a minute or more, the latest first; times are UTC. "
        "Leave the user empty for all.",
        "sql": """
SELECT played_at, user_id, kind, top_title, title, duration_watched / 60 AS minutes, completed
FROM playback_history
WHERE :user IN ('', user_id)
ORDER BY played_at DESC""",
    },
    "largest_files": {
        "title": "Largest files",
        "description": "With picture and codecs.",
        "sql": f"""
SELECT media_libraries.name AS library, media_files.path, {_SIZE}, width, height, video_codec,
       audio_codec, round(duration / 60) AS minutes
FROM {_FILES}
WHERE media_files.status = 'present'
ORDER BY media_files.size DESC""",
    },
    "never_watched": {
        "title": "Never watched",
        "description": "Movies of which no version has a play or a mark, the oldest first.",
        "sql": """
SELECT movies.title, movies.year, movies.created_at
FROM movies
WHERE NOT EXISTS (
    SELECT 1 FROM work_files
    JOIN user_media_progress ON user_media_progress.media_file_id = work_files.media_file_id
    WHERE work_files.work_id = movies.work_id
      AND (user_media_progress.completed OR user_media_progress.play_count > 0))
ORDER BY movies.created_at""",
    },
    "broken_files": {
        "title": "Broken files",
        "description": "Files that could not be read, and why.",
        "sql": f"""
SELECT media_libraries.name AS library, media_files.path, media_files.error
FROM {_FILES}
WHERE media_files.error IS NOT NULL
ORDER BY media_files.path""",
    },
    "codecs": {
        "title": "Codecs",
        "description": "How many files there are of each kind, and how large they are.",
        "sql": """
SELECT video_codec, audio_codec, count(*) AS files,
       round(sum(size) / 1073741824.0, 2) AS gib
FROM media_files
WHERE status = 'present'
GROUP BY video_codec, audio_codec
ORDER BY files DESC""",
    },
}
