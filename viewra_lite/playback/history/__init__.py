"""The history of plays, its archive and its statistics."""
