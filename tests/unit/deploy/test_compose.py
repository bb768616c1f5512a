"""compose.yaml and what its containers read say what was meant."""

import pytest
import yaml

from builder.deploy import Images, Ports
from builder.errors import UsageError
from builder.server.docker.gpus import gpus
from builder.spec.releases import release
from tests.unit.deploy.values import STACK, composed, rendered


def test_triton_loads_what_is_served_and_what_pipelines_are_made_of() -> None:
    """The command loads every model by name, each once, and nothing else."""
    command = composed()["services"]["triton"]["command"]

    loaded = [word.removeprefix("--load-model=") for word in command if word.startswith("--load-model=")]
    assert command[:2] == ["tritonserver", "--model-repository=/models"]
    assert "--model-control-mode=explicit" in command
    assert loaded == list(STACK.loads)


@pytest.mark.parametrize(
    "path",
    [
        "../my models",
        "../costs $5 ${HOME}",
        'say "hi"',
        "a: b #c",
        "größe/π",
        "../back\\slash",
        "- x",
        "{}",
        "tab\tbed",
    ],
)
def test_a_path_is_mounted_whatever_it_is_called(path: str) -> None:
    """The repository's path comes back from YAML as it was, and no variable is filled into it."""
    mount = composed(repository=path)["services"]["triton"]["volumes"][0]

    assert mount["source"] == path
    assert (mount["target"], mount["read_only"]) == ("/models", True)
    assert mount["bind"] == {"create_host_path": False}


def test_nothing_listens_beyond_this_machine() -> None:
    """Every published port is one of 127.0.0.1, and each service is reached on the port that was asked for."""
    ports = Ports(http=1, grpc=2, metrics=3, prometheus=4, grafana=5)

    services = composed(ports=ports)["services"]

    published = {name: one["ports"] for name, one in services.items()}
    assert published == {
        "triton": ["127.0.0.1:1:8000", "127.0.0.1:2:8001", "127.0.0.1:3:8002"],
        "prometheus": ["127.0.0.1:4:9090"],
        "grafana": ["127.0.0.1:5:3000"],
    }


def test_a_port_is_given_once() -> None:
    """Two services on one port are refused, and both options are named."""
    with pytest.raises(UsageError, match=r"port 8000 .* --http-port and --grafana-port"):
        Ports(grafana=8000)


def test_each_waits_for_the_one_it_asks() -> None:
    """Prometheus starts when Triton is ready, Grafana when Prometheus is, and each of the three is asked."""
    services = composed()["services"]

    waits = {name: one.get("depends_on") for name, one in services.items()}
    assert waits == {
        "triton": None,
        "prometheus": {"triton": {"condition": "service_healthy"}},
        "grafana": {"prometheus": {"condition": "service_healthy"}},
    }
    assert all(one["healthcheck"]["test"][0] == "CMD" for one in services.values())
    assert "/v2/health/ready" in services["triton"]["healthcheck"]["test"][-1]


def test_every_mounted_file_is_written() -> None:
    """What a container mounts from the folder is there; every named volume is declared."""
    document, texts = composed(), rendered()

    mounts = [
        mount.split(":")[0]
        for one in ("prometheus", "grafana")
        for mount in document["services"][one]["volumes"]
    ]
    for mount in mounts:
        if mount.startswith("./"):
            assert any(name.startswith(mount[2:]) for name in texts)
        else:
            assert mount in document["volumes"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("all", {"count": "all"}),
        ("2", {"count": 2}),
        ("device=0,GPU-1f", {"device_ids": ["0", "GPU-1f"]}),
    ],
)
def test_gpus_are_reserved_as_asked(given: str, wanted: dict[str, object]) -> None:
    """All, a number or a list of devices becomes a reservation, and GPU metrics stay on."""
    triton = composed(gpus=gpus(given))["services"]["triton"]

    (device,) = triton["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "capabilities": ["gpu"], **wanted}
    assert triton["ulimits"] == {"memlock": -1, "stack": 67108864}
    assert "--allow-gpu-metrics=false" not in triton["command"]


def test_without_gpus_none_is_asked_for() -> None:
    """No reservation, no limit that a GPU alone needs, and no warnings about a GPU in the log."""
    triton = composed()["services"]["triton"]

    assert "deploy" not in triton
    assert triton["ulimits"] == {"stack": 67108864}  # a daemon without root refuses to raise memlock
    assert "--allow-gpu-metrics=false" in triton["command"]


@pytest.mark.parametrize(
    ("name", "has_quantiles", "wanted"),
    [("24.10", True, True), ("24.10", False, False), ("23.03", True, False)],
)
def test_percentiles_are_asked_for_where_the_release_has_them(
    name: str, has_quantiles: bool, wanted: bool
) -> None:
    """The server and the dashboard agree about percentiles; a release before 23.04 does not know the option."""
    changes = {"release": release(name), "has_quantiles": has_quantiles}

    command = composed(**changes)["services"]["triton"]["command"]

    assert ("--metrics-config=summary_latencies=true" in command) is wanted
    assert ("summary_us" in rendered(**changes)["grafana/dashboards/models.json"]) is wanted


def test_prometheus_asks_triton() -> None:
    """There is one job, `triton`, and its target is the service and the port of the metrics in there."""
    document = yaml.safe_load(rendered()["prometheus.yml"])

    (job,) = document["scrape_configs"]
    assert job == {"job_name": "triton", "static_configs": [{"targets": ["triton:8002"]}]}


def test_old_metrics_are_said_to_be_text() -> None:
    """Prometheus is told the format of a release that may not say it."""
    document = yaml.safe_load(rendered(release=release("22.01"))["prometheus.yml"])

    (job,) = document["scrape_configs"]
    assert job["fallback_scrape_protocol"] == "PrometheusText0.0.4"


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    """The datasource is the service Prometheus, and the dashboards' folder is the one that is mounted."""
    texts, grafana = rendered(), composed()["services"]["grafana"]

    (source,) = yaml.safe_load(texts["grafana/provisioning/datasources/trb.yaml"])["datasources"]
    (provider,) = yaml.safe_load(texts["grafana/provisioning/dashboards/trb.yaml"])["providers"]
    assert source["url"] == "http://prometheus:9090"
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    assert grafana["environment"]["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert all(isinstance(value, str) for value in grafana["environment"].values())


def test_the_images_are_those_that_were_asked_for() -> None:
    """Each service has its image, a registry's port and a digest included."""
    images = Images(triton="localhost:5000/t@sha256:00", prometheus="p:1", grafana="g:2")

    services = composed(images=images)["services"]

    assert {name: one["image"] for name, one in services.items()} == {
        "triton": "localhost:5000/t@sha256:00",
        "prometheus": "p:1",
        "grafana": "g:2",
    }


def test_no_image_is_the_newest() -> None:
    """Images that nobody asked for have a version."""
    assert all(one["image"].rpartition(":")[2][:1] in "v123456789" for one in composed()["services"].values())


def test_the_same_stack_gives_the_same_bytes() -> None:
    """Rendering twice gives the same files; shared memory is as computed, no other limit is set but by the user."""
    assert rendered() == rendered()
    triton = composed()["services"]["triton"]
    assert triton["shm_size"] == STACK.shm_bytes
    assert (triton["cpus"], triton["mem_limit"]) == ("${TRITON_CPUS:-0}", "${TRITON_MEMORY:-0}")
