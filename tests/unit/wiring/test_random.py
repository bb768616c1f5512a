"""Pipelines that hypothesis joined: what wiring lets through, no server refuses; what it refuses, it has reason to."""

import re
from typing import Any, Final

from google.protobuf.json_format import MessageToDict
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from builder import wiring
from builder.config.ensemble import make_ensemble
from builder.config.message import message
from builder.rules import core, ensembles
from builder.rules.ensembles import Part
from builder.spec.model_config import ModelConfig
from tests.unit.wiring.random_pipelines import Made, less_known, made

STRICTER: Final = (
    r"any `\w+` in the one",  # -1 fits any size there, and a request has one
    r"the batch in the (one|other)",  # likewise
    r"\d to \d in the (one|other)|no size suits",  # config.pbtxt says no sizes
    r"has it as \[batch, 1\]",  # likewise compared without the batch
)
"""Why wiring refuses what a server would load; requests would fail there."""


def plain(config: ModelConfig) -> dict[str, Any]:
    return dict(MessageToDict(message(config), preserving_proto_field_name=True))


def refusals(one: Made) -> list[str]:
    """Return what a server has against the pipeline, its models being there."""
    config = plain(make_ensemble(wiring.wire("p", one.pipeline, one.known)))
    parts = {name: Part(config=plain(model), versions=(1,)) for name, model in one.configs.items()}
    found = (*core.polled(config, folder="p"), *core.loaded(config), *ensembles.against(config, parts))
    return [f"{refusal.code} {refusal.message}" for refusal in found]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(made(), made(careless=True)))
def test_what_has_no_mistake_no_server_refuses(one: Made) -> None:
    """The ensemble of a pipeline without mistakes breaks no rule of the server, alone or beside its models."""
    assume(not wiring.mistakes(one.pipeline, one.known))

    assert refusals(one) == []


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(made(careless=True))
def test_what_a_server_would_load_is_refused_for_a_reason(one: Made) -> None:
    """Steps that cannot share a tensor are refused by the server too, but for what it does not compare."""
    found = wiring.mistakes(one.pipeline, one.known)
    assume(found)
    assume(all("map" in mistake.path and " as " in mistake.message for mistake in found))

    if not refusals(one):
        assert [m.message for m in found if not any(re.search(why, m.message) for why in STRICTER)] == []


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made(), st.data())
def test_what_is_right_once_it_is_built_has_no_mistake_before(one: Made, data: st.DataObject) -> None:
    """Whatever trb.yaml leaves out of the outputs of a model, nothing is said that the build would not say."""
    assume(not wiring.mistakes(one.pipeline, one.known))

    known = {name: data.draw(less_known(model)) for name, model in one.known.items()}

    assert wiring.mistakes(one.pipeline, known) == ()
