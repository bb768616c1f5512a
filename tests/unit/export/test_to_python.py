"""A Python function as files that are the same wherever they are made."""

import json
import sys
from pathlib import Path

import pytest

from builder.errors import ExportError
from builder.export import export
from builder.export.python_wheels import platforms
from builder.spec.artifact import Provenance
from builder.spec.dtypes import DType
from builder.spec.hashing import file_sha256
from builder.spec.loaded import Fingerprint, Loaded, PythonCode
from builder.spec.project import Backend, Input, Model
from builder.spec.releases import release
from builder.spec.tensors import Signature, Tensor

INPUT = Tensor(name="text", dtype=DType.STRING, shape=("batch",))


def function(folder: Path, dtype: DType = DType.INT64) -> Loaded:
    """A project in `folder`, loaded."""
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "clean.py").write_text("def clean(text): return text\n")
    (folder / "words.txt").write_text("a\n")
    (folder / "steps.py").write_text("from inner.clean import clean\n")
    return Loaded(
        name="it's",
        model=Model(
            source="steps:length",
            inputs={"text": Input(dtype=DType.STRING, shape=("batch",))},
            backend=(Backend.PYTHON,),
        ),
        kind="python",
        python=PythonCode(
            modules={name: folder / name for name in ("inner/clean.py", "steps.py")},
            files={"words.txt": folder / "words.txt"},
            packages={},
        ),
        signature=Signature(
            inputs=(INPUT,), outputs=(Tensor(name="n", dtype=dtype, shape=("batch", "seq")),)
        ),
        reference=dict,
        reference_name="the Python function",
        provenance=Provenance(source="steps:length", source_sha256="", weights_sha256=""),
        fingerprint=Fingerprint(entry_sha256="", files={}, packages={}),
    )


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_function_in_two_places_is_the_same_bytes(tmp_path, target) -> None:
    """Neither the project's folder nor the version's shows in a file."""
    made = [
        export(
            function(tmp_path / name / "project"), Backend.PYTHON, into=tmp_path / name / "v", release=target
        )
        for name in ("here", "there")
    ]

    assert files(made[0].folder) == files(made[1].folder)
    assert files(made[0].folder).keys() == {
        "model.py",
        "trb_step.py",
        "code/inner/clean.py",
        "code/steps.py",
        "files/words.txt",
    }


def test_the_model_has_the_signature_in_words(tmp_path, target) -> None:
    """Names, types and axes stand in model.py, quoted whatever they are."""
    text = export(
        function(tmp_path / "p"), Backend.PYTHON, into=tmp_path / "v", release=target
    ).path.read_text()

    assert "Tensor('text', 'string', ('batch',))" in text
    assert "Tensor('n', 'int64', ('batch', 'seq'))" in text
    assert 'name="it\'s"' in text


def test_a_python_that_did_not_run_is_not_proven(tmp_path) -> None:
    """The note names the image's Python; where it is this one there is nothing to say."""
    mine = "{}.{}".format(*sys.version_info[:2])
    for name, expected in (("24.10", mine != "3.10"), ("25.01", mine != "3.12")):
        made = export(
            function(tmp_path / name / "p"), Backend.PYTHON, into=tmp_path / name / "v", release=release(name)
        )
        assert any("not proven on Python" in note for note in made.notes) is expected


def test_bf16_is_refused_before_anything_is_written(tmp_path, out, target) -> None:
    """The Python backend has no numpy array of it."""
    with pytest.raises(ExportError, match="no numpy array of bf16"):
        export(function(tmp_path / "p", DType.BF16), Backend.PYTHON, into=out, release=target)

    assert not list(out.iterdir())


def test_wheels_are_for_the_glibc_of_the_image() -> None:
    """Ubuntu 22.04 has 2.35: newer wheels would not load there, older ones do."""
    found = list(platforms(release("24.10")))

    assert found[0] == "manylinux_2_35_x86_64"
    assert {"manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64"} <= set(found)
    assert json.dumps(found).count("2_36") == 0
