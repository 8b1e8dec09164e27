"""Write numbers, dates and words the way planners read them."""
