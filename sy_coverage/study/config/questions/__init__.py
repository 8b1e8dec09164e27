"""Look up what a study file asks for: one module a section."""
