"""A model that an ensemble may be made of, as far as the ensemble sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.rules.refusal import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A model of the repository."""

    config: Config = field(default_factory=dict)
    """Completed as far as a server would. A section that is still missing is not known: its backend may fill it in."""
    versions: tuple[int, ...] = ()
    """Those that are served, the latest last."""
    failure: str = ""
    """Why it is not served; empty where it is. Nothing else is known of one that is not."""

    @property
    def is_decoupled(self) -> bool:
        """Whether it may send any number of answers to a request."""
        return bool((self.config.get("model_transaction_policy") or {}).get("decoupled"))


Parts = Mapping[str, Part]
