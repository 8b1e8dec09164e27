"""Recount a policy plan without the solver, and try to beat it."""
