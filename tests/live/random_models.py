"""Folders of models that mean something, and mutations of them that mean almost the same."""

from random import Random
from typing import Any

from google.protobuf import json_format, text_format

from builder.pbtxt.schema import schema

Files = dict[str, str | bytes]
Config = dict[str, Any]

TYPES = ["TYPE_FP32", "TYPE_INT64", "TYPE_STRING", "TYPE_BOOL", "TYPE_FP16", "TYPE_UINT8"]
NUMBERS = [0, 1, 2, 3, 4, 5, 8, -1, -2, 100]
WORDS = [
    "",
    "x",
    "y",
    "x1",
    "y1",
    "START",
    "END",
    "state",
    "R",
    "0",
    "1",
    "-1",
    "a",
    "data.bin",
    "labels.txt",
    "absent",
]
FOLDERS = [
    "0",
    "1",
    "2",
    "10",
    "01",
    "v1",
    "1abc",
    "5.tmp",
    "-1",
    " 1",
    "+1",
    "0x1",
    "1.0",
    ".git",
    "docs",
    "configs",
]
TOO_NEW = ("model_metrics", "max_inflight_requests")
OTHERS = ("ensemble_scheduling", "name", "backend", "runtime", "parameters", "platform")
"""What is checked elsewhere, or names the tiny backend."""
DANGEROUS = ("model_repository_agents", "metric_tags")
"""What ends the server when it is wrong."""


def model(random: Random) -> Files:
    """Return the files of a model, right or nearly so."""
    config = valid(random)
    for _ in range(random.choice([0, 1, 1, 1, 2, 2, 3])):
        mutate(random, config, schema().ModelConfig.DESCRIPTOR)
    message = json_format.ParseDict(config, schema().ModelConfig())
    folders = random.choice([["1"], ["1"], ["1", "3", "10"], random.sample(FOLDERS, random.randrange(4))])
    files: Files = {f"{folder}/": "" for folder in folders}
    for path in ("labels.txt", "warmup/data.bin", "initial_state/data.bin"):
        if random.random() < 0.8:
            files[path] = data(random)
    return files | {"config.pbtxt": text_format.MessageToString(message)}


def data(random: Random) -> bytes:
    texts = b"".join(
        bytes([len(word), 0, 0, 0]) + word.encode() for word in random.choices(WORDS, k=random.randrange(6))
    )
    return random.choice([bytes(random.choice([0, 4, 15, 16, 32, 33, 64, 300])), texts])


def valid(random: Random) -> Config:
    """Return a config that the core takes."""
    batched = random.random() < 0.7
    config: Config = {"backend": "tiny", "max_batch_size": random.choice([1, 2, 4, 8]) if batched else 0}
    config["input"] = [tensor(random, name, batched=batched) for name in ("x", "x1")[: random.choice([1, 2])]]
    config["output"] = [
        tensor(random, name, batched=batched) for name in ("y", "y1")[: random.choice([1, 2])]
    ]
    if random.random() < 0.2:
        config["output"][0]["label_filename"] = "labels.txt"
    parts = {
        "version_policy": version_policy,
        "instance_group": instance_group,
        "model_warmup": model_warmup,
        "batch_input": batch_input,
        "batch_output": batch_output,
        "response_cache": lambda random, _: {"enable": random.random() < 0.5},
        "model_transaction_policy": lambda random, _: {"decoupled": random.random() < 0.5},
    }
    for key, make in parts.items():
        if random.random() < 0.25:
            config[key] = make(random, config)
    scheduler = random.choice(["", "", "dynamic_batching", "sequence_batching"])
    if scheduler:
        config[scheduler] = (dynamic_batching if scheduler[0] == "d" else sequence_batching)(random, config)
    return config


def tensor(random: Random, name: str, *, batched: bool) -> Config:
    dims = random.choice([[4], [4], [2, 2], [-1], [-1, 4], [1], [2, -1, 3]])
    found: Config = {"name": name, "data_type": random.choice(TYPES), "dims": dims}
    shapes = {
        (4,): [2, 2],
        (2, 2): [4],
        (1,): [],
        (-1,): [-1, 1],
        (-1, 4): [-1, 2, 2],
        (2, -1, 3): [1, 2, -1, 3],
    }
    if random.random() < 0.2 and (batched or dims != [1]):
        found["reshape"] = {"shape": shapes[tuple(dims)]}
    if name.startswith("x") and random.random() < 0.15:
        found["optional"] = True
    return found


def version_policy(random: Random, _: Config) -> Config:
    return random.choice(
        [{"latest": {"num_versions": 2}}, {"latest": {}}, {"all": {}}, {"specific": {"versions": [1, 3]}}, {}]
    )


def instance_group(random: Random, _: Config) -> list[Config]:
    kinds = ["KIND_CPU", "KIND_CPU", "KIND_AUTO", "KIND_MODEL", "KIND_GPU"]
    return [
        {"kind": random.choice(kinds), "count": random.choice([0, 1, 2]), "passive": random.random() < 0.1}
        for _ in range(random.choice([1, 1, 2]))
    ]


def model_warmup(random: Random, config: Config) -> list[Config]:
    inputs = {one["name"]: sample(random, one) for one in config["input"] if random.random() < 0.95}
    return [{"name": "w", "batch_size": random.choice([0, 1, 1, 1, 2]), "inputs": inputs}]


def sample(random: Random, one: Config) -> Config:
    how = random.choice([{"zero_data": True}, {"random_data": True}, {"input_data_file": "data.bin"}])
    dims = [random.choice([1, 3]) if dim == -1 else dim for dim in one["dims"]]
    return {"data_type": one["data_type"], "dims": dims, **how}


