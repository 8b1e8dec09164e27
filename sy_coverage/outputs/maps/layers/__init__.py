"""Build what a map draws: areas, points, a user's own layers, and what two plans have in common."""
