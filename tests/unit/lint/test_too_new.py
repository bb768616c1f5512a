"""A file that is too new for the release names the release that is not too old for it."""

from pathlib import Path

import pytest

from builder.lint import Target
from builder.lint.model import lint_model
from builder.spec.releases import release
from tests.lint.case import write_onnx


@pytest.mark.parametrize(
    ("target", "opset", "ir", "code", "first"),
    [
        ("24.10", 22, 10, "O103", "25.03"),
        ("24.04", 21, 9, "O103", "24.05"),
        ("24.10", 18, 11, "O104", "25.08"),
        ("23.04", 18, 9, "O104", "23.05"),
    ],
)
def test_the_first_release_that_loads_it_is_named(
    target: str, opset: int, ir: int, code: str, first: str, tmp_path: Path
) -> None:
    """The fix of an opset or IR beyond the release names the limits and the oldest release that takes the file."""
    model = tmp_path / "m"
    (model / "1").mkdir(parents=True)
    (model / "config.pbtxt").write_text('backend: "onnxruntime"')
    stamp = f'<ir_version: {ir}, opset_import: ["": {opset}]>'
    write_onnx(model / "1" / "model.onnx", f"{stamp} g (float[N] x) => (float[N] y) {{ y = Relu(x) }}")

    (finding,) = lint_model(model, Target(release=release(target))).findings
    wanted = release(target)

    assert finding.code == code
    assert f"opset {wanted.max_opset} and IR {wanted.max_ir} at most" in finding.fix
    assert f"Triton {first}, the first that loads it" in finding.fix
    assert lint_model(model, Target(release=release(first))).findings == ()
