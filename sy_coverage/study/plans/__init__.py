"""Make plans beside the plan: other scopes, other rules, side by side."""
