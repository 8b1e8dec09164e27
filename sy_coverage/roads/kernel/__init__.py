"""Search the road network for minutes, exactly."""
