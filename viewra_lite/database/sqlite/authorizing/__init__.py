"""What SQLite's authorizer refuses: to migration scripts, and to the code of plugins."""
