"""Limits the files that this process may use, by Landlock (Linux 5.13 and later; landlock(7))."""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

_WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
_READ = _READ_FILE | _READ_DIR
_FILE_ONLY = _WRITE_FILE | _READ_FILE | _TRUNCATE | 1
_RIGHTS_BY_ABI = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
_NET_ABI, _SCOPE_ABI = 4, 6
_BOTH = 0b11  # TCP bind and connect; abstract sockets and signals


def _load_libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check_result(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def read_abi_version() -> int:
    """Return the kernel's Landlock version; 0 without Landlock."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_load_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)))


def forbid_new_privileges() -> None:
    """Give up gaining rights by exec, as Landlock and seccomp require; raises OSError when the kernel refuses."""
    _check_result(_load_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")


def restrict(readable: Iterable[Path], writable: Iterable[Path]) -> tuple[str, ...]:
    """Deny this process all files except `readable` and `writable` (and all below them), programs, TCP and signals.

    Returns the names of the limits that hold, which depend on the kernel's Landlock version; none without Landlock.
    Paths that do not exist are skipped. Raises OSError when a kernel with Landlock refuses.
    """
    version = read_abi_version()
    if version == 0:
        return ()
    handled = sum(rights for since, rights in _RIGHTS_BY_ABI if version >= since)
    fields = [handled]
    if version >= _NET_ABI:
        fields.append(_BOTH)
    if version >= _SCOPE_ABI:
        fields.append(_BOTH)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    libc = _load_libc()
    ruleset = _check_result(
        libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0), "landlock_create_ruleset"
    )
    try:
        rules = [(path, _READ) for path in readable] + [(path, handled & ~1) for path in writable]
        for path, rights in rules:
            _allow(libc, ruleset, path, rights & handled)
        forbid_new_privileges()
        _check_result(libc.syscall(_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
    finally:
        os.close(ruleset)
    held = ["filesystem", "programs"]
    return (*held, "signals") if version >= _SCOPE_ABI else tuple(held)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not path.is_dir():
            rights &= _FILE_ONLY
        rule = struct.pack("=Qi", rights, handle)
        _check_result(libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0), f"landlock_add_rule({path})")
    finally:
        os.close(handle)
