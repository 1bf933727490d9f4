"""Import watch history from other services, and export a user's own data.

record.py: one row. reading.py: bytes to rows. formats/: the formats of other programs.
matching.py: rows to files. applying.py: batches of rows. log.py: the undo log of an import.
"""
