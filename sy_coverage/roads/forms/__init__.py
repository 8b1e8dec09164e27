"""Take travel times from tables of other programs, and show networks and times in a notebook."""