def batch_input(random: Random, _: Config) -> list[Config]:
    kind = random.choice(["BATCH_ELEMENT_COUNT", "BATCH_ITEM_SHAPE"])
    return [{"kind": kind, "target_name": ["b"], "data_type": "TYPE_FP32", "source_input": ["x"]}]


def batch_output(_: Random, __: Config) -> list[Config]:
    return [{"target_name": ["y"], "source_input": ["x"]}]


def dynamic_batching(random: Random, config: Config) -> Config:
    found: Config = {"preserve_ordering": random.random() < 0.3}
    if random.random() < 0.5 and config["max_batch_size"]:
        found["preferred_batch_size"] = [random.randint(1, config["max_batch_size"])]
    if random.random() < 0.4:
        policy = {"timeout_action": random.choice(["REJECT", "DELAY"]), "default_timeout_microseconds": 10}
        found |= {"priority_levels": 2, "default_priority_level": 1, "priority_queue_policy": {"2": policy}}
    return found


def sequence_batching(random: Random, config: Config) -> Config:
    kinds = [
        "CONTROL_SEQUENCE_START",
        "CONTROL_SEQUENCE_END",
        "CONTROL_SEQUENCE_READY",
        "CONTROL_SEQUENCE_CORRID",
    ]
    found: Config = {"control_input": [control(random, kind) for kind in kinds if random.random() < 0.4]}
    strategy = random.choice(["", "direct", "oldest"])
    if strategy == "direct":
        found["direct"] = {"minimum_slot_utilization": random.choice([0, 0.5, 1])}
    elif strategy:
        found["oldest"] = {"preferred_batch_size": [1] if config["max_batch_size"] else []}
    if random.random() < 0.5:
        found["state"] = [state(random, number) for number in range(random.choice([1, 1, 2]))]
    return found


def control(random: Random, kind: str) -> Config:
    truth = random.choice(
        [{"int32_false_true": [0, 1]}, {"fp32_false_true": [0, 1]}, {"bool_false_true": [False, True]}]
    )
    value = {"data_type": "TYPE_UINT64"} if kind.endswith("CORRID") else truth
    return {"name": kind, "control": [{"kind": kind, **value}]}


def state(random: Random, number: int) -> Config:
    dims = random.choice([[4], [2, 2], [-1]])
    found: Config = {
        "input_name": f"in{number}",
        "output_name": f"out{number}",
        "data_type": random.choice(TYPES),
        "dims": dims,
    }
    if random.random() < 0.6:
        how = random.choice([{"zero_data": True}, {"data_file": "data.bin"}])
        fixed = [3 if dim == -1 else dim for dim in dims]
        found["initial_state"] = [{"name": "first", "data_type": found["data_type"], "dims": fixed, **how}]
    return found


def mutate(random: Random, config: Config, descriptor: Any) -> None:
    """Change one thing, somewhere in `config`."""
    inner = [
        (config[field.name], field)
        for field in descriptor.fields
        if field.message_type and field.name in config
    ]
    whole = [(part, field) for value, field in inner for part in parts_of(value, field)]
    if whole and random.random() < 0.75:
        part, field = random.choice(whole)
        mutate(random, part, message_of(field))
        return
    unsafe = OTHERS + TOO_NEW + (DANGEROUS if random.random() < 0.98 else ())
    fields = [field for field in descriptor.fields if field.name not in unsafe]
    if fields:
        change(random, config, random.choice(fields))


def parts_of(value: Any, field: Any) -> list[Config]:
    if is_map(field):
        return list(value.values()) if field.message_type.fields_by_name["value"].message_type else []
    return list(value) if field.is_repeated else [value]


def message_of(field: Any) -> Any:
    return field.message_type.fields_by_name["value"].message_type if is_map(field) else field.message_type


def is_map(field: Any) -> bool:
    return bool(field.message_type is not None and field.message_type.GetOptions().map_entry)


def change(random: Random, config: Config, field: Any) -> None:
    """Remove, replace, repeat or add a field; of a oneof only one stays."""
    if field.containing_oneof is not None:
        for other in field.containing_oneof.fields:
            config.pop(other.name, None)
    known = config.get(field.name)
    if known is not None and random.random() < 0.3:
        del config[field.name]
    elif is_map(field):
        value = field.message_type.fields_by_name["value"]
        keys = ["0", "1", "2", "3"] if field.message_type.fields_by_name["key"].cpp_type != 9 else WORDS
        config[field.name] = {**(known or {}), random.choice(keys): one(random, value)}
    elif field.is_repeated:
        kept = list(known or [])[: random.choice([0, 1, 5])]
        again = [random.choice(kept)] if kept and random.random() < 0.4 else [one(random, field)]
        config[field.name] = kept + again * random.choice([1, 1, 2])
    else:
        config[field.name] = one(random, field)


def one(random: Random, field: Any) -> Any:
    if field.message_type is not None:
        made: Config = {}
        fields = [inner for inner in field.message_type.fields if inner.name not in TOO_NEW]
        for inner in random.sample(fields, min(len(fields), random.choice([0, 1, 2, 4]))):
            change(random, made, inner)
        return made
    if field.enum_type is not None:
        return random.choice([*(value.name for value in field.enum_type.values), 99])
    number = random.choice(NUMBERS)
    return {
        field.CPPTYPE_STRING: random.choice(WORDS),
        field.CPPTYPE_BOOL: random.random() < 0.7,
        field.CPPTYPE_FLOAT: number / 2,
        field.CPPTYPE_DOUBLE: number / 2,
        field.CPPTYPE_UINT32: abs(number),
        field.CPPTYPE_UINT64: abs(number),
    }.get(field.cpp_type, number)
