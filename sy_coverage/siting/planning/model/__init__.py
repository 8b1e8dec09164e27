"""Put the policy's rules into one program that a solver reads."""
