"""Build here, part by part, the sample that ships with the package."""
