"""Who has which connection, and for how long."""
