"""Measure side by side what PERFORMANCE promises: one module a room."""
