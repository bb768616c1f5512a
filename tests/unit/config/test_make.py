"""What config.pbtxt says about a model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from builder import config
from builder.config.threads import thread_parameters
from builder.spec.dtypes import DType
from builder.spec.model_config import ConfigTensor, DynamicBatching, InstanceGroup, ModelConfig, WarmupInput
from builder.spec.project import Axis, Backend, Batching, Instances
from tests.unit.config.values import (
    IMAGE,
    ONNX,
    SCORES,
    STATES,
    TEXT,
    TORCHSCRIPT,
    artifact,
    loaded,
    proof,
)

SEQ = {"batch": Axis(max=8), "seq": Axis(max=128)}


def made(max_batch_size: int = 8, **model: object) -> ModelConfig:
    one = loaded(IMAGE, SCORES, **model)
    return config.make("m", one, artifact(one), proof(max_batch_size), cores=8)


def test_dims_leave_out_the_batch_axis() -> None:
    """With batching the first axis is the server's own, so that dims begin with the second."""
    assert made().inputs == (ConfigTensor(name="image", dtype=DType.FP32, dims=(1, 8, 8)),)


def test_without_batching_dims_are_the_whole_shape() -> None:
    """With max_batch_size 0 the batch axis is an axis like any other."""
    assert made(0).inputs[0].dims == (-1, 1, 8, 8)
    assert made(0).outputs[1] == ConfigTensor(name="digit", dtype=DType.INT64, dims=(-1,))


def test_an_output_of_the_batch_axis_alone_is_reshaped() -> None:
    """A batch-only output has dims [1] and an empty reshape; onnxruntime loads nothing else."""
    assert made().outputs[1] == ConfigTensor(name="digit", dtype=DType.INT64, dims=(1,), reshape=())


def test_a_scalar_of_an_unbatched_model_has_one_dim_and_no_reshape() -> None:
    """Triton refuses empty dims, and an empty reshape without batching."""
    one = loaded({"x": (DType.FP32, (4,))}, {"mean": (DType.FP32, ())})
    outputs = config.make("m", one, artifact(one), proof(0)).outputs
    assert outputs == (ConfigTensor(name="mean", dtype=DType.FP32, dims=(1,)),)


def test_a_dynamic_axis_is_minus_one() -> None:
    """Only the axes that the file has dynamic are open."""
    one = loaded(TEXT, STATES, dims=SEQ)
    outputs = config.make("m", one, artifact(one), proof(8)).outputs
    assert outputs[0].dims == (-1, 16)


@pytest.mark.parametrize(
    ("largest", "batching"), [(0, None), (1, None), (2, DynamicBatching(max_queue_delay_microseconds=100))]
)
def test_requests_are_put_together_only_where_two_fit(largest: int, batching: DynamicBatching | None) -> None:
    """dynamic_batching stands in the config exactly when max_batch_size is above 1."""
    assert made(largest).dynamic_batching == batching


def test_preferred_sizes_above_the_proven_maximum_are_left_out() -> None:
    """Triton refuses a preferred size above max_batch_size."""
    batching = made(8, batching=Batching(preferred_sizes=(16, 4), queue_delay_us=7)).dynamic_batching
    assert batching == DynamicBatching(preferred_batch_size=(4,), max_queue_delay_microseconds=7)


def test_the_instance_count_is_always_written() -> None:
    """Left out, it would be two for onnxruntime on a CPU."""
    assert made().instance_group == (InstanceGroup(kind="KIND_AUTO", count=1),)


def test_gpus_and_kind_come_from_the_spec() -> None:
    """What the spec says about instances stands in the config."""
    group = made(instances=Instances(count=3, kind="gpu", gpus=(0, 1))).instance_group
    assert group == (InstanceGroup(kind="KIND_GPU", count=3, gpus=(0, 1)),)


def test_one_instance_is_given_no_thread_count() -> None:
    """One instance shares with nobody, and the file is the same on every machine that builds it."""
    assert made().parameters == {}


@pytest.mark.parametrize(
    ("backend", "key"), [(ONNX, "intra_op_thread_count"), (TORCHSCRIPT, "INTRA_OP_THREAD_COUNT")]
)
def test_several_instances_share_the_cores(backend: str, key: str) -> None:
    """Each of n instances gets a nth of the cores, under the name its backend reads."""
    assert thread_parameters(backend, Instances(count=3), 8) == {key: "2"}


