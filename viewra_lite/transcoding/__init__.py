"""What is being transcoded, and what has been."""
