"""Tongban node: registers, anchors, finds, releases and replays materials of one city."""
