"""How far each user is."""
