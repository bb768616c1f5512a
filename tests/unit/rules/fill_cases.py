"""Configs, and what the server was seen to fill into them; tests/live asks it."""

from typing import NamedTuple

UNKNOWN = "Could not determine backend for model '"


class Fill(NamedTuple):
    """A config, what stands in the first subfolder, and what becomes of the config."""

    text: str
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    filled: tuple[str, str, str] = ("", "", "")
    """Backend, platform and file name."""
    words: str = ""
    """The refusal of the server; empty: it takes what is filled in."""
    name: str = "M"


ONNX = ("onnxruntime", "onnxruntime_onnx", "model.onnx")
TORCH = ("pytorch", "pytorch_libtorch", "model.pt")
PLAN = ("tensorrt", "tensorrt_plan", "model.plan")
GRAPHDEF = ("tensorflow", "tensorflow_graphdef", "model.graphdef")
SAVEDMODEL = ("tensorflow", "tensorflow_savedmodel", "model.savedmodel")
OPENVINO = ("openvino", "", "model.xml")
PYTHON = ("python", "", "model.py")

FILLS = [
    Fill("", files=("model.onnx",), filled=ONNX),
    Fill("", folders=("model.onnx",), filled=ONNX),
    Fill("", files=("model.pt",), filled=TORCH),
    Fill("", folders=("model.pt",), words=UNKNOWN),
    Fill("", files=("model.plan",), filled=PLAN),
    Fill("", folders=("model.plan",), words=UNKNOWN),
    Fill("", files=("model.xml",), filled=OPENVINO),
    Fill("", files=("model.py",), filled=PYTHON),
    Fill("", files=("model.graphdef",), filled=GRAPHDEF),
    Fill("", folders=("model.savedmodel",), filled=SAVEDMODEL),
    Fill("", files=("model.savedmodel",), words=UNKNOWN),
    Fill("", files=("model.graphdef",), folders=("model.savedmodel",), filled=GRAPHDEF),
    Fill("", files=("model.py", "model.pt", "model.onnx"), filled=ONNX),
    Fill("", files=("model.py", "model.pt", "model.xml"), filled=OPENVINO),
    Fill("", files=("model.onnx", "model.plan"), filled=PLAN),
    Fill("", files=("model.pt2",), words=UNKNOWN),
    Fill("", files=("other.onnx",), words=UNKNOWN),
    Fill("", words=UNKNOWN),
    Fill('backend: "onnxruntime"', filled=ONNX),
    Fill('backend: "onnxruntime"', files=("model.pt",), filled=ONNX),
    Fill('backend: "pytorch"', filled=TORCH),
    Fill('backend: "pytorch" runtime: "model.py"', filled=("pytorch", "pytorch_libtorch", "")),
    Fill('backend: "python"', filled=PYTHON),
    Fill('backend: "openvino"', filled=OPENVINO),
    Fill('backend: "tiny"', files=("model.onnx",), filled=("tiny", "", "")),
    Fill('backend: "libtorch"', files=("model.pt",), filled=("libtorch", "", "")),
    Fill('backend: "tensorflow"', words="unexpected 'platform' and 'backend' pair, got:, tensorflow"),
    Fill('backend: "tensorflow"', files=("model.graphdef",), filled=GRAPHDEF),
    Fill('backend: "tiny" platform: "tensorflow_graphdef"', filled=("tiny", *GRAPHDEF[1:])),
    Fill('platform: "onnxruntime_onnx"', filled=ONNX),
    Fill('platform: "pytorch_libtorch"', files=("model.onnx",), filled=TORCH),
    Fill('platform: "tensorrt_plan"', filled=PLAN),
    Fill('platform: "tensorflow_savedmodel"', filled=SAVEDMODEL),
    Fill('platform: "torch_aoti"', words="unexpected platform type 'torch_aoti' for "),
    Fill('platform: "libtorch"', files=("model.pt",), words="unexpected platform type 'libtorch' for "),
    Fill('default_model_filename: "model.onnx"', filled=ONNX),
    Fill('default_model_filename: "model.py"', files=("model.onnx",), filled=PYTHON),
    Fill('default_model_filename: "a.onnx"', files=("a.onnx",), words="unexpected platform type '' for "),
    Fill('default_model_filename: "a.onnx" backend: "onnxruntime"', filled=(*ONNX[:2], "a.onnx")),
    Fill("", name="a.tiny", filled=("tiny", "", "model.tiny")),
    Fill("", name="a.tiny", files=("model.onnx",), filled=ONNX),
    Fill("", name="a.x.y", filled=("x.y", "", "model.x.y")),
    Fill("", name="a.pytorch", words="unexpected 'platform' and 'backend' pair, got:, pytorch"),
    Fill("", name="a.", words="unexpected platform type '' for a."),
]
