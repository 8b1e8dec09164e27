"""Count how many elders live where."""
