"""A process under the limits cannot reach the network, files outside its folder, programs or other processes."""

import errno
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from understudy.compiler.isolation import landlock

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits in full are Linux's")

PRELUDE = """
import json, os, signal, socket, subprocess, sys, threading
from pathlib import Path
from understudy.compiler.isolation.process_limits import Limits, apply

scratch, outside = Path(sys.argv[1]), Path(sys.argv[2])
limits = Limits(memory_bytes=1 << 30, cpu_seconds=30, file_bytes=1 << 20, scratch=scratch)
held = apply(limits, os.getppid())
answers = {"held": held}

def attempt(name, action):
    try:
        answers[name] = repr(action())
    except BaseException as error:
        answers[name] = type(error).__name__
"""


def run_attempts(tmp_path: Path, **attempts: str) -> dict[str, Any]:
    """Run each attempt, a Python expression, in a process under the limits; return its value or its error's name."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "secret").write_text("precious")
    lines = [f"attempt({name!r}, lambda: {code})" for name, code in attempts.items()]
    script = textwrap.dedent(PRELUDE) + "\n".join([*lines, "print(json.dumps(answers))"])
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, scratch, tmp_path],
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "TOKEN": "hidden"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


def test_no_socket_of_any_family_can_be_opened(tmp_path: Path) -> None:
    answers = run_attempts(
        tmp_path,
        tcp="socket.create_connection(('127.0.0.1', 9))",
        udp="socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        inet6="socket.socket(socket.AF_INET6)",
        unix="socket.socket(socket.AF_UNIX)",
        netlink="socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        thread="[t := threading.Thread(target=lambda: attempt('in_thread', socket.socket)), t.start(), t.join()] and 1",
    )
    assert "network" in answers["held"]
    for name in ("tcp", "udp", "inet6", "unix", "netlink", "in_thread"):
        assert answers[name] == "PermissionError", name


@pytest.mark.skipif(landlock.read_abi_version() == 0, reason="this kernel has no Landlock")
def test_files_outside_scratch_can_be_neither_written_nor_read(tmp_path: Path) -> None:
    answers = run_attempts(
        tmp_path,
        write="(outside / 'new').write_text('x')",
        overwrite="(outside / 'secret').write_text('x')",
        delete="(outside / 'secret').unlink()",
        read="(outside / 'secret').read_text()",
        listing="os.listdir(outside)",
        passwords="Path('/etc/passwd').read_text()",
        parent_environment="Path(f'/proc/{os.getppid()}/environ').read_bytes()",
        package="(Path(json.__file__).parent / 'new.py').write_text('x')",
        link="os.symlink(outside / 'secret', scratch / 'alias') or (scratch / 'alias').read_text()",
        inside="(scratch / 'new').write_text('x') and (scratch / 'new').read_text()",
        null="Path(os.devnull).write_text('x')",
        library="__import__('decimal').__name__",
    )
    assert {"filesystem", "programs"} <= set(answers["held"])
    refused = ("write", "overwrite", "delete", "read", "listing", "passwords", "parent_environment", "package", "link")
    for name in refused:
        assert answers[name] == "PermissionError", name
    assert (answers["inside"], answers["null"], answers["library"]) == ("'x'", "1", "'decimal'")
    assert (tmp_path / "secret").read_text() == "precious"


def test_no_program_can_be_started_and_no_other_process_signalled(tmp_path: Path) -> None:
    answers = run_attempts(
        tmp_path,
        program="subprocess.run(['/bin/true'])",
        kill="os.kill(os.getppid(), signal.SIGTERM)",
        escape="os.setsid()",
        trace="__import__('ctypes').CDLL(None).ptrace(16, os.getppid(), 0, 0)",
    )
    assert "programs" in answers["held"]
    assert answers["program"] == "PermissionError"
    assert answers["kill"] == "PermissionError"
    assert answers["escape"] == "PermissionError"
    assert answers["trace"] == "-1"


def test_limits_priority_and_cores_of_other_processes_cannot_be_changed(tmp_path: Path) -> None:
    """Each attempt would set what holds already, so that it changes nothing where it is not refused."""
    answers = run_attempts(
        tmp_path,
        limits="__import__('resource').prlimit(os.getppid(), __import__('resource').RLIMIT_CORE)",
        priority="os.setpriority(os.PRIO_PROCESS, os.getppid(), os.getpriority(os.PRIO_PROCESS, os.getppid()))",
        priorities="os.setpriority(os.PRIO_PGRP, 0, os.getpriority(os.PRIO_PROCESS, os.getppid()))",
        cores="os.sched_setaffinity(os.getppid(), os.sched_getaffinity(os.getppid()))",
        policy="os.sched_setscheduler(os.getppid(), os.SCHED_OTHER, os.sched_param(0))",
        own_limits="__import__('resource').getrlimit(__import__('resource').RLIMIT_CPU)",
        own_priority="os.nice(1) > 0",
        own_cores="os.sched_setaffinity(0, os.sched_getaffinity(0))",
    )
    for name in ("limits", "priority", "priorities", "cores", "policy"):
        assert answers[name] == "PermissionError", name
    assert (answers["own_limits"], answers["own_priority"], answers["own_cores"]) == ("(30, 35)", "True", "None")


def test_no_memory_can_be_made_that_outlives_the_process(tmp_path: Path) -> None:
    """Without IPC_CREAT nothing is made where the call is not refused: it then finds nothing under the key."""
    call = "[c := __import__('ctypes'), l := c.CDLL(None, use_errno=True), l.{}, c.get_errno()][2:]"
    answers = run_attempts(
        tmp_path,
        memory=call.format("shmget(0x7E57, 4096, 0)"),
        queue=call.format("msgget(0x7E57, 0)"),
        lock=call.format("semget(0x7E57, 1, 0)"),
    )
    for name in ("memory", "queue", "lock"):
        assert answers[name] == f"[-1, {errno.EACCES}]", name


def test_processes_can_be_forbidden_and_threads_go_on(tmp_path: Path) -> None:
    answers = run_attempts(
        tmp_path,
        before="(pid := os.fork()) or os._exit(0)",
        forbid="__import__('understudy.compiler.isolation.seccomp').compiler.isolation.seccomp.forbid_processes()",
        after="os.fork() or os._exit(0)",
        thread="[t := threading.Thread(target=lambda: attempt('in_thread', os.fork)), t.start(), t.join()] and 1",
    )
    assert answers["before"].isdigit()
    assert (answers["forbid"], answers["after"]) == ("None", "PermissionError")
    assert (answers["thread"], answers["in_thread"]) == ("1", "PermissionError")


def test_memory_file_size_and_open_files_are_limited(tmp_path: Path) -> None:
    answers = run_attempts(
        tmp_path,
        memory="len(bytearray(2 << 30))",
        file="(scratch / 'large').write_bytes(bytes(2 << 20))",
        handles="[os.open('/dev/zero', os.O_RDONLY) for _ in range(2000)]",
    )
    assert {"memory", "cpu", "file_size", "open_files", "core_dumps"} <= set(answers["held"])
    assert (answers["memory"], answers["file"], answers["handles"]) == ("MemoryError", "OSError", "OSError")


def test_every_limit_this_kernel_can_give_is_reported(tmp_path: Path) -> None:
    held = set(run_attempts(tmp_path)["held"])
    expected = {"memory", "cpu", "file_size", "open_files", "core_dumps", "network", "programs"}
    if landlock.read_abi_version() >= 1:
        expected |= {"filesystem"}
    if landlock.read_abi_version() >= 6:
        expected |= {"signals"}
    assert held == expected


def test_a_child_whose_parent_has_ended_exits(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from understudy.compiler.isolation.process_limits import *; "
        "apply(Limits(memory_bytes=1<<30, cpu_seconds=9, file_bytes=9, scratch=Path(sys.argv[1])), 1)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, tmp_path],
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert os.getpid() != 1
    assert done.returncode == 1
    assert "has ended" in done.stderr
