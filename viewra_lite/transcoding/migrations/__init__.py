"""History of the transcoding module's tables: frozen once released."""
