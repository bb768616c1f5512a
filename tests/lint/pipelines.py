"""Random small ensembles over a few real models, right and wrong ones, as config.pbtxt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from google.protobuf import json_format, text_format

from builder.pbtxt.schema import schema

Tensor = dict[str, Any]
Config = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """A model that steps may use, in ONNX's text syntax and as its config."""

    graph: str
    batch: int
    inputs: tuple[tuple[str, str, list[int]], ...]
    outputs: tuple[tuple[str, str, list[int]], ...]
    optional: tuple[str, ...] = ()
    extra: Config = field(default_factory=dict)
    versions: tuple[int, ...] = (1,)

    @property
    def config(self) -> Config:
        named = [tensor(*one) for one in self.inputs]
        return {
            "backend": "onnxruntime",
            "max_batch_size": self.batch,
            "input": [one | ({"optional": True} if one["name"] in self.optional else {}) for one in named],
            "output": [tensor(*one) for one in self.outputs],
            **self.extra,
        }


def tensor(name: str, dtype: str, dims: Sequence[int]) -> Tensor:
    return {"name": name, "data_type": f"TYPE_{dtype}", "dims": list(dims)}


_X, _Y = ("x", "FP32", [4]), ("y", "FP32", [4])
MODELS: Final = {
    "relu": Model(
        "g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }",
        4,
        (_X,),
        (_Y,),
        extra={"version_policy": {"specific": {"versions": [1, 3]}}},
        versions=(1, 2, 3),
    ),
    "add": Model(
        "g (float[N,4] p, float[N,4] q) => (float[N,4] y) { y = Add(p, q) }",
        8,
        (("p", "FP32", [4]), ("q", "FP32", [4])),
        (_Y,),
    ),
    "cast": Model(
        "g (float[N,4] x) => (int64[N,4] y, float[N,4] z) { y = Cast<to = 7>(x) z = Neg(x) }",
        2,
        (_X,),
        (("y", "INT64", [4]), ("z", "FP32", [4])),
    ),
    "count": Model(
        "g (int64[N,4] x) => (int64[N,4] y) { y = Neg(x) }", 8, (("x", "INT64", [4]),), (("y", "INT64", [4]),)
    ),
    "rows": Model(
        "g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }",
        0,
        (("x", "FP32", [-1, 4]),),
        (("y", "FP32", [-1, 4]),),
    ),
    "three": Model(
        "g (float[3,4] x) => (float[3,4] y) { y = Relu(x) }",
        0,
        (("x", "FP32", [3, 4]),),
        (("y", "FP32", [3, 4]),),
    ),
    "bias": Model(
        "g (float[4] x, float[4] w) => (float[4] y) <float[4] w = {1.0, 1.0, 1.0, 1.0}> { y = Add(x, w) }",
        0,
        (_X, ("w", "FP32", [4])),
        (_Y,),
        optional=("w",),
    ),
}


def pipeline(random: Random) -> Config:
    """Return an ensemble that is right, or nearly, or has mistakes."""
    config = _wired(random)
    for _ in range(random.choice((0, 0, 1, 1, 1, 2, 3))):
        random.choice(MUTATIONS)(config, random)
    return config


def text(config: Config) -> str:
    """Return `config` as config.pbtxt."""
    return str(text_format.MessageToString(json_format.ParseDict(config, schema().ModelConfig())))


def _wired(random: Random) -> Config:
    batch = random.choice((0, 1, 2, 4))
    names = random.choices(list(MODELS), k=random.randint(1, 4))
    made: list[tuple[str, str, list[int]]] = []
    inputs: list[Tensor] = []
    steps = []
    for number, name in enumerate(names):
        model = MODELS[name]
        reads = {}
        for key, dtype, dims in model.inputs:
            if key in model.optional and random.random() < 0.6:
                continue
            fitting = [one for one, kind, _ in made if kind == dtype]
            if not fitting or random.random() < 0.2:
                fitting = [f"in{len(inputs)}"]
                declared = _declared(dims, model.batch, batch, random)
                inputs.append(tensor(fitting[0], dtype, declared))
                made.append((fitting[0], dtype, declared))
            reads[key] = random.choice((random.choice(fitting), fitting[-1]))
        writes = {
            key: f"{name}{number}_{key}" for key, _, _ in model.outputs if key != "z" or random.random() < 0.5
        }
        made += [
            (writes[key], dtype, _declared(dims, model.batch, batch, random))
            for key, dtype, dims in model.outputs
            if key in writes
        ]
        steps.append({"model_name": name, "model_version": -1, "input_map": reads, "output_map": writes})
    read = {one for step in steps for one in step["input_map"].values()}
    own = {one["name"] for one in inputs}
    outputs = [
        tensor(*one) for one in made if one[0] not in own and (one[0] not in read or random.random() < 0.2)
    ]
    return {
        "platform": "ensemble",
        "max_batch_size": batch,
        "input": inputs,
        "output": outputs,
        "ensemble_scheduling": {"step": steps},
    }


