"""Road pieces: joined into chains, slowed by slopes and junctions, and the turns between them."""
