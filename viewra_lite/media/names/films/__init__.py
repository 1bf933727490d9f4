"""Names of films and of their extras."""
