"""History of the plugins module's tables: frozen once released."""
