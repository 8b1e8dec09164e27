"""Look up what a study file says of its inputs: one module a section."""
