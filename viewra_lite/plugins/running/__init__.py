"""How plugins run, and the states that come of it."""
