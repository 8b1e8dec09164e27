"""Read here what must be reached: targets, kinds of facilities, and how coverage is counted."""