def _declared(dims: list[int], of_model: int, of_ensemble: int, random: Random) -> list[int]:
    """Return a model's dims as an ensemble may declare them, whether or not the two batch."""
    if of_model and not of_ensemble and random.random() < 0.7:
        return [random.choice((-1, 1)), *dims]
    if of_ensemble and not of_model and len(dims) > 1 and random.random() < 0.7:
        return dims[1:]
    return list(dims)


def _steps(config: Config) -> list[Config]:
    return list(config.get("ensemble_scheduling", {}).get("step", ()))


def _tensor_of(config: Config, random: Random) -> Tensor:
    return random.choice(config["input"] + config["output"] or [{}])


def _map_of(config: Config, random: Random) -> dict[str, str]:
    steps = _steps(config)
    return random.choice(steps)[random.choice(("input_map", "output_map"))] if steps else {}


def _names(config: Config) -> list[str]:
    steps = _steps(config)
    used = [name for step in steps for part in ("input_map", "output_map") for name in step[part].values()]
    return [*used, *(one.get("name", "") for one in config["input"] + config["output"]), "nobody"]


def rewire(config: Config, random: Random) -> None:
    entries = _map_of(config, random)
    if entries:
        entries[random.choice(list(entries))] = random.choice(_names(config))


def rename_key(config: Config, random: Random) -> None:
    entries = _map_of(config, random)
    if entries:
        value = entries.pop(random.choice(list(entries)))
        entries[random.choice(("x", "y", "z", "p", "q", "w", "xx"))] = value


def drop_entry(config: Config, random: Random) -> None:
    entries = _map_of(config, random)
    if entries:
        entries.pop(random.choice(list(entries)))


def add_entry(config: Config, random: Random) -> None:
    _map_of(config, random)[random.choice(("x", "y", "z", "p", "q", "w"))] = random.choice(_names(config))


def other_model(config: Config, random: Random) -> None:
    for step in random.sample(_steps(config), k=min(1, len(_steps(config)))):
        step["model_name"] = random.choice((*MODELS, "relus", ""))


def other_version(config: Config, random: Random) -> None:
    for step in random.sample(_steps(config), k=min(1, len(_steps(config)))):
        step["model_version"] = random.choice((-1, 0, 1, 2, 3, 7))


def other_batch(config: Config, random: Random) -> None:
    config["max_batch_size"] = random.choice((0, 1, 2, 3, 4, 8, 16))


def other_type(config: Config, random: Random) -> None:
    _tensor_of(config, random)["data_type"] = random.choice(
        ("TYPE_FP32", "TYPE_INT64", "TYPE_FP16", "TYPE_INVALID")
    )


def other_dims(config: Config, random: Random) -> None:
    one = _tensor_of(config, random)
    one.pop("reshape", None)
    one["dims"] = random.choice(([4], [-1], [-1, 4], [3, 4], [4, 4], [5], [1, 4], [-1, -1], [2, 2], [3], []))


def reshape(config: Config, random: Random) -> None:
    one = _tensor_of(config, random)
    one["dims"] = random.choice(([4], [2, 2], [4, 1], [-1, 4], [3, 4]))
    one["reshape"] = {"shape": random.choice(([4], [2, 2], [-1, 4], [3, 4], [12]))}


def optional(config: Config, random: Random) -> None:
    if config["input"]:
        random.choice(config["input"])["optional"] = True


def rename_tensor(config: Config, random: Random) -> None:
    _tensor_of(config, random)["name"] = random.choice(_names(config))


def drop_tensor(config: Config, random: Random) -> None:
    of = config[random.choice(("input", "output"))]
    if of:
        of.pop(random.randrange(len(of)))


def add_tensor(config: Config, random: Random) -> None:
    of = config[random.choice(("input", "output"))]
    of.append(tensor(random.choice(_names(config)) or "new", "FP32", [4]))


def double_step(config: Config, random: Random) -> None:
    steps = _steps(config)
    if steps:
        chosen = random.choice(steps)
        again = {**chosen, "input_map": dict(chosen["input_map"]), "output_map": dict(chosen["output_map"])}
        config["ensemble_scheduling"]["step"].append(again)


def drop_step(config: Config, random: Random) -> None:
    steps = _steps(config)
    if steps:
        config["ensemble_scheduling"]["step"].pop(random.randrange(len(steps)))


def shuffle(config: Config, random: Random) -> None:
    if "ensemble_scheduling" in config:
        random.shuffle(config["ensemble_scheduling"]["step"])


def section(config: Config, random: Random) -> None:
    config |= random.choice(
        (
            {"instance_group": [{"count": 1}]},
            {"optimization": {}},
            {"backend": "onnxruntime"},
            {"platform": ""},
            {"response_cache": {"enable": True}},
            {"version_policy": {"all": {}}},
            {"version_policy": {"specific": {"versions": [2]}}},
        )
    )


MUTATIONS: Final[tuple[Callable[[Config, Random], None], ...]] = (
    *((rewire,) * 5),
    *((rename_key,) * 2),
    drop_entry,
    add_entry,
    *((other_model,) * 2),
    other_version,
    *((other_batch,) * 2),
    other_type,
    *((other_dims,) * 3),
    *((reshape,) * 2),
    optional,
    *((rename_tensor,) * 2),
    drop_tensor,
    add_tensor,
    double_step,
    drop_step,
    shuffle,
    section,
)
