"""A database made by hand from the specification, with rows as careless programs write them."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parents[1] / "data"
SPECIFICATION = (DATA / "specification.sql").read_text(encoding="utf-8")
FILLED = r"""
INSERT INTO media_libraries VALUES
  ('l1', 'Films', '/films', 'movies', NULL, '2024-01-02T03:04:05Z', '2024-01-02 03:04:05', NULL),
  ('l2', 'Shows', '/shows', 'TV_Shows', 60, 1704164645, 1704164645.5,
   '2024-01-02 03:04:05.123456789 +0000 UTC'),
  ('l3', 'Songs', '/songs', 'audio', -1, '0001-01-01 00:00:00+00:00', '2024-01-02',
   '1704164645123'),
  (NULL, 'Nameless', '/nameless', 'movie', 0, NULL, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP);
INSERT INTO media_files VALUES
  ('f1', 'l1', '/films/a.mkv', 'a.mkv', 5000000000, 'video/x-matroska', 'matroska', 5400, 1920,
   1080, 'h264', 'aac', '2024-01-02T03:04:05.5+01:00', '2024-01-02T03:04:05.5-0130'),
  ('f2', 'l1', '/films/b.mkv', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('f3', NULL, '/lost/c.mkv', '', 0, '', '', '', '', '', '', '', '', ''),
  ('f4', NULL, '/lost/c.mkv', 'c.mkv', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('f5', 'gone', '/lost/d.mkv', 'd.mkv', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('f6', 'l1', 'C:\films\f.mkv', '', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (NULL, 'l2', '/shows/e.mkv', 'e.mkv', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('f7', 'l1', CAST(x'2f66696c6d732fff' AS TEXT), 'x', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL);
INSERT INTO movies VALUES
  ('m1', 'f1', 'The Amélie', NULL, NULL, '2001-04-25', 122, 'Drama, Comedy', 'Jeunet',
   '["Tautou"]', 8.3, NULL, NULL, 194, 'tt0211915'),
  ('m2', 'f2', 'The Amélie', '', 'again', '2001', NULL, '["Drama"]', NULL, '"One"', NULL, NULL,
   NULL, NULL, NULL),
  ('m3', 'nowhere', 'Lost', NULL, NULL, '', NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('m4', NULL, 'Found', NULL, NULL, '2010-07-16T00:00:00Z', NULL, NULL, NULL, 'null', NULL, NULL,
   NULL, NULL, NULL);
INSERT INTO playback_sessions VALUES
  ('s1', 'f1', 'u1', 'tv', 'direct_play', 'active', 12.5, 5400, '2024-01-02 03:04:05',
   '2024-01-02 03:05:05', NULL),
  ('s2', 'nowhere', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2024-01-02 03:05:05', NULL),
  ('s3', 'f1', 'u1', NULL, 'Transcoding', 'ended', 1, 2, NULL, NULL, NULL);
INSERT INTO user_media_progress VALUES
  ('u1', 'f1', 12.5, 'true', '2024-01-02 03:05:05'),
  ('u1', 'removed', 3, 0, 1704164645),
  (NULL, 'f1', NULL, NULL, NULL),
  (NULL, 'f1', 1, 1, NULL),
  ('u2', NULL, 1, 't', NULL);
INSERT INTO playback_history VALUES
  ('h1', 'u1', 'f1', '2024-01-02 03:04:05', 60, 'f'),
  ('h2', 'u1', 'removed', NULL, 12.6, NULL),
  (NULL, NULL, NULL, '1704164645', NULL, 1);
INSERT INTO transcode_sessions VALUES
  ('t1', 'f1', 'done', 'ffmpeg', 'abc', 'in', 'out', 'mp4', 'h264', 'aac', 23, 100, NULL,
   '2024-01-02 03:04:05', NULL, '2024-01-02 04:04:05'),
  ('t2', 'nowhere', 'canceled', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 55, NULL, NULL,
   NULL, NULL),
  ('t3', 'f1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0.25, 'it broke', NULL, NULL,
   NULL),
  ('t4', 'f1', 'in progress', NULL, 'abd', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL),
  ('t5', 'f1', 'queued', NULL, 'abd', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL);
INSERT INTO transcode_cache VALUES
  ('c1', 'f1', 'abc', 'mp4', 'h264', 'aac', 23, 3000000000, '2024-01-02 03:04:05', NULL, NULL),
  ('c2', 'removed', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 7),
  ('c3', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 7);
INSERT INTO plugins VALUES
  ('p1', 'Plugin', 'enrichment', '1.0', 'yes', '{"a": 1, "a": 2}', 'fast', NULL, NULL, NULL),
  ('p2', 'Other', 'scanner', NULL, NULL, '', '["x"]', '2024-01-02 03:04:05', NULL, NULL);
INSERT INTO plugin_metadata VALUES
  ('d1', 'p1', 'f1', 'movie', '{"title": "A"}', 0.5, '2024-01-02 03:04:05'),
  ('d2', 'gone', 'nowhere', NULL, 'not JSON', 85, NULL),
  ('d3', NULL, NULL, 'x', NULL, NULL, NULL);
"""
