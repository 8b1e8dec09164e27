"""Decide what to open next, with proof and reasons."""
