"""Helpers shared by tests of several rooms: a consortium of real nodes on a real local chain."""
