"""Search for the best sites of a classic problem, and bound what is left."""
