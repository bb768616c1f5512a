"""Run an exported file in-process."""

from builder.runtimes.files import open_file
from builder.runtimes.onnx_file import open_onnx, open_session
from builder.runtimes.torchscript_file import as_tensor, open_module, open_torchscript

__all__ = ["as_tensor", "open_file", "open_module", "open_onnx", "open_session", "open_torchscript"]
