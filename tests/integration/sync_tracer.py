"""Counts fsync and fdatasync calls of a program by file, through ptrace.

A tracer of its own rather than strace, which may not be installed where the tests run, and rather
than wrapping `os.fsync`, which SQLite never calls. Linux only (PTRACE_GET_SYSCALL_INFO, 5.3).
Run as a program: `sync_tracer.py PROGRAM ARGUMENT…`; the traced program's output passes through,
the counts follow as one line of JSON `{"<path>": calls}` on standard error.
"""

from __future__ import annotations

import collections
import ctypes
import json
import os
import signal
import sys

PTRACE_TRACEME, PTRACE_CONT, PTRACE_SYSCALL = 0, 7, 24
PTRACE_SETOPTIONS, PTRACE_GETEVENTMSG, PTRACE_GET_SYSCALL_INFO = 0x4200, 0x4201, 0x420E
TRACE_SYSGOOD, TRACE_CLONE, TRACE_EXITKILL = 0x1, 0x8, 0x100000
WALL = 0x40000000
SYSCALL_STOP = signal.SIGTRAP | 0x80
ENTRY = 1

# Numbers of (fsync, fdatasync) by machine, from the kernel's tables.
SYNC_CALLS = {"x86_64": (74, 75), "aarch64": (82, 83)}


class SyscallInfo(ctypes.Structure):
    """struct ptrace_syscall_info as far as it is read here (entry)."""

    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction_pointer", ctypes.c_uint64),
        ("stack_pointer", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
        ("tail", ctypes.c_uint64 * 4),
    )


libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
libc.ptrace.restype = ctypes.c_long


def ptrace(request: int, pid: int, address: int = 0, data: object = 0) -> int:
    return int(libc.ptrace(request, pid, address, data))


def start(arguments: list[str]) -> int:
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        ptrace(PTRACE_SETOPTIONS, pid, 0, TRACE_SYSGOOD | TRACE_CLONE | TRACE_EXITKILL)
        return pid
    ptrace(PTRACE_TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    os.execv(arguments[0], arguments)
    return None


def count_syncs(arguments: list[str]) -> tuple[int, collections.Counter[str]]:
    """Run a program to its end; returns its exit status and the calls by file."""
    wanted = SYNC_CALLS[os.uname().machine]
    counts: collections.Counter[str] = collections.Counter()
    main = start(arguments)
    status_of_main = -1
    info = SyscallInfo()
    ptrace(PTRACE_SYSCALL, main)
    while True:
        try:
            thread, status = os.waitpid(-1, WALL)
        except ChildProcessError:
            return status_of_main, counts
        if not os.WIFSTOPPED(status):
            if thread == main:
                status_of_main = os.waitstatus_to_exitcode(status)
            continue
        stop = os.WSTOPSIG(status)
        passed_on = 0
        if stop == SYSCALL_STOP:
            ptrace(PTRACE_GET_SYSCALL_INFO, thread, ctypes.sizeof(info), ctypes.byref(info))
            if info.op == ENTRY and info.number in wanted:
                link = f"/proc/{thread}/fd/{info.arguments[0]}"
                counts[os.readlink(link)] += 1
        elif stop not in (signal.SIGTRAP, signal.SIGSTOP):
            passed_on = stop
        ptrace(PTRACE_SYSCALL, thread, 0, passed_on)


if __name__ == "__main__":
    exit_status, found = count_syncs(sys.argv[1:])
    print(json.dumps(found), file=sys.stderr)
    sys.exit(exit_status)
