"""The story of one material through five cities, told step by step, and attempts to cheat."""
