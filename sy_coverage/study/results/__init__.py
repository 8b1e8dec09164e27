"""Gather what a study came to, and write it."""
