"""Answers of plugins about media files: the work list, and what becomes of them."""
