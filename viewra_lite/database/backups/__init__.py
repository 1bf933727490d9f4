"""Backups: created online, checked before they count, rotated, and restored."""
