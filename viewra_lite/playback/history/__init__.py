"""What was played, and how often."""
