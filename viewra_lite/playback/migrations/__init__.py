"""History of the playback module's tables: frozen once released."""
