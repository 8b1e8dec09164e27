"""Read roads from where they come: OpenStreetMap files and servers, edges, graphs."""
