"""What two parts of a config say of one file is said once, with the next step."""

from pathlib import Path

from builder.lint import Target, lint_model
from builder.spec.releases import release

SAMPLE = """
model_warmup {{
  name: "{name}"
  batch_size: {size}
  inputs {{ key: "x" value {{ data_type: TYPE_FP32 dims: [ 4 ] input_data_file: "x.bin" }} }}
}}
"""
CONFIG = """
backend: "python"
max_batch_size: 8
input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }
output { name: "y" data_type: TYPE_FP32 dims: [ 4 ] }
"""
MODEL = """
class TritonPythonModel:
    def execute(self, requests):
        return [None for _ in requests]
"""


def test_two_samples_of_one_short_file_are_one_finding(tmp_path: Path) -> None:
    """It is about the file, and both samples would be told in the same words."""
    model = tmp_path / "m"
    for folder in ("1", "warmup"):
        (model / folder).mkdir(parents=True)
    (model / "config.pbtxt").write_text(
        CONFIG + SAMPLE.format(name="one", size=1) + SAMPLE.format(name="all", size=8)
    )
    (model / "1" / "model.py").write_text(MODEL)
    (model / "warmup" / "x.bin").write_bytes(bytes(15))

    (finding,) = (
        one for one in lint_model(model, Target(release=release("24.10"))).findings if one.code == "C224"
    )

    assert finding.path == str(model / "warmup" / "x.bin")
    assert "expects 16 bytes" in finding.message
    assert finding.fix.startswith("give the file a value for each element")
