"""Take each step of a study: lists, demand, roads, times, coverage."""
