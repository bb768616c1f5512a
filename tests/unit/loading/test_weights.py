import pickle

import pytest
import torch
from safetensors.torch import save_file

from builder.errors import SourceError
from tests.unit.loading.conftest import LINEAR

UNSEEDED = LINEAR.replace("torch.manual_seed(0)", "pass")


class Harmful:
    """Unpickling this would leave a mark."""

    def __reduce__(self):
        return (print, ("unpickled",))


def state() -> dict[str, torch.Tensor]:
    return {"layer.weight": torch.ones(2, 3), "layer.bias": torch.zeros(2)}


def refused(project, **spec) -> SourceError:
    with pytest.raises(SourceError) as caught:
        project(**spec)
    return caught.value


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_weights_replace_those_of_the_callable(project, tmp_path, suffix) -> None:
    """Unseeded weights are fine where a file replaces them all."""
    path = tmp_path / f"w.{suffix}"
    if suffix == "pt":
        torch.save(state(), path)
    else:
        save_file(state(), path)
    loaded = project(UNSEEDED, weights=path.name)

    assert torch.equal(loaded.original.layer.weight, torch.ones(2, 3))
    assert path.name in loaded.fingerprint.files


def test_every_key_that_does_not_fit_is_listed(project, tmp_path) -> None:
    """Missing, foreign and mis-shaped tensors are told at once, with the near name."""
    save_file({"layer.wieght": torch.ones(2, 3), "layer.bias": torch.zeros(4)}, tmp_path / "w.safetensors")
    said = refused(project, weights="w.safetensors").what

    assert "layer.weight is missing from the file (near: layer.wieght)" in said
    assert "layer.wieght is in the file, not in the module (near: layer.weight)" in said
    assert "layer.bias has shape (4,) in the file, (2,) in the module" in said


def test_a_pickle_is_not_read_unless_the_spec_says_so(project, tmp_path, capsys) -> None:
    """More than tensors needs allow_pickle, the error names the key, and nothing in the file has run."""
    torch.save({**state(), "extra": Harmful()}, tmp_path / "w.pt")
    error = refused(project, weights="w.pt")

    assert "allow_pickle: true" in error.fix
    assert "unpickled" not in capsys.readouterr().out


def test_allow_pickle_reads_a_whole_module(project, tmp_path) -> None:
    """A pickled module gives its weights where the spec opts in."""
    torch.manual_seed(3)
    module = torch.nn.Sequential()
    module.add_module("layer", torch.nn.Linear(3, 2))
    torch.save(module, tmp_path / "w.pt")
    loaded = project(weights="w.pt", allow_pickle=True)

    assert torch.equal(loaded.original.layer.weight, module.layer.weight)


@pytest.mark.parametrize("content", [b"", b"no weights at all", pickle.dumps(3, protocol=2)])
@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_a_broken_file_is_named(project, tmp_path, content, suffix) -> None:
    """Whatever is in the file, the error names it."""
    (tmp_path / f"w.{suffix}").write_bytes(content)

    assert f"w.{suffix}" in refused(project, weights=f"w.{suffix}").what


def test_a_missing_file_is_named(project) -> None:
    """The path that was looked for stands in the error."""
    assert "none.safetensors" in refused(project, weights="none.safetensors").what


def test_the_hash_of_the_weights_follows_them(project, tmp_path) -> None:
    """Equal weights have one hash, and one changed element another."""
    save_file(state(), tmp_path / "w.safetensors")
    first = project(weights="w.safetensors").provenance.weights_sha256
    again = project(weights="w.safetensors").provenance.weights_sha256
    changed = state()
    changed["layer.bias"][1] = 1e-6
    save_file(changed, tmp_path / "w.safetensors")

    assert first == again
    assert first != project(weights="w.safetensors").provenance.weights_sha256
