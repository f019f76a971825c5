"""The kernel as a witness: it kills a process, and what it starts, at the first socket of the internet."""

from __future__ import annotations

import ctypes
import platform
import struct
import subprocess
import sys
from collections.abc import Callable

from injecting.injection import CannotInjectError

INET, INET6 = 2, 10
DATAGRAM = 2
CALLS = {"x86_64": 41, "aarch64": 198}
"""Machine -> the number of the system call `socket`."""

_LOAD, _AND, _EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 22, 24, 38
_OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def without_internet() -> None:
    """Have the kernel kill this process, and those that it starts, at the first socket of the internet."""
    _watch(
        (_LOAD, 0, 0, 0),  # the number of the call
        (_EQUAL, 0, 3, CALLS[platform.machine()]),
        (_LOAD, 0, 0, 16),  # its first argument, the family of addresses
        (_EQUAL, 2, 0, INET),
        (_EQUAL, 1, 0, INET6),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _KILL),
    )


def without_questions() -> None:
    """The same, but for streams over IPv6, which cannot find a host that nobody was asked for."""
    _watch(
        (_LOAD, 0, 0, 0),
        (_EQUAL, 0, 6, CALLS[platform.machine()]),
        (_LOAD, 0, 0, 16),
        (_EQUAL, 5, 0, INET),
        (_EQUAL, 0, 3, INET6),
        (_LOAD, 0, 0, 24),  # its second argument, the kind of socket and flags
        (_AND, 0, 0, 15),
        (_EQUAL, 1, 0, DATAGRAM),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _KILL),
    )


def without_rights() -> None:
    """Have the programs that this process starts do without root's right to read and write everything."""
    for right in _OVERRIDES:
        _control(_PR_CAPBSET_DROP, ctypes.c_ulong(right))


def _watch(*rules: tuple[int, int, int, int]) -> None:
    """Give the kernel a program that decides about system calls."""
    content = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
    program = _Program(len(rules), ctypes.cast(content, ctypes.c_void_p))
    _control(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1))
    _control(_PR_SET_SECCOMP, ctypes.c_ulong(2), ctypes.byref(program))


def _control(call: int, *arguments: object) -> None:
    system, number = ctypes.CDLL(None, use_errno=True), ctypes.c_ulong
    if system.prctl(call, *arguments, *[number(0)] * (4 - len(arguments))):
        raise OSError(ctypes.get_errno(), "prctl")


def guard() -> Callable[[], None]:
    """`without_internet`.

    Raises:
        CannotInjectError: This kernel does not do it.
    """
    if platform.machine() not in CALLS or sys.platform != "linux":
        raise CannotInjectError("only Linux on x86_64 and aarch64 is asked to watch system calls")
    try:
        subprocess.run([sys.executable, "-c", ""], preexec_fn=without_internet, check=True)
    except subprocess.SubprocessError as error:
        raise CannotInjectError(f"the kernel does not watch system calls here: {error}") from error
    return without_internet
