"""Speak to the solver: programs, stages, limits of time and memory."""
