"""Import what people have watched elsewhere, and take a user's own data along.

record.py: what one row says. reading.py: bytes to rows. formats/: which program wrote it.
matching.py: which work a row means. applying.py: batches of rows. log.py: what an import did.
"""
