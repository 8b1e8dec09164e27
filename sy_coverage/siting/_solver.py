"""Speak to HiGHS: build a sparse model, solve it, and believe nothing the solver says without its status."""
