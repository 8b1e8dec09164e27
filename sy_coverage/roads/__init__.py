"""Compute how people get there: road networks, travel times and catchments."""
