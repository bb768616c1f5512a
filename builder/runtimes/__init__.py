"""Run an exported file in-process."""

from builder.runtimes.files import open_file
from builder.runtimes.onnx_file import open_onnx
from builder.runtimes.torchscript_file import open_torchscript

__all__ = ["open_file", "open_onnx", "open_torchscript"]
