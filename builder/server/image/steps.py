"""What a build says: its steps for people, all of it for a log, and a failure with its cause."""

import logging
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import IO, Any, Final

from builder.errors import MissingTool, ServerError, TrbError

_STEP: Final = re.compile(r"Step (?P<number>\d+/\d+) : (?P<what>.+)")
_IMAGE_ID: Final = re.compile(r"Successfully built (\w+)")
_TAIL_LINES: Final = 12
_LONG: Final = 60
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Steps:
    """Follows a build."""

    say: Callable[[str], None]
    log: IO[str] | None
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
                tail.append(line)
                if match := _STEP.match(line):
                    step = line
                    tail.clear()
                    self.say(f"{match['number']} {_short(match['what'])}")
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
            if self.log is not None:
                self.log.write(f"{line}\n")
        return lines


def _short(what: str) -> str:
    plain = " ".join(what.split())
    return plain if len(plain) <= _LONG else f"{plain[: _LONG - 1]}…"


def failed(step: str, said: str, tail: Iterable[str], base: str) -> TrbError:
    """Return the error of a build that ended at `step`.

    Args:
        step: as the daemon names it, such as `Step 1/20 : FROM debian`; empty before the first.
        said: the daemon's last word.
        tail: the last lines of the step's own output.
        base: the image that the build begins with.
    """
    lines = tuple(tail)
    whole = "\n".join((*lines, said))
    told = "".join(f"\n  {line}" for line in (*lines, said))
    at = _short(step) or "the first step"
    for pattern, fix in _CAUSES:
        if pattern.search(whole):
            return MissingTool(f"the image could not be built at {at}:{told}", fix=fix.format(base=base))
    if "FROM" in step or not step:
        return MissingTool(f"there is no base image {base}:{told}", fix=_NO_BASE.format(base=base))
    return ServerError(
        f"the image could not be built at {at}:{told}", fix="the whole of what it says: --log FILE"
    )


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
        re.compile(r"apt-get: not found"),
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
