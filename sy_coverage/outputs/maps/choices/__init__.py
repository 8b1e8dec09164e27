"""Pack what a page needs to answer what would be if."""
