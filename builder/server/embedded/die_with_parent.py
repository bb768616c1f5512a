"""Become a program that the kernel kills when its parent dies.

Run as `python die_with_parent.py PARENT_PID PROGRAM ARGS...`, before the program rather than between fork and
exec, where Python may not run safely beside other threads.
"""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Ask for the signal, then replace this process by the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 - a shell would stand between us and the signal


if __name__ == "__main__":
    main()
