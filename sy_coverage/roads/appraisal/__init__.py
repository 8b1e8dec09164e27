"""Appraise a network: against minutes that were measured, and by whom a ferry serves."""
