"""The bytes that Triton warms a model up with."""

from pathlib import Path

import numpy as np

from builder import config
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed
from builder.spec.project import Axis
from tests.unit.config.values import TEXT, Shapes, artifact, loaded, proof

STATES: Shapes = {"out": (DType.FP32, ("batch", 4))}


def written(folder: Path, samples: Feed | None, names: tuple[str, ...] = ("ids", "mask")) -> dict[str, bytes]:
    one = loaded(dict.fromkeys(names, (DType.INT64, ("batch", 3))), STATES, samples=samples)
    config.write(config.make("m", one, artifact(one), proof(8)), one, into=folder)
    return {path.name.rpartition("-")[0]: path.read_bytes() for path in sorted((folder / "warmup").iterdir())}


def test_samples_are_what_the_model_is_warmed_up_with(tmp_path: Path) -> None:
    """One file per input holds the first sample, whatever the batch size."""
    samples = {name: np.arange(12, dtype=np.int64).reshape(4, 3) + place for place, name in enumerate(TEXT)}
    assert written(tmp_path, samples) == {
        "0_ids": np.array([0, 1, 2], dtype="<i8").tobytes(),
        "1_mask": np.array([1, 2, 3], dtype="<i8").tobytes(),
    }


def test_without_samples_whole_numbers_stay_in_their_range(tmp_path: Path) -> None:
    """An id outside the declared range would end the load of an embedding model."""
    values = np.frombuffer(written(tmp_path, None)["0_ids"], dtype="<i8")
    assert values.size == 3
    assert set(values) <= set(range(10))


def test_the_same_spec_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two builds write the same warmup."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    assert written(one, None) == written(other, None)


def test_names_that_no_path_can_hold_are_kept_apart(tmp_path: Path) -> None:
    """Two inputs whose names differ only in such letters have two files, both in the warmup folder."""
    assert list(written(tmp_path, None, ("a/b", "a:b", "../b"))) == ["0_a_b", "1_a_b", "2_.._b"]


def test_other_data_has_another_name(tmp_path: Path) -> None:
    """Two versions of a model can lie in one warmup folder, and neither takes the other's data."""
    for value in (1, 2):
        folder = tmp_path / str(value)
        folder.mkdir()
        written(folder, {name: np.full((1, 3), value, dtype=np.int64) for name in TEXT})
    one, other = ({path.name for path in (tmp_path / n / "warmup").iterdir()} for n in "12")
    assert not one & other


def test_the_smallest_batch_of_a_model_that_takes_no_single_row(tmp_path: Path) -> None:
    """A model for two rows at least, which Triton does not batch, is warmed up with the first two samples."""
    samples = {"x": np.arange(9, dtype=np.float32).reshape(3, 3)}
    shapes: Shapes = {"x": (DType.FP32, ("batch", 3))}
    one = loaded(shapes, STATES, samples=samples, dims={"batch": Axis(min=2, max=4)})
    made = config.make("m", one, artifact(one), proof(0))
    config.write(made, one, into=tmp_path)
    (file,) = (tmp_path / "warmup").iterdir()
    assert made.warmups[0].inputs["x"].dims == (2, 3)
    assert file.read_bytes() == samples["x"][:2].tobytes()


def test_a_model_without_warmup_has_no_folder(tmp_path: Path) -> None:
    """Nothing is written that the config does not name."""
    one = loaded(TEXT, STATES, warmup=False)
    config.write(config.make("m", one, artifact(one), proof(8)), one, into=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["config.pbtxt"]
