"""What config.pbtxt says in, what a backend is given out."""

import pytest

from builder.pbtxt.read import read
from builder.rules import core, fill
from builder.rules.refusal import Refusal
from tests.unit.rules.fill_cases import FILLS, Fill


def filled(case: Fill, server: core.Server | None = None) -> tuple[str, ...] | str:
    given = read(case.text).value
    assert given is not None
    first = fill.First(files=case.files, folders=case.folders)
    server = server or core.Server()
    found = fill.filled(given, folder=case.name, first=first, server=server)
    if isinstance(found, Refusal):
        return found.message
    refusals = core.polled(found, folder=case.name, server=server)
    if refusals:
        return refusals[0].message
    return tuple(found[key] for key in ("backend", "platform", "default_model_filename"))


@pytest.mark.parametrize("case", FILLS, ids=str)
def test_a_config_is_filled_as_the_server_fills_it(case: Fill) -> None:
    """Backend, platform and file name are those that the server was seen to use, or its refusal."""
    found = filled(case)
    assert case.words in found if case.words else found == case.filled


@pytest.mark.parametrize(
    ("case", "wanted"),
    [
        (Fill("", files=("model.pt2",)), ("pytorch", "torch_aoti", "model.pt2")),
        (Fill('platform: "torch_aoti"'), ("pytorch", "torch_aoti", "model.pt2")),
        (Fill('backend: "pytorch" platform: "torch_aoti"'), ("pytorch", "torch_aoti", "model.pt2")),
        (Fill('backend: "pytorch"', files=("model.pt2",)), ("pytorch", "pytorch_libtorch", "model.pt")),
        (Fill("", files=("model.pt2", "model.pt")), ("pytorch", "pytorch_libtorch", "model.pt")),
    ],
    ids=str,
)
def test_packages_are_known_from_26_03_on(case: Fill, wanted: tuple[str, ...]) -> None:
    """AOTInductor packages fill in their platform where the release has one."""
    assert filled(case, core.Server(release=(26, 3))) == wanted
