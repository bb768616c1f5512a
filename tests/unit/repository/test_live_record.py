"""What was measured live, outside the repository."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from builder import repository
from builder.repository.layout import live_file
from builder.repository.live import append_line
from tests.unit.repository.values import publish, record


def test_an_entry_says_what_when_and_on_which_bytes(root: Path) -> None:
    """The version's hash ties the measurement to the files that were measured."""
    published = publish(root, "w")
    repository.append_live(root, published, "check", record().offline_parity)

    (entry,) = repository.read_live(root, "m")
    assert entry["version_hash"] == repository.version_hash(published.folder)
    assert (entry["kind"], entry["version"]) == ("check", 1)
    assert entry["value"]["name"] == "PyTorch -> model.onnx"
    assert entry["at"].endswith("+00:00")


def test_other_files_or_another_config_have_another_hash(root: Path) -> None:
    """The hash tells apart all that can change an answer or its latency."""
    published = [publish(root, "w"), publish(root, "w2"), publish(root, "w2", config="two instances")]
    assert len({repository.version_hash(one.folder) for one in published}) == 3


def test_the_same_bytes_have_the_same_hash_elsewhere(root: Path, tmp_path: Path) -> None:
    """The hash is of the content, not of the place or the number."""
    publish(root, "w")
    second, other = publish(root, "w2"), publish(tmp_path / "other", "w2")
    assert repository.version_hash(second.folder) == repository.version_hash(other.folder)


def test_a_torn_last_line_loses_itself_and_nothing_else(root: Path) -> None:
    """A process killed while it wrote does not damage the entries before or after."""
    published = publish(root, "w")
    repository.append_live(root, published, "check", 1)
    with live_file(root, "m").open("a") as file:
        file.write('{"kind": "che')
    repository.append_live(root, published, "perf", 2)

    assert [(one["kind"], one["value"]) for one in repository.read_live(root, "m")] == [
        ("check", 1),
        ("perf", 2),
    ]


def test_entries_of_many_threads_do_not_mix(root: Path) -> None:
    """Each entry is one write, so every one of a hundred is whole."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: append_line(root, "m", {"n": n, "pad": "x" * 2000}), range(100)))
    assert sorted(one["n"] for one in repository.read_live(root, "m")) == list(range(100))


def test_infinity_is_written_as_text_that_json_has(root: Path) -> None:
    """Every line is JSON that any reader takes."""
    repository.append_live(root, publish(root, "w"), "check", {"needed": float("inf")})
    line = live_file(root, "m").read_text()
    assert json.loads(line, parse_constant=lambda name: name)["value"] == {"needed": "inf"}
    assert "Infinity" not in line


def test_a_model_without_measurements_has_none(root: Path) -> None:
    """No file is no entry."""
    assert repository.read_live(root, "m") == ()
