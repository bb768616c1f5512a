"""Imported once by the fork server of `trb build`: all that every build needs, before the first fork.

Only imports: a thread started here would be missing in the forks.
"""

import onnx  # noqa: F401
import onnxruntime  # noqa: F401
import onnxscript  # noqa: F401
import torch
import torch.export
import torch.onnx

import builder.config
import builder.export
import builder.loading  # noqa: F401

torch.set_num_threads(1)
