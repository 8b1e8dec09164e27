"""Hold a road network: links, arcs, junctions and the points snapped to them."""
