"""History of maintenance's tables: frozen once released."""
