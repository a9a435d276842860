"""The chain edge: an EVM node behind JSON-RPC, and the contracts as typed calls (steps 4 to 11).

`rpc.py` asks and believes only answers to its own questions, `answers.py` slices them,
`client.py` is `ports.chain.Chain`, `contracts.py` is `ports.contracts.Contracts`, `errors.py`
maps revert selectors to typed errors.
"""
