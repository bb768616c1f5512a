"""What Triton's onnxruntime backend refuses of the settings that it reads for instances on a GPU alone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from builder.rules import parameters
from builder.rules.refusal import Config, Refusal

_INTEGERS: Final = (
    "cudnn_conv_algo_search",
    "gpu_mem_limit",
    "arena_extend_strategy",
    "do_copy_in_default_stream",
)
_NAMES: Final = ("tensorrt", "cuda")
_TENSORRT: Final = frozenset(
    {
        "precision_mode",
        "max_workspace_size_bytes",
        "int8_calibration_table_name",
        "int8_use_native_calibration_table",
        *(
            f"trt_{name}"
            for name in (
                "max_partition_iterations", "min_subgraph_size", "dla_enable", "dla_core", "engine_cache_enable",
                "engine_cache_path", "engine_cache_prefix", "dump_subgraphs", "force_sequential_engine_build",
                "context_memory_sharing_enable", "layer_norm_fp32_fallback", "timing_cache_enable",
                "timing_cache_path", "force_timing_cache", "detailed_build_log", "build_heuristics_enable",
                "sparsity_enable", "builder_optimization_level", "auxiliary_streams", "tactic_sources",
                "extra_plugin_lib_paths", "profile_min_shapes", "profile_max_shapes", "profile_opt_shapes",
                "cuda_graph_enable", "dump_ep_context_model", "ep_context_file_path", "ep_context_embed_mode",
            )
        ),
    }
)  # fmt: skip
_PRECISIONS: Final = ("FP32", "FP16", "BF16", "INT8")


def check(config: Config, *, gpus: int | None) -> list[Refusal]:
    """Return what keeps an instance on a GPU from loading.

    Args:
        config: the configuration.
        gpus: how many the server has; None: not known, and then only an instance that has to be on a GPU is sure
            to be on one.
    """
    groups: Sequence[Config] = config.get("instance_group") or ({},)
    kinds = {group.get("kind") or "KIND_AUTO" for group in groups}
    if gpus == 0 or not kinds & {"KIND_GPU", "KIND_AUTO"}:
        return []
    found = [*parameters.unreadable(config, integers=_INTEGERS, booleans=()), *_accelerators(config)]
    is_sure = gpus is not None or "KIND_GPU" in kinds
    return (
        found
        if is_sure
        else [replace(one, kind="surprise", message=f"on a GPU: {one.message}") for one in found]
    )


def _accelerators(config: Config) -> Iterator[Refusal]:
    part = "gpu_execution_accelerator"
    given = ((config.get("optimization") or {}).get("execution_accelerators") or {}).get(part) or ()
    for position, accelerator in enumerate(given):
        place = ("optimization", "execution_accelerators", part, position)
        name = accelerator.get("name", "")
        if name not in _NAMES:
            yield Refusal(
                f"unknown Execution Accelerator '{name}' is requested", code="C240", place=(*place, "name")
            )
        elif name == "tensorrt":
            for key, why in _tensorrt(accelerator.get("parameters") or {}):
                yield Refusal(why, code="C240", place=(*place, "parameters", key))


def _tensorrt(given: Config) -> Iterator[tuple[str, str]]:
    for key, value in given.items():
        if key not in _TENSORRT:
            yield key, f"unknown parameter '{key}' is provided for TensorRT Execution Accelerator"
        elif key == "precision_mode" and value not in _PRECISIONS:
            yield key, f"unsupported precision mode '{value}' is requested"
