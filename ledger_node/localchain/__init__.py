"""A single-node EVM chain for one machine that keeps its data; knows nothing of the rest.

py-evm executes, SQLite keeps, plain JSON-RPC over HTTP on 127.0.0.1 answers. One block is one
SQLite transaction; whatever a client has seen through RPC is on disk already.
Spec: docs/spec/localchain.md.  Why this engine: docs/decisions/0005-local-chain-engine.md.
"""
