"""Decoupled models in an ensemble: no step may wait for answers that come in different numbers."""

from collections.abc import Iterator

from builder.rules.ensembles.part import Parts
from builder.rules.ensembles.steps import runnable, steps
from builder.rules.refusal import Config, Place, Refusal, tensors


def check(config: Config, parts: Parts) -> Iterator[Refusal]:
    """Yield what keeps the answers of decoupled models from being put together, or cached."""
    streams = _streams(config, parts)
    for step in steps(config):
        if len({streams[use.tensor] for use in step.inputs if use.tensor in streams}) > 1:
            yield _mixed(config, step.model, step.place)
            return
    outputs = [tensor["name"] for tensor in tensors(config, "output") if tensor.get("name")]
    if len({streams[name] for name in outputs if name in streams}) > 1:
        yield _mixed(config, config["name"], ("output",))
    elif _is_decoupled(config, parts) and (config.get("response_cache") or {}).get("enable"):
        yield Refusal(
            f"Response Cache does not currently support model {config['name']} with 'decoupled' transaction policy. "
            "Please disable the response cache.",
            code="E119",
            place=("response_cache",),
            fix="remove `response_cache`: a decoupled model makes the ensemble decoupled",
        )


def derived(config: Config, parts: Parts) -> Config:
    """Return the fields that the server sets in an ensemble, whatever its config says."""
    return {"model_transaction_policy": {"decoupled": _is_decoupled(config, parts)}}


def _is_decoupled(config: Config, parts: Parts) -> bool:
    return any(parts[step.model].is_decoupled for step in steps(config) if step.model in parts)


def _streams(config: Config, parts: Parts) -> dict[str, int]:
    """Return, by tensor, the step whose decoupled model says how many values it has; -1: one a request."""
    found = {str(tensor.get("name") or ""): -1 for tensor in tensors(config, "input")}
    for step in runnable(config, found):
        part = parts.get(step.model)
        stream = max(found[use.tensor] for use in step.inputs)
        if part is not None and part.is_decoupled:
            stream = step.number
        for use in step.outputs:
            found.setdefault(use.tensor, stream)
    return found


def _mixed(config: Config, model: str, place: Place) -> Refusal:
    return Refusal(
        f"in ensemble {config['name']}, step of model '{model}' receives inputs originated from different decoupled "
        "models",
        code="E118",
        place=place,
        fix="let all that it receives come from one decoupled model, or from none",
    )
