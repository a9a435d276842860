"""A simulated case system (综窗) as its own process: what stands beside a node at most windows.

It speaks to one city's node over HTTP as a foreign system would (docs/spec/systems.md), or, without
an interface, through a watched folder. It shares nothing with the node but the formats.
"""
