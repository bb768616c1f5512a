"""The machine that figures were taken on."""

import os
import platform
from pathlib import Path


def machine() -> str:
    """Return processor, usable cores, memory and operating system, in one line."""
    return ", ".join(part for part in (_processor(), _cores(), _memory(), _system()) if part)


def _processor() -> str:
    return _field(Path("/proc/cpuinfo"), "model name") or platform.processor() or platform.machine()


def _cores() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cpu_quota()
    limited = f", limited to {quota:g} by the container" if quota is not None and quota < usable else ""
    return f"{usable} core{'s' if usable != 1 else ''}{limited}"


def _cpu_quota() -> float | None:
    limit = _read(Path("/sys/fs/cgroup/cpu.max")).split()
    return int(limit[0]) / int(limit[1]) if len(limit) == 2 and limit[0].isdigit() else None  # noqa: PLR2004


def _memory() -> str:
    kib = _field(Path("/proc/meminfo"), "MemTotal").removesuffix("kB").strip()
    return f"{int(kib) / 2**20:.1f} GiB memory" if kib.isdigit() else ""


def _system() -> str:
    name = _os_release().get("PRETTY_NAME", platform.system())
    return f"{name}, kernel {platform.release()}"


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _field(file: Path, key: str) -> str:
    pairs = (line.partition(":") for line in _read(file).splitlines())
    return next((value.strip() for name, _, value in pairs if name.strip() == key), "")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
