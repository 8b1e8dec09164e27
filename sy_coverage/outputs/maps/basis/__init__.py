"""Hold what every layer of a map needs: words, light geometry, points in time."""
