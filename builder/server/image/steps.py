"""What a build says: its steps for people, all of it for a log, and a failure with its cause."""

import logging
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import IO, Any, Final

from builder.errors import MissingTool, ServerError, TrbError

_STEP: Final = re.compile(r"Step (?P<number>\d+/\d+) : (?P<what>(?P<verb>\w+).*)")
_SHOWN: Final = ("FROM", "COPY", "RUN")
"""The steps that take time."""
_TOLD: Final = re.compile(r"RUN : ([^;]+);")
"""How our Dockerfile says what a step is for."""
_EXIT: Final = re.compile(r"The command '.*' returned a non-zero code: (\d+)", re.DOTALL)
_NOISE: Final = re.compile(r" ---> |Removing intermediate container ")
"""Lines of the daemon's own, between those of a step."""
_TAIL_LINES: Final = 12
_LONG: Final = 60
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Steps:
    """Follows a build."""

    say: Callable[[str], None]
    log: IO[bytes] | None
    logger: logging.Logger

    def follow(self, stream: Iterable[Mapping[str, Any]], *, base: str) -> str:
        """Return the id of the image that a build ends with.

        Args:
            stream: what the daemon says of it, decoded.
            base: the image that it begins with.

        Raises:
            MissingTool: no base image, no network, no room, another architecture.
            ServerError: a step fails for another reason.
        """
        step, built, tail = "", "", deque[str](maxlen=_TAIL_LINES)
        for one in stream:
            for line in self._lines(one):
                if not _NOISE.match(line):
                    tail.append(line)
                if match := _STEP.match(line):
                    step = f"{match['number']} {_short(match['what'])}"
                    tail.clear()
                    if match["verb"] in _SHOWN:
                        self.say(step)
            if "error" in one:
                raise failed(step, str(one["error"]), tuple(tail), base)
            built = str(one.get("aux", {}).get("ID", built))
        return built

    def _lines(self, one: Mapping[str, Any]) -> list[str]:
        text = str(one.get("stream") or one.get("status") or "")
        lines = [_ESCAPES.sub("", line).rstrip() for line in text.splitlines()]
        lines = [line for line in lines if line]
        for line in lines:
            self.logger.info(line)
        self._keep(lines)
        return lines

    def _keep(self, lines: Iterable[str]) -> None:
        if self.log is None:
            return
        try:
            self.log.write("".join(f"{line}\n" for line in lines).encode())
        except OSError as error:
            raise ServerError(
                f"the log of the build cannot be written: {error.strerror}: {self.log.name}",
                fix="free some space, or name another --log",
            ) from error


def _short(what: str) -> str:
    told = _TOLD.match(what)
    plain = " ".join((told[1] if told else what).split())
    return plain if len(plain) <= _LONG else f"{plain[: _LONG - 1]}…"


def failed(step: str, said: str, tail: Iterable[str], base: str) -> TrbError:
    """Return the error of a build that ended at `step`.

    Args:
        step: its number and what it does, such as `1/20 FROM debian`; empty before the first.
        said: the daemon's last word.
        tail: the last lines of the step's own output.
        base: the image that the build begins with.
    """
    lines = (*tail, _EXIT.sub(r"exit status \1", said))
    told = "".join(f"\n  {line}" for line in lines)
    what = f"the image could not be built, at step {step}:{told}"
    for pattern, fix in _CAUSES:
        if pattern.search(told):
            return MissingTool(what, fix=fix.format(base=base))
    if "FROM" in step or not step:
        return MissingTool(f"there is no base image {base}:{told}", fix=_NO_BASE.format(base=base))
    return ServerError(what, fix="the whole of what it says: --log FILE")


_NO_BASE: Final = (
    "pull it where there is a network (`docker pull {base}`; `docker save` and `docker load` carry it here), or name "
    "an image that is here: --base"
)
_NO_PACKAGES: Final = (
    "the build needs the distribution's packages: try --network host, or give the daemon a proxy; behind neither, "
    "name a --base that has python3, its shared library and tini"
)
_CAUSES: Final = (
    (
        re.compile(r"no space left on device"),
        "make room on the daemon's disk: `docker system df` says what takes it",
    ),
    (
        re.compile(r"exec format error|does not match the specified platform|no matching manifest"),
        "{base} is for another architecture: use one for linux/amd64",
    ),
    (
        re.compile(r"apt-get: not found|/bin/sh: no such file"),
        "{base} is no Debian or Ubuntu: use a --base such as debian:bookworm-slim or python:3.11-slim",
    ),
    (
        re.compile(
            r"failure resolving|Could not resolve|Failed to fetch|Unable to locate package|Could not connect"
        ),
        _NO_PACKAGES,
    ),
    (
        re.compile(r"No matching distribution found|is not a supported wheel"),
        "a wheel does not fit the image's Python: look at the --requirements, and at what TRB_WHEELS holds",
    ),
)
