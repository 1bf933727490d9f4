"""Migration scripts, the migrator that applies them, and the schema as SQL."""
