"""How much shared memory a container gets follows from what its stubs pass on."""

from pathlib import Path

from builder.server.docker.shm import shm_bytes

MIB = 1 << 20
EMPTY = 256 * MIB
"""What a container gets whatever is in it."""


def config(
    folder: Path,
    *,
    backend: str = "python",
    batch: int = 8,
    dtype: str = "TYPE_FP32",
    dims: str = "1024",
    groups: str = "",
) -> None:
    tensor = f'name: "t" data_type: {dtype} dims: [{dims}]'
    folder.mkdir(parents=True)
    (folder / "config.pbtxt").write_text(
        f'backend: "{backend}" max_batch_size: {batch} input {{ {tensor} }} output {{ {tensor} }} {groups}'
    )


def needed(root: Path, *, all_in_stubs: bool = False, **changes: str | int) -> int:
    """Return what one model more than nothing needs."""
    folder = root / str(len(list(root.iterdir())))
    config(folder, **changes)  # type: ignore[arg-type]
    return shm_bytes(root, [folder.name], all_in_stubs=all_in_stubs) - EMPTY


def test_without_a_model_there_is_room_for_surprises(tmp_path: Path) -> None:
    """More than Docker's own 64 MiB, in which a stub ends with a bus error."""
    assert shm_bytes(tmp_path, []) == EMPTY


def test_a_model_has_room_for_several_of_its_largest_requests(tmp_path: Path) -> None:
    """Inputs and outputs of more than one whole batch fit at once, beside what a stub takes for itself."""
    one_request = 8 * 2 * 1024 * 4

    assert needed(tmp_path) > 2 * one_request


def test_it_grows_with_the_batch_and_the_tensors(tmp_path: Path) -> None:
    """Twice the batch needs as much more as twice the elements, or elements of twice the size."""
    once = needed(tmp_path, batch=64)
    more = needed(tmp_path, batch=128) - once

    assert more > 0
    assert needed(tmp_path, batch=64, dims="2, 1024") - once == more
    assert needed(tmp_path, batch=64, dtype="TYPE_FP64") - once == more
    assert needed(tmp_path, batch=0) == needed(tmp_path, batch=1)


def test_it_grows_with_the_instances(tmp_path: Path) -> None:
    """Each instance is a stub of its own: of all groups, of each GPU that a group names, and one where none is said."""
    once = needed(tmp_path)

    assert needed(tmp_path, groups="instance_group { count: 1 }") == once
    assert needed(tmp_path, groups="instance_group { kind: KIND_CPU }") == once
    assert needed(tmp_path, groups="instance_group { count: 3 }") == 3 * once
    assert needed(tmp_path, groups="instance_group { count: 1 } instance_group { count: 2 }") == 3 * once
    assert needed(tmp_path, groups="instance_group { count: 2 kind: KIND_GPU gpus: [0, 1] }") == 4 * once


def test_only_python_models_have_stubs_in_the_official_image(tmp_path: Path) -> None:
    """In ours ONNX and TorchScript models run in stubs too, and need the same."""
    once = needed(tmp_path)

    for backend in ("onnxruntime", "pytorch"):
        assert needed(tmp_path, backend=backend) == 0
        assert needed(tmp_path, backend=backend, all_in_stubs=True) == once


def test_models_add_up_and_those_that_are_not_loaded_do_not_count(tmp_path: Path) -> None:
    """Two models need what each needs."""
    for name, batch in {"a": 8, "b": 64, "c": 4096}.items():
        config(tmp_path / name, batch=batch)

    a, b = (shm_bytes(tmp_path, [name]) - EMPTY for name in "ab")
    assert shm_bytes(tmp_path, ["a", "b"]) == EMPTY + a + b


def test_a_string_is_taken_for_a_long_one(tmp_path: Path) -> None:
    """A config does not bound its length; it is more than any number has."""
    assert needed(tmp_path, dtype="TYPE_STRING") > needed(tmp_path, dtype="TYPE_FP64")


def test_an_axis_without_bounds_is_taken_for_a_long_one(tmp_path: Path) -> None:
    """-1 is room for a thousand, not for none."""
    assert needed(tmp_path, dims="-1, 4") >= needed(tmp_path, dims="1000, 4")


def test_it_stays_a_number_that_docker_can_read(tmp_path: Path) -> None:
    """Many axes without bounds multiply to more than a daemon reads, and more than a machine has."""
    assert EMPTY < needed(tmp_path, dims="-1, -1, -1, -1, -1, -1, -1", batch=1024) < 1 << 62


def test_a_config_that_cannot_be_read_needs_nothing_more(tmp_path: Path) -> None:
    """The server completes it, or says what is wrong with it; other models keep what they need."""
    config(tmp_path / "good")
    for name, text in {"broken": b"input {", "binary": b"\xff\xfe", "none": None}.items():
        (tmp_path / name).mkdir()
        if text is not None:
            (tmp_path / name / "config.pbtxt").write_bytes(text)

    assert shm_bytes(tmp_path, ["broken", "binary", "none", "absent"]) == EMPTY
    assert shm_bytes(tmp_path, ["good", "broken", "none"]) == shm_bytes(tmp_path, ["good"])


def test_a_tensor_of_no_type_needs_nothing(tmp_path: Path) -> None:
    """Triton refuses such a config itself."""
    assert needed(tmp_path, dtype="TYPE_INVALID") == needed(tmp_path, dims="0")
