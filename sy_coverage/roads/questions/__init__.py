"""Answer what a road network is asked: minutes, the nearest, catchments, a way."""
