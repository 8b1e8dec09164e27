"""Hand over what planners take away: maps, figures, tables and proposals."""
