"""History of the media module's tables: frozen once released."""
