"""Draw what can be reached within so many minutes."""
