"""What a server really runs is known only where its stand-ins say so."""

from pathlib import Path

from builder.server.endpoint import Endpoint


def test_the_versions_are_what_the_stand_in_wrote(tmp_path: Path) -> None:
    """A backend that has loaded a model has a file; one that has not is not known."""
    (tmp_path / "onnxruntime.json").write_text('{"onnxruntime": "1.19.2", "numpy": "1.26.4"}')
    endpoint = Endpoint(http="h:1", grpc="h:2", kind="embedded", description="it", versions_dir=tmp_path)

    assert endpoint.runtime("onnxruntime") == {"onnxruntime": "1.19.2", "numpy": "1.26.4"}
    assert endpoint.runtime("pytorch") == {}


def test_a_server_of_the_users_tells_nothing() -> None:
    """Behind a URL the runtimes are not known."""
    assert Endpoint(http="h:1", grpc="h:2", kind="url", description="it").runtime("onnxruntime") == {}


def test_of_a_container_it_is_known_before_a_model_loads() -> None:
    """An image says what runs in it; of a backend that it does not name nothing is known."""
    said = {"onnxruntime": {"onnxruntime": "1.19.2"}}
    endpoint = Endpoint(http="h:1", grpc="h:2", kind="docker", description="it", runtimes=said)

    assert endpoint.runtime("onnxruntime") == {"onnxruntime": "1.19.2"}
    assert endpoint.runtime("pytorch") == {}


def test_what_a_stand_in_wrote_counts_more_than_what_was_said_before(tmp_path: Path) -> None:
    """A file of this machine is what really runs."""
    said = {"onnxruntime": {"onnxruntime": "1.19.2"}}
    endpoint = Endpoint(
        http="h:1", grpc="h:2", kind="embedded", description="it", versions_dir=tmp_path, runtimes=said
    )

    assert endpoint.runtime("onnxruntime") == {}
    (tmp_path / "onnxruntime.json").write_text('{"onnxruntime": "1.20.0"}')
    assert endpoint.runtime("onnxruntime") == {"onnxruntime": "1.20.0"}
