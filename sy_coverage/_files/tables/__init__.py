"""Read the tables and layers of one kind of file after another, as text cells."""
