"""What a container says, written to a file while it says it."""

import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builder.server.docker.failures import RAISED
from builder.server.docker.signals import ENDING
from builder.server.logs import hold

if TYPE_CHECKING:
    from docker.models.containers import Container

_LAST_WORDS_S: Final = 5.0


class Follower:
    """Copies the output of a container that runs to a file until it ends."""

    def __init__(self, container: "Container", log: Path) -> None:
        """Follow `container` from its first word."""
        self._thread = threading.Thread(target=_follow, args=(container, log), daemon=True)
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing more to come: the container has ended, the daemon has gone, or the disk is full."""
        return not self._thread.is_alive()

    def finish(self, timeout_s: float = _LAST_WORDS_S) -> None:
        """Wait until the last words of a container that has ended are in the file."""
        self._thread.join(timeout_s)


def _follow(container: "Container", log: Path) -> None:
    # They are for the main thread, which may be waiting for one.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    # A full disk costs the log, and neither the server nor a traceback.
    with suppress(OSError), log.open("ab", buffering=0) as file:
        with suppress(OSError):  # some network disks know no locks
            hold(file.fileno())
        try:
            for chunk in container.logs(stream=True, follow=True):
                file.write(chunk)
        except RAISED as error:
            file.write(f"[trb] the log ends here: {error}\n".encode())
