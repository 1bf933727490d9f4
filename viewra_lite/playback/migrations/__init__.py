"""History of the playback room's tables: frozen once released."""
