"""Libraries and works that damage has taken, made again from the rows that refer to them.

Without them those rows would have to go too, with the ids that watch state is kept under.
"""

from __future__ import annotations

import os
import sqlite3

_TABLES = frozenset(
    (
        "media_libraries",
        "media_files",
        "works",
        "movies",
        "tv_shows",
        "episodes",
        "tracks",
        "albums",
    )
)
_LIBRARIES = """
    SELECT library_id AS id, min(path) AS first, max(path) AS last, min(created_at) AS created_at,
           CASE WHEN library_id IN (SELECT library_id FROM tv_shows) THEN 'tv'
                WHEN library_id IN (SELECT library_id FROM albums) THEN 'music'
                ELSE 'movie' END AS type
    FROM media_files WHERE library_id NOT IN (SELECT id FROM media_libraries) GROUP BY library_id
"""
_LIBRARY = """
    INSERT OR IGNORE INTO media_libraries (id, name, path, type, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?)
"""
# Shows first: the works of episodes refer to theirs.
_WORKS = (
    "SELECT work_id, 'show', identity, NULL, NULL, NULL FROM tv_shows",
    "SELECT work_id, 'movie', identity, NULL, NULL, NULL FROM movies",
    "SELECT episodes.work_id, 'episode', NULL, tv_shows.work_id, season_number, episode_number "
    "FROM episodes JOIN tv_shows ON tv_shows.id = episodes.show_id",
    "SELECT work_id, 'track', NULL, NULL, NULL, NULL FROM tracks",
)


def make_again(connection: sqlite3.Connection) -> dict[str, int]:
    """Add the lost libraries and works that rows of a recovered SQLite file refer to.

    Returns how many by table. The folder of a library is the deepest that holds all its files.
    """
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    if not {row["name"] for row in tables} >= _TABLES:
        return {}
    before = connection.total_changes
    for row in list(connection.execute(_LIBRARIES)):
        folder = os.path.commonpath([os.path.dirname(row["first"]), os.path.dirname(row["last"])])
        name = os.path.basename(folder) or folder
        times = (row["created_at"], row["created_at"])
        connection.execute(_LIBRARY, (row["id"], name, folder, row["type"], *times))
    libraries = connection.total_changes - before
    for found in _WORKS:
        connection.execute(
            "INSERT OR IGNORE INTO works (id, kind, key, show_id, season_number, episode_number) "
            f"SELECT * FROM ({found}) AS lost WHERE lost.work_id NOT IN (SELECT id FROM works)"
        )
    return {"media_libraries": libraries, "works": connection.total_changes - before - libraries}
