"""The conformance suite of document stores against a real S3 server and a real IPFS node."""

from __future__ import annotations

from tests.conformance.documents import test_document_port as suite

globals().update({name: each for name, each in vars(suite).items() if name.startswith("test_")})