def test_more_instances_than_cores_still_get_a_thread_each() -> None:
    """Zero would mean all cores."""
    assert thread_parameters(ONNX, Instances(count=9), 8) == {"intra_op_thread_count": "1"}


def test_the_cores_that_the_spec_names_count_before_those_of_this_machine() -> None:
    """With instances.cores the config does not depend on where it was built."""
    assert thread_parameters(ONNX, Instances(count=2, cores=64)) == {"intra_op_thread_count": "32"}


def test_the_users_parameters_win() -> None:
    """A parameter of the spec replaces ours of the same name, and others stand beside it."""
    given = {"intra_op_thread_count": "7", "enable_mem_arena": "0"}
    assert made(instances=Instances(count=2), parameters=given).parameters == given


def test_warmup_runs_the_smallest_preferred_and_largest_batch() -> None:
    """Every batch size that matters is run before the model is ready."""
    warmups = made(8, batching=Batching(preferred_sizes=(4, 32))).warmups
    assert [one.batch_size for one in warmups] == [1, 4, 8]


def test_a_model_that_is_not_batched_is_warmed_up_once() -> None:
    """Triton takes no other batch size than 1 there; the whole shape is in the dims."""
    assert [(one.batch_size, one.inputs["image"].dims) for one in made(0).warmups] == [(1, (1, 1, 8, 8))]


def test_torchscript_is_warmed_up_until_it_is_compiled() -> None:
    """torch's profiling executor is slow in its first two runs of a shape."""
    one = loaded(IMAGE, SCORES)
    warmups = config.make("m", one, artifact(one, TORCHSCRIPT), proof(8)).warmups
    assert [run.count for run in warmups] == [3, 3]


def test_warmup_takes_its_shape_from_the_first_sample() -> None:
    """A real input says how long inputs are."""
    samples = {name: np.ones((5, 23), dtype=np.int64) for name in TEXT}
    one = loaded(TEXT, STATES, dims=SEQ, samples=samples)
    inputs = config.make("m", one, artifact(one), proof(8)).warmups[0].inputs
    name = inputs["ids"].data_file
    assert inputs["ids"] == WarmupInput(dtype=DType.INT64, dims=(23,), data_file=name)


def test_a_warmup_that_is_not_wanted_is_not_written() -> None:
    """`warmup: false` leaves nothing to run."""
    assert made(warmup=False).warmups == ()


def test_a_python_function_runs_on_the_cpu_unless_it_is_said_to_use_a_gpu() -> None:
    """KIND_AUTO would move its instances to GPUs that it knows nothing of; no threads are set for it."""
    kinds = {}
    for kind in ("auto", "cpu", "gpu"):
        one = loaded(IMAGE, SCORES, instances=Instances(count=2, kind=kind, cores=8))
        made_of = config.make("m", one, artifact(one, Backend.PYTHON), proof(8))
        kinds[kind] = made_of.instance_group[0].kind
        assert made_of.parameters == {}
    assert kinds == {"auto": "KIND_CPU", "cpu": "KIND_CPU", "gpu": "KIND_GPU"}


def test_requests_that_may_not_meet_are_not_batched() -> None:
    """The largest batch of one request stays, and there is no dynamic batching."""
    one = loaded(IMAGE, SCORES)
    made_of = config.make("m", one, artifact(one), replace(proof(8), joins_requests=False))
    assert made_of.max_batch_size == 8
    assert made_of.dynamic_batching is None


def test_labels_have_a_name_that_no_other_content_has(tmp_path: Path) -> None:
    """The config names the file that is written beside it, and other labels another."""
    names = set()
    for labels in (("cat", "größe"), ("cat", "dog")):
        one = replace(loaded(IMAGE, SCORES, warmup=False), labels={"scores": labels})
        made_of = config.make("m", one, artifact(one), proof(8))
        config.write(made_of, one, into=tmp_path)
        by_name = {output.name: output.label_filename for output in made_of.outputs}
        assert (tmp_path / by_name["scores"]).read_text(encoding="utf-8").splitlines() == list(labels)
        assert by_name["digit"] == ""
        assert f'label_filename: "{by_name["scores"]}"' in (tmp_path / "config.pbtxt").read_text()
        names.add(by_name["scores"])
    assert len(names) == 2
