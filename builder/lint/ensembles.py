"""Ensembles against the models of their steps, once every model of the repositories has been looked at."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path

from builder.lint.model import ModelLint, order
from builder.rules import ensembles
from builder.rules.ensembles import Part
from builder.rules.refusal import Config, Refusal
from builder.spec.findings import Severity

Looked = Mapping[Path, ModelLint]


def with_parts(looked: Looked) -> Looked:
    """Return `looked` with what is to be said of ensembles and the models that they are made of."""
    found = dict(looked)
    of_ensembles = {path: one for path, one in looked.items() if one.source is not None}
    if of_ensembles:
        found |= {
            path: _added(one, refusals) for path, (one, refusals) in _refusals(looked, of_ensembles).items()
        }
    return found


def _added(one: ModelLint, refusals: list[Refusal]) -> ModelLint:
    assert one.source is not None, f"{one.name} is an ensemble"
    findings = dict.fromkeys((*one.findings, *map(one.source.finding, refusals)))
    return replace(one, findings=tuple(sorted(findings, key=order)))


def _refusals(looked: Looked, of_ensembles: Looked) -> dict[Path, tuple[ModelLint, list[Refusal]]]:
    parts = _parts(looked)
    configs = {one.name: _config(one) for one in of_ensembles.values() if one.name in parts}
    said: dict[str, list[Refusal]] = {}
    circles = ensembles.in_circles(configs)
    for name, refusal in circles.items():
        said[name] = [refusal]
        parts[name] = Part(failure=refusal.message)
    for name in _inside_out({name: config for name, config in configs.items() if name not in circles}):
        said[name] = ensembles.against(configs[name], parts)
        parts[name] = _settled(parts[name], configs[name], said[name], parts)
    return {path: (one, said.get(one.name, [])) for path, one in of_ensembles.items()}


def _config(one: ModelLint) -> Config:
    assert one.known is not None, f"{one.name} is an ensemble"
    return one.known.config


def _parts(looked: Looked) -> dict[str, Part]:
    """Return every model as an ensemble sees it; of two with one name the server takes neither."""
    count = Counter(one.name for one in looked.values())
    return {one.name: _part(one) for one in looked.values() if count[one.name] == 1}


def _part(one: ModelLint) -> Part:
    if one.known is not None and one.known.is_sound:
        return Part(config=one.known.config, versions=one.known.versions)
    errors = [finding.message for finding in one.findings if finding.severity is Severity.ERROR]
    return Part(failure=next(iter(errors), "it cannot be read"))


def _inside_out(configs: Mapping[str, Config]) -> list[str]:
    """Return the ensembles in an order in which each comes after those that it is made of."""
    needs = {
        name: [one for one in ensembles.models(config) if one in configs] for name, config in configs.items()
    }
    return list(TopologicalSorter(needs).static_order())


def _settled(part: Part, config: Config, refusals: list[Refusal], parts: Mapping[str, Part]) -> Part:
    """Return an ensemble as others see it, once its own models are known."""
    failures = [refusal.message for refusal in refusals if refusal.kind == "load"]
    if part.failure or failures:
        return replace(part, failure=part.failure or failures[0])
    return replace(part, config={**config, **ensembles.derived(config, parts)})
