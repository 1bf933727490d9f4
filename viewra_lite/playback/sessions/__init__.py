"""Playback sessions and the reports of players."""
