"""The short forms trb.yaml allows, spelt out: `instances: 2` is `instances: {count: 2}`."""

from typing import Any

from builder.readspec.shapes import DTYPE_ALIASES
from builder.readspec.yaml_tree import Path, Tree


def spelt_out(tree: Tree) -> Any:
    """Return the tree's value with every short form replaced; other parts are passed on as they are."""
    value = tree.value
    if not isinstance(value, dict):
        return value
    value = dict(value)
    if ("triton",) in tree.texts:
        value["triton"] = tree.texts["triton",]
    models = value.get("models")
    if isinstance(models, dict):
        value["models"] = {name: _model(tree, name, model) for name, model in models.items()}
    pipelines = value.get("pipelines")
    if isinstance(pipelines, dict):
        value["pipelines"] = {name: _pipeline(tree, name, pipeline) for name, pipeline in pipelines.items()}
    return value


def _pipeline(tree: Tree, name: str, pipeline: Any) -> Any:
    if not isinstance(pipeline, dict):
        return pipeline
    pipeline = dict(pipeline)
    if isinstance(pipeline.get("steps"), list):
        pipeline["steps"] = [{"model": s} if isinstance(s, str) else s for s in pipeline["steps"]]
    if isinstance(pipeline.get("outputs"), list):
        pipeline["outputs"] = _outputs(tree, ("pipelines", name, "outputs"), pipeline["outputs"])
    if isinstance(pipeline.get("outputs"), dict):
        pipeline["outputs"] = {key: _tensor(tensor) for key, tensor in pipeline["outputs"].items()}
    return pipeline


def _outputs(tree: Tree, here: Path, listed: list[Any]) -> dict[str, Any]:
    """Return a list of names as the mapping it is short for; each name keeps the place of its item."""
    found: dict[str, Any] = {}
    for n, name in enumerate(listed):
        if not isinstance(name, str):
            tree.mistakes.append(tree.mistake((*here, n), "must be the name of a tensor"))
        elif name in found:
            tree.mistakes.append(tree.mistake((*here, n), f"`{name}` is named twice"))
        else:
            found[name] = {}
            tree.places[*here, name] = tree.places[*here, n]
    return found


def _model(tree: Tree, name: str, model: Any) -> Any:
    if not isinstance(model, dict):
        return model
    model = dict(model)
    if isinstance(model.get("backend"), str):
        model["backend"] = [model["backend"]]
    if isinstance(model.get("instances"), int):
        model["instances"] = {"count": model["instances"]}
    if isinstance(model.get("batching"), bool):
        model["batching"] = {"enabled": model["batching"]}
    if isinstance(model.get("dims"), dict):
        model["dims"] = {
            axis: {"max": size} if isinstance(size, int) else size for axis, size in model["dims"].items()
        }
    if isinstance(model.get("parameters"), dict):
        texts = {
            key: tree.texts.get(("models", name, "parameters", key), v)
            for key, v in model["parameters"].items()
        }
        model["parameters"] = texts
    for section in ("inputs", "outputs"):
        if isinstance(model.get(section), dict):
            model[section] = {key: _tensor(tensor) for key, tensor in model[section].items()}
    return model


def _tensor(tensor: Any) -> Any:
    if isinstance(tensor, dict) and isinstance(tensor.get("dtype"), str):
        return {**tensor, "dtype": DTYPE_ALIASES.get(tensor["dtype"], tensor["dtype"])}
    return tensor
