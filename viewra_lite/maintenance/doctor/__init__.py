"""Doctor: findings about a store, and their remedies."""
