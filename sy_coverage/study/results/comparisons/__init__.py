"""Set beside a plan what other readings, other settings and other questions give."""
