"""Denies this process network, programs and rarely needed system calls, by a seccomp filter (Linux; seccomp(2))."""

import ctypes
import errno
import os
import platform
import struct
import sys

from understudy.compiler.isolation.landlock import forbid_new_privileges

_PR_SET_SECCOMP, _PR_GET_SECCOMP, _MODE_FILTER = 22, 21, 2
_LOAD_WORD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_X32_BIT = 0x40000000  # the x32 interface has the same calls under other numbers

# audit architecture, then: socket, execve, execveat, kill, ptrace, mount, umount2, pivot_root, unshare, setns, bpf,
# keyctl, perf_event_open, userfaultfd, process_vm_readv, process_vm_writev, open_by_handle_at, pidfd_send_signal,
# pidfd_getfd, io_uring_setup, setsid, setpgid (the parent ends the whole process group)
_TABLES: dict[str, tuple[int, tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E,
        (41, 59, 322, 62, 101, 165, 166, 155, 272, 308, 321, 250, 298, 323, 310, 311, 304, 424, 438, 425, 112, 109),
    ),
    "aarch64": (
        0xC00000B7,
        (198, 221, 281, 129, 117, 40, 39, 41, 97, 268, 280, 219, 241, 282, 270, 271, 265, 424, 438, 425, 157, 154),
    ),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def _encode_instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _build_filter(architecture: int, refused: tuple[int, ...]) -> bytes:
    """Return the filter as classic BPF over struct seccomp_data (system call number at 0, architecture at 4)."""
    lines = [
        _encode_instruction(_LOAD_WORD, 4),
        _encode_instruction(_JUMP_EQUAL, architecture, 1, 0),
        _encode_instruction(_RETURN, _KILL),
        _encode_instruction(_LOAD_WORD, 0),
        _encode_instruction(_JUMP_AT_LEAST, _X32_BIT, len(refused) + 1, 0),
    ]
    lines += [_encode_instruction(_JUMP_EQUAL, number, len(refused) - index) for index, number in enumerate(refused)]
    lines += [_encode_instruction(_RETURN, _ALLOW), _encode_instruction(_RETURN, _ERRNO | errno.EACCES)]
    return b"".join(lines)


def apply() -> tuple[str, ...]:
    """Install the filter for this thread and all it will start, and return the names of the limits that hold.

    On other systems and processors it does nothing and returns no name. Raises OSError when the kernel refuses.
    """
    table = _TABLES.get(platform.machine()) if sys.platform == "linux" and sys.maxsize > 1 << 32 else None
    libc = ctypes.CDLL(None, use_errno=True) if table else None
    if table is None or libc is None or libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) < 0:
        return ()
    code = _build_filter(*table)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    forbid_new_privileges()
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl(PR_SET_SECCOMP): {os.strerror(number)}")
    return ("network", "programs")
