"""Reads a damaged SQLite file without SQLite."""
