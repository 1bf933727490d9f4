"""Maintenance: what a store can say about itself."""
