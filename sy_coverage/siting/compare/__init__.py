"""What else could be done: what more money buys, other readings, two plans side by side."""
