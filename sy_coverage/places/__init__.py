"""Bring in who and what is where: units, facilities, candidates and demand, with every doubt said."""
