"""Run the inner loops of the classic problems."""
