"""Read what is asked of a classic problem: terms, forms and decays."""
