"""History of the transcoding room's tables: frozen once released."""
