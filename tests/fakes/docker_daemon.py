"""A Docker daemon in this process: the real SDK asks it, and is answered in HTTP as it stands on the wire."""

import http.client
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import docker
import requests
import urllib3

from builder.server.docker.daemon import Daemon

ADDRESS = "tcp://docker.example:2375"
_REASONS = http.client.responses


@dataclass
class FakeDaemon:
    """What a daemon has, and what a registry has for it."""

    images: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Attributes by name, as `docker image inspect` prints them."""
    registry: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Images that can be pulled."""
    pull: list[Mapping[str, Any]] = field(default_factory=list)
    """What is said during a pull."""
    containers: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels by name."""
    made: list[Mapping[str, Any]] = field(default_factory=list)
    """What was asked for each container that was made here."""
    refusals: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    """Status and message by method and path, for what is not done."""
    architecture: str = "x86_64"
    time: str = "2026-03-01T12:00:00.123456789Z"
    """What it takes the time to be, in its own time zone."""
    facts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What is to be said of a container by its name, where it is more than that it runs."""
    events: list[Mapping[str, Any]] = field(default_factory=list)
    """What has happened to its containers, each with its `time` in seconds."""

    @contextmanager
    def connected(self, address: str = ADDRESS) -> Iterator[Daemon]:
        """Yield this daemon as `connected` does."""
        client = docker.DockerClient(base_url=ADDRESS, version="1.41")
        client.api.mount("http://", _Adapter(self))
        try:
            yield Daemon(client, address)
        finally:
            client.close()

    def answer(  # noqa: PLR0911 - a table
        self, method: str, path: str, query: Mapping[str, str], body: Any
    ) -> tuple[int, Any]:
        """Return the status and the body: lines for an iterator, else JSON."""
        if (method, path) in self.refusals:
            status, message = self.refusals[method, path]
            return status, {"message": message}
        match method, path.strip("/").split("/"):
            case "GET", ["info"]:
                return 200, {"Architecture": self.architecture, "SystemTime": self.time}
            case "GET", ["events"]:
                return 200, self._events(int(query["since"]), int(query["until"]))
            case "POST", ["images", "create"]:
                return self._pull(query)
            case "GET", ["images", *name, "json"]:
                return _found(self.images, _whole("/".join(name)), "No such image")
            case "POST", ["containers", "create"]:
                self.made.append(body)
                self.containers[query["name"]] = body["Labels"]
                return 201, {"Id": query["name"], "Warnings": []}
            case "GET", ["containers", "json"]:  # as a daemon does, by the labels that are asked for
                return 200, [{"Id": one} for one in self._labelled(json.loads(query.get("filters", "{}")))]
            case "GET", ["containers", name, "json"]:
                return _found(
                    {one: self._container(one) for one in self.containers}, name, "No such container"
                )
            case "DELETE", ["containers", name]:
                status, answer = _found(dict.fromkeys(self.containers, ""), name, "No such container")
                self.containers.pop(name, None)
                return (204, "") if status == 200 else (status, answer)
        return 404, {"message": "page not found"}

    def _labelled(self, filters: Mapping[str, list[str]]) -> list[str]:
        wanted = [one.partition("=") for one in filters.get("label", ())]
        return [
            name
            for name, labels in self.containers.items()
            if all(label in labels and value in ("", labels[label]) for label, _, value in wanted)
        ]

    def _container(self, name: str) -> Mapping[str, Any]:
        usual = {"State": {"Status": "running"}, "Config": {"Tty": False, "Labels": self.containers[name]}}
        return {"Id": name, "Name": f"/{name}", **usual, **self.facts.get(name, {})}

    def _events(self, since: int, until: int) -> Iterator[Mapping[str, Any]]:
        now = datetime.fromisoformat(self.time).timestamp()
        assert until <= now + 2, f"a daemon would go on for {until - now:.0f} seconds"
        return (one for one in self.events if since <= one["time"] <= until)

    def _pull(self, query: Mapping[str, str]) -> tuple[int, Any]:
        joint = "@" if query["tag"].startswith("sha256:") else ":"
        name = f"{query['fromImage']}{joint}{query['tag']}"
        if name not in self.registry:
            return 404, {"message": f"manifest for {name} not found: manifest unknown"}
        if not any("error" in event for event in self.pull):
            self.images[name] = self.registry[name]
        return 200, iter(self.pull)


def _whole(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _found(things: Mapping[str, Any], name: str, absent: str) -> tuple[int, Any]:
    return (200, things[name]) if name in things else (404, {"message": f"{absent}: {name}"})


class _Adapter(requests.adapters.HTTPAdapter):
    """Carries requests to a `FakeDaemon`."""

    def __init__(self, daemon: FakeDaemon) -> None:
        super().__init__()
        self._daemon = daemon

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        url = urlsplit(str(request.url))
        path = unquote(url.path).removeprefix("/v1.41")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = json.loads(request.body) if request.body else None
        status, answer = self._daemon.answer(str(request.method), path, query, body)
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
        return self.build_response(request, _parsed(head.encode() + _body(answer)))


def _body(answer: Any) -> bytes:
    if isinstance(answer, Iterator):
        lines = [json.dumps(one).encode() + b"\r\n" for one in answer]
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(line), line) for line in (*lines, b""))
        return b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    body = json.dumps(answer).encode() if answer else b""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class _Wire(io.BytesIO):
    """What `http.client` reads in place of a socket."""

    def makefile(self, _: str) -> io.BytesIO:
        return self


def _parsed(answer: bytes) -> urllib3.HTTPResponse:
    read = http.client.HTTPResponse(_Wire(answer))  # type: ignore[arg-type]
    read.begin()
    return urllib3.HTTPResponse(
        read,
        headers=urllib3.HTTPHeaderDict(read.getheaders()),
        status=read.status,
        reason=read.reason,
        preload_content=False,
    )
