"""`python -m ledger_node.cli`: the same as the `tongban` script."""

from ledger_node.cli import main

main()
