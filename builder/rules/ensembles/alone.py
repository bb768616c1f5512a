"""What the core refuses in an ensemble's config before it looks at any other model."""

from collections.abc import Iterator
from typing import Final

from builder.rules.ensembles import wiring
from builder.rules.ensembles.steps import SCHEDULING, steps
from builder.rules.refusal import Config, Refusal, tensors

PLATFORM: Final = "ensemble"


def check(config: Config) -> Iterator[Refusal]:
    """Yield all that the core has against `config` as an ensemble; nothing where it is none."""
    if SCHEDULING not in config:
        if config.get("platform") == PLATFORM:
            yield Refusal(
                f"ensemble scheduling must be set for ensemble {config['name']} whose platform is ensemble",
                code="E101",
                place=("platform",),
                fix="say in `ensemble_scheduling` which models it is made of",
            )
        return
    yield from _platform(config)
    yield from _sections(config)
    unfinished = list(_unfinished(config))
    yield from unfinished
    if not unfinished:
        yield from wiring.check(config)
        yield from _doubled(config)


def _platform(config: Config) -> Iterator[Refusal]:
    name = config["name"]
    if config.get("platform") != PLATFORM:
        yield Refusal(
            f"ensemble scheduling cannot be set for model '{name}' whose platform is not ensemble",
            code="E101",
            place=("platform",) if config.get("platform") else (SCHEDULING,),
            fix='platform: "ensemble" and no `backend`',
            right='platform: "ensemble"' if config.get("platform") else None,
        )
    elif config.get("backend"):
        yield Refusal(
            f"Ensemble model '{name}' must have platform type 'ensemble' and empty backend type",
            code="E101",
            place=("backend",),
            fix="remove `backend` and `default_model_filename`: an ensemble has no file of its own",
            right="",
        )


def _sections(config: Config) -> Iterator[Refusal]:
    of = f"for ensemble '{config['name']}'"
    if config.get("instance_group"):
        yield _section(f"instance group should not be specified {of}", "instance_group")
    if "optimization" in config:
        yield _section(f"optimization should not be specified {of}", "optimization")
    if config.get("model_warmup"):
        yield _section(f"model_warmup can not be specified {of}", "model_warmup")


def _section(message: str, name: str) -> Refusal:
    return Refusal(
        message,
        code="E102",
        place=(name,),
        fix=f"remove `{name}`; the models of the steps may have their own",
        right="",
    )


def _unfinished(config: Config) -> Iterator[Refusal]:
    """Yield what a step, or the list of steps, lacks."""
    name = config["name"]
    found = steps(config)
    if not found:
        yield Refusal(
            f"must specify 'step' for ensemble '{name}'",
            code="E103",
            place=(SCHEDULING,),
            fix='step { model_name: "..." model_version: -1 input_map { ... } output_map { ... } }',
        )
    for step in found:
        given = {"model_name": step.model, "input_map": step.inputs, "output_map": step.outputs}
        for part in (part for part, value in given.items() if not value):
            yield Refusal(
                f"must specify '{part}' in step {step.number} of ensemble '{name}'",
                code="E103",
                place=step.place,
                fix="each step names its model, and maps inputs and outputs of it to tensors of the ensemble",
            )


def _doubled(config: Config) -> Iterator[Refusal]:
    """Yield the inputs that share a name: the server counts both, and a request can give only one."""
    names = [str(tensor.get("name") or "") for tensor in tensors(config, "input")]
    for position, name in enumerate(names):
        if name and name in names[:position]:
            yield Refusal(
                f"expected {len(names)} inputs but got {len(set(names))} inputs for model '{config['name']}': "
                f"two inputs are called '{name}'",
                kind="request",
                code="E107",
                place=("input", position, "name"),
                fix="remove one of them",
            )
