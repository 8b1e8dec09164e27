"""Fit the roads of a study to observed times, and show what is left."""
