"""How a store comes to this version."""
