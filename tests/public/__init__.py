"""What a newcomer meets first: the names, the docstrings, the pages."""
