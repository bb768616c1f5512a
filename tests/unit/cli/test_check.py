"""How `trb check` is asked."""

import pytest
from click.testing import CliRunner

from builder.cli.root import main
from builder.errors import UsageError
from builder.flow.door import Door
from builder.server import Container


def test_an_address_of_no_other_server_is_refused() -> None:
    """An option of --against without it is a mistake on the command line."""
    done = CliRunner().invoke(main, ["check", "--against-grpc-url", "host:8001"])

    assert done.exit_code == 2
    assert "--against-grpc-url goes with --against" in done.stderr


def test_a_second_container_is_the_first_but_for_what_is_said() -> None:
    """It has the first one's image and limits; GPUs only where they are asked for."""
    first = Door(server="docker", container=Container(image="a", cpus=2, gpus="all"), ready_timeout_s=9)

    other = first.other(server="docker", grpc_url=None, image=None, gpus=None)
    second = first.other(server="docker", grpc_url=None, image="b", gpus="1")

    assert (other.container, other.ready_timeout_s) == (Container(image="a", cpus=2), 9)
    assert second.container == Container(image="b", cpus=2, gpus="1")


def test_what_is_of_the_first_container_is_not_asked_of_an_embedded_server() -> None:
    """A check in a container may be held against the embedded server; its target's torch is the first one's alone."""
    first = Door(server="docker", container=Container(image="a", cpus=2), target_torch=False)

    assert first.other(server="embedded", grpc_url=None, image=None, gpus=None) == Door()


def test_an_image_for_what_is_no_container_is_refused() -> None:
    """The error names the options as they were written."""
    with pytest.raises(UsageError, match="--against-image and --against-gpus are for a container"):
        Door().other(server="http://host:8000", grpc_url=None, image="a", gpus=None)
