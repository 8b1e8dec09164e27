"""Recount a classic plan from the times alone, and settle which of equal plans is taken."""
