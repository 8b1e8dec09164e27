"""Ask about cells that can be read in more than one way, and take what was answered."""
