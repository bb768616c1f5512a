"""Imported once by the fork server of `trb build`: all that every build needs, before the first fork.

A process's first export costs seconds of lazy imports and registries. Where several models are built, one export of a
tiny model pays for that here, on one thread: a pool of threads started before a fork would be missing after it.
"""

import atexit
import contextlib
import gc
import logging
import os
import warnings
from pathlib import Path

import onnx  # noqa: F401
import onnxruntime  # noqa: F401
import onnxscript  # noqa: F401
import torch

import builder.config
import builder.export
import builder.loading.loaded  # noqa: F401


def warm() -> None:
    """Export a tiny model once, quietly."""
    model = torch.nn.Linear(2, 2).eval()
    inputs = (torch.zeros(3, 2),)
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        program = torch.export.export(model, inputs, dynamic_shapes=({0: torch.export.Dim("batch")},))
        torch.onnx.export(program, (), dynamo=True, verbose=False)
        logging.disable(logging.NOTSET)


def end_at_once(server: int) -> None:
    """End the fork server as it is: taking torch apart takes a processor seconds, and saves nothing."""
    if os.getpid() == server:
        os._exit(0)


torch.set_num_threads(1)
if "TRB_WARM_EXPORT" in os.environ:  # this is the fork server
    atexit.register(end_at_once, os.getpid())
if os.environ.get("TRB_WARM_EXPORT"):
    warm()
gc.freeze()  # a fork that looks through these objects finds no garbage, and copies every page of them
gc.enable()
