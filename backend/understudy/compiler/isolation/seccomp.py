"""Denies this process network, programs and rarely needed system calls, by a seccomp filter (Linux; seccomp(2))."""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterable, Sequence
from itertools import chain

from understudy.compiler.isolation.landlock import forbid_new_privileges

_PR_SET_SECCOMP, _PR_GET_SECCOMP, _MODE_FILTER = 22, 21, 2
_LOAD_WORD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_WITH, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # places in struct seccomp_data; an argument has 8 bytes
_REFUSE = -1  # a jump to the last line
_X32_BIT = 0x40000000  # the x32 interface has the same calls under other numbers

# audit architecture, then: socket, execve, execveat, kill, ptrace, mount, umount2, pivot_root, unshare, setns, bpf,
# keyctl, perf_event_open, userfaultfd, process_vm_readv, process_vm_writev, open_by_handle_at, pidfd_send_signal,
# pidfd_getfd, io_uring_setup, setsid, setpgid (the parent ends the whole process group), shmget, semget, msgget,
# mq_open (they outlive this process), sched_setscheduler, sched_setparam, sched_setattr, ioprio_set, migrate_pages,
# move_pages
_TABLES: dict[str, tuple[int, tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E,
        (
            *(41, 59, 322, 62, 101, 165, 166, 155, 272, 308, 321, 250, 298, 323, 310, 311, 304, 424, 438, 425, 112),
            *(109, 29, 64, 68, 240, 144, 142, 314, 251, 256, 279),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (
            *(198, 221, 281, 129, 117, 40, 39, 41, 97, 268, 280, 219, 241, 282, 270, 271, 265, 424, 438, 425, 157),
            *(154, 194, 190, 186, 180, 119, 118, 274, 30, 238, 239),
        ),
    ),
}
# Calls that a process may make for itself only, with the arguments that must be 0 then: prlimit64 and sched_setaffinity
# (process), setpriority (kind, process).
_OWN: dict[str, tuple[tuple[int, tuple[int, ...]], ...]] = {
    "x86_64": ((302, (0,)), (203, (0,)), (141, (0, 1))),
    "aarch64": ((261, (0,)), (122, (0,)), (140, (0, 1))),
}
# fork, vfork, clone, clone3; aarch64 has only the last two.
_FORKS = {"x86_64": ((57, 58), 56, 435), "aarch64": ((), 220, 435)}
_CLONE_THREAD = 0x10000

_Line = tuple[int, int, int, int]  # code, value, lines to skip if true and if false


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def _build_filter(architecture: int, refused: Iterable[int], *blocks: Sequence[_Line]) -> bytes:
    """Return the filter as classic BPF over struct seccomp_data. A block answers one call, and passes the others on."""
    lines: list[_Line] = [
        (_LOAD_WORD, _ARCHITECTURE, 0, 0),
        (_JUMP_EQUAL, architecture, 1, 0),
        (_RETURN, _KILL, 0, 0),
        (_LOAD_WORD, _NUMBER, 0, 0),
        (_JUMP_AT_LEAST, _X32_BIT, _REFUSE, 0),
        *((_JUMP_EQUAL, number, _REFUSE, 0) for number in refused),
        *chain.from_iterable(blocks),
        (_RETURN, _ALLOW, 0, 0),
        (_RETURN, _ERRNO | errno.EACCES, 0, 0),
    ]
    code = b""
    for left, (operation, value, *jumps) in zip(reversed(range(len(lines))), lines, strict=True):
        code += struct.pack("=HBBI", operation, *(left - 1 if jump == _REFUSE else jump for jump in jumps), value)
    return code


def _allow_where_zero(number: int, arguments: Sequence[int]) -> list[_Line]:
    """Return the block that allows a call whose `arguments` are 0, and refuses it otherwise."""
    tests = [
        line
        for argument in arguments
        for line in ((_LOAD_WORD, _ARGUMENTS + 8 * argument, 0, 0), (_JUMP_EQUAL, 0, 0, _REFUSE))
    ]
    return [(_JUMP_EQUAL, number, 0, len(tests) + 1), *tests, (_RETURN, _ALLOW, 0, 0)]


def apply() -> tuple[str, ...]:
    """Install the filter for this thread and all it will start, and return the names of the limits that hold.

    On other systems and processors it does nothing and returns no name. Raises OSError when the kernel refuses.
    """
    machine = platform.machine()
    if not _is_known(machine):
        return ()
    own = (_allow_where_zero(number, arguments) for number, arguments in _OWN[machine])
    _install(_build_filter(*_TABLES[machine], *own))
    return ("network", "programs")


def forbid_processes() -> None:
    """Refuse new processes to this thread and all it will start; threads are no processes.

    What this process starts would outlive it. On other systems and processors it does nothing. Raises OSError when the
    kernel refuses.
    """
    machine = platform.machine()
    if not _is_known(machine):
        return
    forks, clone, clone3 = _FORKS[machine]
    threads = [
        (_JUMP_EQUAL, clone, 0, 3),
        (_LOAD_WORD, _ARGUMENTS, 0, 0),
        (_JUMP_WITH, _CLONE_THREAD, 0, _REFUSE),
        (_RETURN, _ALLOW, 0, 0),
    ]
    # A filter cannot see the flags of clone3; without it, libraries use clone.
    missing = [(_JUMP_EQUAL, clone3, 0, 1), (_RETURN, _ERRNO | errno.ENOSYS, 0, 0)]
    _install(_build_filter(_TABLES[machine][0], forks, threads, missing))


def _is_known(machine: str) -> bool:
    """Return whether this system has filters, and this module the numbers of its calls."""
    if sys.platform != "linux" or sys.maxsize <= 1 << 32 or machine not in _TABLES:
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0)


def _install(code: bytes) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    forbid_new_privileges()
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl(PR_SET_SECCOMP): {os.strerror(number)}")
