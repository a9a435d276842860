"""The device bridge: card reader, camera, scanner, signature pad and slip printer of one window.

A process of its own on the window's machine, reached by the console's pages over the loopback. It
knows nothing of the rest of the program, keeps nothing on disk, and writes no personal data to any
log. Spec: docs/spec/devices.md.
"""
