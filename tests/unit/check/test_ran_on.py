from builder.check.ran_on import is_version, ran_on
from builder.spec.project import Backend
from builder.spec.releases import release

TARGET = release("24.10")


def test_the_targets_own_versions_leave_only_the_stand_in_unproven():
    """With the target's core and ONNX Runtime, what is not proven is Triton's own backend, and that is told."""
    found = ran_on(Backend.ONNX, TARGET.server, {"onnxruntime": TARGET.onnxruntime}, TARGET, stand_in=True)

    assert found.runtime == f"onnxruntime {TARGET.onnxruntime} (stand-in)"
    assert len(found.not_proven) == 1
    assert "onnxruntime backend: our stand-in" in found.not_proven[0]


def test_every_other_version_is_told():
    """Another core and another torch than the target's are one sentence each."""
    found = ran_on(Backend.TORCHSCRIPT, "2.60.0", {"torch": "2.13.0+cpu"}, TARGET, stand_in=False)

    assert len(found.not_proven) == 2
    assert "2.60.0 answered" in found.not_proven[0]
    assert "2.13.0+cpu" in found.not_proven[1]


def test_a_server_that_does_not_tell_is_not_proven():
    """A server of somebody else's has an unknown runtime, which proves nothing about the target's."""
    found = ran_on(Backend.ONNX, TARGET.server, {}, TARGET, stand_in=False)

    assert found.runtime == "unknown"
    assert len(found.not_proven) == 1


def test_a_version_is_its_public_part_as_far_as_the_target_goes():
    """2.5.1+cpu is a 2.5, 2.13.0 and 2.50 are not."""
    assert is_version("2.5.1+cpu", "2.5")
    assert is_version("2.5", "2.5")
    assert not is_version("2.13.0", "2.5")
    assert not is_version("2.50.0", "2.5")


def test_a_python_function_ran_in_tritons_own_backend():
    """What is not proven is the image's Python; no stand-in is spoken of."""
    runtime = {"python": "3.11.7", "numpy": "1.26.4"}
    found = ran_on(Backend.PYTHON, TARGET.server, runtime, TARGET, stand_in=False)

    assert found.runtime == "python 3.11.7, numpy 1.26.4"
    assert found.not_proven == (f"on python {TARGET.python} of release 24.10: the server ran 3.11.7",)
