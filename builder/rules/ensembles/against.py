"""An ensemble against the models of its steps."""

import difflib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence

from builder.rules.ensembles import agreement, streams, traffic
from builder.rules.ensembles.part import Part, Parts
from builder.rules.ensembles.steps import Step, Use, steps
from builder.rules.refusal import Config, Refusal, max_batch_size, tensors


def against(config: Config, parts: Parts) -> list[Refusal]:
    """Return all that the core has against `config`, given the models that it knows.

    Args:
        config: an ensemble's.
        parts: every model that the server has, by name.
    """
    found = steps(config)
    refusals = [
        *_missing(config, parts),
        *_broken(config, parts),
        *_versions(config, parts),
        *_batch(config, parts),
    ]
    if not all(step.is_finished for step in found):
        return refusals
    refusals += [refusal for step in found for refusal in _inputs(config, step, parts)]
    refusals += [refusal for step in found for refusal in _outputs(config, step, parts)]
    refusals += agreement.check(config, parts)
    return refusals or [
        *streams.check(config, parts),
        *agreement.contradictions(config, parts),
        *traffic.check(config, parts),
    ]


def _first_steps(config: Config) -> Iterator[Step]:
    """Yield the first step of each model."""
    seen = set()
    for step in steps(config):
        if step.model and step.model not in seen:
            seen.add(step.model)
            yield step


def _missing(config: Config, parts: Parts) -> Iterator[Refusal]:
    for step in _first_steps(config):
        if step.model not in parts:
            near = _near(step.model, parts)
            yield Refusal(
                f"ensemble {config['name']} contains models that are not available or ambiguous: {step.model}",
                code="E109",
                place=(*step.place, "model_name"),
                fix=f'model_name: "{near}"' if near else f"put a model '{step.model}' into the repository",
            )


def _broken(config: Config, parts: Parts) -> Iterator[Refusal]:
    for step in _first_steps(config):
        part = parts.get(step.model)
        if part is not None and part.failure:
            yield Refusal(
                f"ensemble '{config['name']}' depends on '{step.model}' which has no loaded version. Model "
                f"'{step.model}' loading failed with error: {part.failure}",
                code="E110",
                place=(*step.place, "model_name"),
                fix=f"mend model '{step.model}' first",
            )


def _versions(config: Config, parts: Parts) -> Iterator[Refusal]:
    for step in steps(config):
        part = parts.get(step.model)
        if part is None or part.failure or step.version in (-1, *part.versions):
            continue
        served = ", ".join(map(str, part.versions))
        yield Refusal(
            f"ensemble '{config['name']}' depends on '{step.model}' whose required version {step.version} is not "
            f"loaded",
            code="E111",
            place=(*step.place, "model_version"),
            fix=f"model_version: -1 takes the latest; version {served} is served",
        )


def _batch(config: Config, parts: Parts) -> Iterator[Refusal]:
    most = max_batch_size(config)
    for step in _first_steps(config):
        part = parts.get(step.model)
        if part is not None and not part.failure and 0 < max_batch_size(part.config) < most:
            yield Refusal(
                f"ensemble {config['name']} allows maximum batch size {most}, but it contains model {step.model} "
                f"which only allows maximum batch size to be {max_batch_size(part.config)}",
                code="E113",
                place=("max_batch_size",),
                fix=f"max_batch_size: {max_batch_size(part.config)}, or raise that of '{step.model}'",
            )


def _inputs(config: Config, step: Step, parts: Parts) -> Iterator[Refusal]:
    """Yield the keys that are no inputs of the step's model, then the inputs for which no key is meant."""
    known = tensors(parts.get(step.model, Part()).config, "input")
    names, mapped = [tensor["name"] for tensor in known], {use.key for use in step.inputs}
    wanted = [
        tensor["name"] for tensor in known if tensor["name"] not in mapped and not tensor.get("optional")
    ]
    wrong = [use for use in step.inputs if known and use.key not in names]
    meant = _meant(wrong, wanted)
    for use in wrong:
        yield _no_tensor(
            f"in ensemble {config['name']}, ensemble tensor {use.tensor} is mapping to non-existing input {use.key} "
            f"in model {step.model}",
            use,
            meant.get(use.key, ""),
            names,
            is_only=len(wrong) == len(wanted) == 1,
        )
    yield from (
        _unmapped(config, step, tensor)
        for tensor in known
        if tensor["name"] in wanted and tensor["name"] not in meant.values()
    )


def _unmapped(config: Config, step: Step, tensor: Config) -> Refusal:
    name = tensor["name"]
    return Refusal(
        f"in ensemble {config['name']}, input {name} in model {step.model} is not mapped to any ensemble tensors",
        code="E115",
        place=(*step.place, "input_map"),
        fix=f'input_map {{ key: "{name}" value: "..." }} with an ensemble tensor of {tensor.get("data_type")}',
    )


def _outputs(config: Config, step: Step, parts: Parts) -> Iterator[Refusal]:
    names = [tensor["name"] for tensor in tensors(parts.get(step.model, Part()).config, "output")]
    wrong = [use for use in step.outputs if names and use.key not in names]
    left = [name for name in names if name not in {use.key for use in step.outputs}]
    meant = _meant(wrong, left)
    for use in wrong:
        yield _no_tensor(
            f"in ensemble {config['name']}, ensemble tensor {use.tensor} is mapped from non-existing output {use.key} "
            f"in model {step.model}",
            use,
            meant.get(use.key, ""),
            names,
            is_only=len(wrong) == len(left) == 1,
        )


def _meant(wrong: Sequence[Use], left: Sequence[str]) -> Mapping[str, str]:
    """Return, by wrong key, the tensor that it is meant for: one close in name, or the only one that is left."""
    found: dict[str, str] = {}
    for use in wrong:
        free = [name for name in left if name not in found.values()]
        near = _near(use.key, free) or (free[0] if len(free) == 1 else "")
        found |= {use.key: near} if near else {}
    return found


def _no_tensor(message: str, use: Use, meant: str, known: Collection[str], *, is_only: bool) -> Refusal:
    right = f"key: {json.dumps(meant, ensure_ascii=False)}"
    return Refusal(
        message,
        code="E114",
        place=use.key_place,
        fix=right if meant else f"it has {', '.join(sorted(known))}",
        right=right if meant and is_only else None,
    )


def _near(name: str, known: Collection[str]) -> str:
    return next(iter(difflib.get_close_matches(name, known, n=1)), "")
