"""Say where a point, a shape or a named unit lies."""
