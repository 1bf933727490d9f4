"""History of the plugins room's tables: frozen once released."""
