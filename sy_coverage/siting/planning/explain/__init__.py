"""Why a site is in a plan, why a unit stays without, what is to be looked at."""
