"""Make and price the sites that a plan can choose from."""
