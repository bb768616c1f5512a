"""`max_batch_size` and `dynamic_batching`."""

from collections.abc import Iterator

from builder.rules.refusal import Config, Place, Refusal, max_batch_size

_AT = "dynamic_batching"


def check(config: Config) -> Iterator[Refusal]:
    """Yield what the core has against how requests are to be batched."""
    if max_batch_size(config) < 0:
        yield Refusal(
            f"'max_batch_size' must be non-negative value for {config['name']}",
            code="C205",
            place=("max_batch_size",),
        )
    batching = config.get(_AT)
    if batching is not None:
        yield from preferred_sizes(config, batching, (_AT,), "dynamic batching preferred size", code="C211")
        yield from _priorities(config, batching)
        if batching.get("preserve_ordering"):
            yield from _ordered(config, batching)


def preferred_sizes(
    config: Config, batching: Config, at: Place, called: str, *, code: str
) -> Iterator[Refusal]:
    """Yield each preferred batch size of `batching` that is no size, or that no batch may have."""
    for position, size in enumerate(map(int, batching.get("preferred_batch_size") or ())):
        place = (*at, "preferred_batch_size", position)
        if size <= 0:
            yield Refusal(f"{called} must be positive for {config['name']}", code=code, place=place)
        elif size > max_batch_size(config):
            yield Refusal(
                f"{called} must be <= max batch size for {config['name']}",
                code=code,
                place=place,
                fix=f"max_batch_size is {max_batch_size(config)}",
            )


def _priorities(config: Config, batching: Config) -> Iterator[Refusal]:
    levels = int(batching.get("priority_levels") or 0)
    if levels == 0:
        return
    allowed = f"in range [1, {levels}] for {config['name']}"
    if not 1 <= int(batching.get("default_priority_level") or 0) <= levels:
        part = "default_priority_level" if "default_priority_level" in batching else "priority_levels"
        yield Refusal(
            f"default priority level must be {allowed}",
            code="C212",
            place=(_AT, part),
            fix="default_priority_level: 1",
        )
    for level in batching.get("priority_queue_policy") or {}:
        if not 1 <= int(level) <= levels:
            yield Refusal(
                f"priority queue policy must have priority level {allowed}",
                code="C212",
                place=(_AT, "priority_queue_policy", level),
            )


def _ordered(config: Config, batching: Config) -> Iterator[Refusal]:
    when = f"when 'preserve_ordering' is true for {config['name']}"
    if int(batching.get("priority_levels") or 0) > 1:
        yield Refusal(
            f"Only one priority level is allowed {when}", code="C212", place=(_AT, "priority_levels")
        )
    policies: dict[Place, Config] = {("default_queue_policy",): batching.get("default_queue_policy") or {}}
    for level, policy in (batching.get("priority_queue_policy") or {}).items():
        policies["priority_queue_policy", level] = policy
    for part, policy in policies.items():
        if policy.get("timeout_action") == "DELAY" and int(policy.get("default_timeout_microseconds") or 0):
            yield Refusal(
                f"Queue policy can not have DELAY as timeout action {when}",
                code="C212",
                place=(_AT, *part, "timeout_action"),
                fix="timeout_action: REJECT, or no preserve_ordering",
            )
