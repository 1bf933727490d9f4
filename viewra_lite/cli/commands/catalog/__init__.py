"""Commands about libraries and what they hold."""
