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
