"""A process that answers with the Python function of a version folder, and has nothing of the project but that folder.

Started by path, so that it knows no builder: `python python_child.py FOLDER DESCRIPTOR`.
"""

import os
import sys
import threading
from importlib.util import module_from_spec, spec_from_file_location
from multiprocessing.connection import Connection
from pathlib import Path


def main(folder: Path, descriptor: int) -> None:
    """Answer what comes over `descriptor` until its other end closes."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.dup2(2, 1)  # what the function prints is for the log
    sys.path.append(str(folder))
    channel = Connection(descriptor)
    try:
        spec = spec_from_file_location("served", folder / "model.py")
        assert spec is not None
        assert spec.loader is not None
        model = module_from_spec(spec)
        spec.loader.exec_module(model)
        served = model.STEP.open(folder)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code raises anything
        channel.send(("refused", type(error).__name__, str(error), getattr(error, "name", None)))
        return
    channel.send(("open",))
    while True:
        try:
            feed = channel.recv()
        except EOFError:
            return
        try:
            channel.send(("answer", served.answer(feed)))
        except model.Failed as failure:
            channel.send(("failed", str(failure)))


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
