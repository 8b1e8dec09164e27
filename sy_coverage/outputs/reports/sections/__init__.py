"""Write each section of a proposal: where a county stands, what the plan brings, and how it is proved."""
