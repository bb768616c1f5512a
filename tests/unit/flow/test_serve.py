"""What is said of a server that runs."""

import json
from dataclasses import replace

from builder.flow.serve import Served
from builder.report import as_json, human

HERE = Served(
    server="embedded Triton 2.51.0",
    http="127.0.0.1:8000",
    grpc="127.0.0.1:8001",
    metrics="127.0.0.1:8002",
    models=("digits", "faces"),
    log="/home/me/.trb/logs/triton.log",
    pid=7,
    detached=False,
)
IN_A_CONTAINER = replace(
    HERE, server="Triton in a container of triton:1 (2 cores)", pid=None, container="trb-1a2b3c4d"
)


def last_line(served: Served) -> str:
    return str(served).splitlines()[-1]


def test_every_address_can_be_used_as_it_is_printed() -> None:
    """And the command that checks this very server is the next step."""
    assert str(HERE).splitlines() == [
        "embedded Triton 2.51.0 serves digits, faces",
        "  HTTP     http://127.0.0.1:8000",
        "  gRPC     127.0.0.1:8001",
        "  metrics  http://127.0.0.1:8002/metrics",
        "  log      /home/me/.trb/logs/triton.log",
        "Ctrl-C ends it; next: trb check --server http://127.0.0.1:8000 --grpc-url 127.0.0.1:8001",
    ]


def test_a_server_that_stays_is_ended_by_the_command_of_its_door() -> None:
    """Ctrl-C ends neither a detached process nor a detached container, and each has its own way."""
    assert last_line(IN_A_CONTAINER).startswith("Ctrl-C ends it; ")
    assert last_line(replace(HERE, detached=True)).startswith("trb serve --stop ends it; ")
    assert last_line(replace(IN_A_CONTAINER, detached=True)).startswith(
        "trb serve --server docker --stop ends it; "
    )


def test_what_was_not_published_is_noted_before_the_next_step() -> None:
    """A note is a line of its own."""
    lines = str(replace(HERE, notes=("m/7 was not published by trb",))).splitlines()

    assert lines[-2] == "note: m/7 was not published by trb"


def test_a_program_finds_the_container() -> None:
    """The report as JSON has the container's name, or the process, and null for the other."""
    document = json.loads(as_json.render(replace(IN_A_CONTAINER, detached=True)))

    assert (document["container"], document["pid"], document["detached"]) == ("trb-1a2b3c4d", None, True)
    assert json.loads(as_json.render(HERE))["container"] is None
    assert document["models"] == ["digits", "faces"]


def test_a_person_gets_the_same_words() -> None:
    """The text on a terminal is the report's own."""
    assert human.render(HERE).strip() == str(HERE)
