"""Roads of a study: the network, minutes, and who lives off every road."""
