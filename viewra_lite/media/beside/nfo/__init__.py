"""Nfo files: what people and other programs have written about a title."""
