"""History of the media room's tables: frozen once released."""
