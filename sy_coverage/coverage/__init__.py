"""Measure what is reached today: presence and access by unit, accessibility, equity, and the scorecard."""
