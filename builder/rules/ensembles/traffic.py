"""What an ensemble that loads does to requests: how many rows reach a model, and what is left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from builder.rules.ensembles.agreement import fits
from builder.rules.ensembles.part import Part, Parts
from builder.rules.ensembles.steps import Use, runnable, steps
from builder.rules.refusal import (
    BATCHED_DIM,
    Config,
    Refusal,
    backend_dims,
    max_batch_size,
    shape_text,
    tensors,
)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a tensor comes from."""

    dims: tuple[int, ...]
    is_batched: bool
    has_rows: bool
    """Whether it has as many rows as the request."""
    is_optional: bool = False
    """Whether a request may leave it out."""


def check(config: Config, parts: Parts) -> Iterator[Refusal]:
    """Yield what fails, for all requests or for some that the config promises to answer."""
    sources = _sources(config, parts)
    for step in steps(config):
        part = parts.get(step.model, Part())
        known = {tensor["name"]: tensor for tensor in tensors(part.config, "input")}
        for use in (use for use in step.inputs if use.key in known and use.tensor in sources):
            yield from _rows(config, part, known[use.key], sources[use.tensor], use)
            yield from _left_out(config, part, known[use.key], sources[use.tensor], use)


def _sources(config: Config, parts: Parts) -> Mapping[str, _Source]:
    is_batched = max_batch_size(config) > 0
    found = {
        str(tensor.get("name") or ""): _Source(
            backend_dims(tensor), is_batched, is_batched, bool(tensor.get("optional"))
        )
        for tensor in tensors(config, "input")
    }
    for step in runnable(config, found):
        part = parts.get(step.model, Part())
        known = {tensor["name"]: tensor for tensor in tensors(part.config, "output")}
        is_batched = max_batch_size(part.config) > 0
        has_rows = is_batched and any(
            found[use.tensor].has_rows for use in step.inputs if use.tensor in found
        )
        for use in (use for use in step.outputs if use.key in known):
            found.setdefault(use.tensor, _Source(_dims(known[use.key]), is_batched, has_rows))
    return found


def _dims(tensor: Config) -> tuple[int, ...]:
    return tuple(int(dim) for dim in tensor.get("dims") or ())


def _rows(config: Config, part: Part, tensor: Config, source: _Source, use: Use) -> Iterator[Refusal]:
    """Yield that a batch does not get through between a model that batches and one that does not."""
    dims, takes = _dims(tensor), max_batch_size(part.config)
    if takes and not source.is_batched and len(source.dims) > len(dims) and source.dims[0] > takes:
        yield _refusal(
            config,
            use,
            f"inference request batch-size must be <= {takes} for '{part.config['name']}': it is always given "
            f"{source.dims[0]} rows",
            fix=f"max_batch_size: {source.dims[0]} in '{part.config['name']}'",
        )
    if takes or not source.has_rows:
        return
    most, rows = max_batch_size(config), dims[0] if fits((BATCHED_DIM, *source.dims), dims) else 1
    if rows != BATCHED_DIM and (rows, most) != (1, 1):
        given = shape_text((2 if rows == 1 else 1, *source.dims))
        yield _refusal(
            config,
            use,
            f"unexpected shape for input '{use.key}' for model '{part.config['name']}'. Expected {shape_text(dims)}, "
            f"got {given}: it does not batch, and the ensemble takes up to {most} rows",
            fix=f"let '{part.config['name']}' batch (max_batch_size: {most}), or do not batch in the ensemble",
        )


def _refusal(config: Config, use: Use, what: str, *, fix: str) -> Refusal:
    message = f"in ensemble '{config['name']}', {what}"
    return Refusal(message, kind="request", code="E120", place=use.tensor_place, fix=fix)


def _left_out(config: Config, part: Part, tensor: Config, source: _Source, use: Use) -> Iterator[Refusal]:
    if source.is_optional and not tensor.get("optional"):
        yield Refusal(
            f"a request may leave out input '{use.tensor}' of ensemble '{config['name']}', and then fails: model "
            f"'{part.config['name']}' needs '{use.key}'",
            kind="surprise",
            code="E121",
            place=use.tensor_place,
            fix="remove `optional` from the ensemble's input",
        )
