"""Make another network from one: roads added, closed or slowed, other speeds."""
