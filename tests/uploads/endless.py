"""An inspecting process that a file keeps busy for ever; bounded like the real one."""

from ledger_node.edges.rendering import inspect_worker

if __name__ == "__main__":
    inspect_worker.CPU_S = 1
    inspect_worker.limit()
    while True:
        pass
