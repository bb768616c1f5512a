"""Ensembles that are made of each other, so that none can be loaded first."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence

from builder.rules.ensembles.steps import steps
from builder.rules.refusal import Config, Refusal


def in_circles(ensembles: Mapping[str, Config]) -> Mapping[str, Refusal]:
    """Return the refusal of each ensemble that is in a circle of ensembles, or made of one that is."""
    uses = {
        name: tuple(dict.fromkeys(step.model for step in steps(config) if step.model in ensembles))
        for name, config in ensembles.items()
    }
    stuck = _stuck(uses)
    return {name: _refusal(name, ensembles[name], uses, stuck) for name in ensembles if name in stuck}


def _stuck(uses: Mapping[str, Sequence[str]]) -> Collection[str]:
    """Return those that wait for one that waits for itself."""
    users: dict[str, list[str]] = {name: [] for name in uses}
    for name, used in uses.items():
        for one in used:
            users[one].append(name)
    left = {name: len(used) for name, used in uses.items()}
    ready = deque(name for name, count in left.items() if not count)
    while ready:
        name = ready.popleft()
        del left[name]
        for user in users[name]:
            left[user] -= 1
            if not left[user]:
                ready.append(user)
    return left


def _refusal(name: str, config: Config, uses: Mapping[str, Sequence[str]], stuck: Collection[str]) -> Refusal:
    path = _way_back(name, uses)
    after = (*path, name)[1] if path else next(one for one in uses[name] if one in stuck)
    step = next(step for step in steps(config) if step.model == after)
    place = (*step.place, "model_name")
    if path:
        return Refusal(
            f"circular dependency between ensembles: {' -> '.join((*path, name))}",
            code="E112",
            place=place,
            fix="take one of them apart: an ensemble cannot be a step of itself",
        )
    return Refusal(
        f"ensemble '{name}' depends on '{after}', which is made of itself: a server that loads it dies",
        kind="crash",
        code="E112",
        place=place,
        fix=f"take the circle of '{after}' apart",
    )


def _way_back(name: str, uses: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return the shortest way from `name` to one that uses it; none where there is no way."""
    paths: dict[str, tuple[str, ...]] = {name: (name,)}
    ahead = deque([name])
    while ahead:
        current = ahead.popleft()
        if name in uses[current]:
            return paths[current]
        for one in uses[current]:
            if one not in paths:
                paths[one] = (*paths[current], one)
                ahead.append(one)
    return ()
