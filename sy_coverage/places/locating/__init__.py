"""Find the place that a name or an address means, and doubt what does not fit."""
