"""A server in this process that really batches: concurrent requests are concatenated, run once and split."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from builder.check.port import Answer, NoAnswer
from builder.spec.loaded import Feed

Model = Callable[[Feed], dict[str, Any]]


@dataclass
class BatchingServer:
    """Fits the port `Served`. Inputs and outputs have the batch axis first."""

    model: Model
    max_batch_size: int = 8
    queue_delay_s: float = 0.005
    ran: Counter[int] = field(default_factory=Counter)
    _waiting: list["_Request"] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _running: threading.Lock = field(default_factory=threading.Lock)

    def grpc(self, feed: Feed) -> Answer:
        request = _Request(feed)
        with self._lock:
            self._waiting.append(request)
            leads = len(self._waiting) == 1
        if leads:
            time.sleep(self.queue_delay_s)
            self._run_all()
        request.answered.wait(timeout=10)
        return request.answer

    def http(self, feed: Feed) -> Answer:
        return self.grpc(feed)

    def batches(self) -> Mapping[int, int]:
        return dict(self.ran)

    def _run_all(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        with self._running:
            step = max(1, self.max_batch_size)
            for start in range(0, len(waiting), step):
                self._run(waiting[start : start + step])

    def _run(self, requests: list["_Request"]) -> None:
        rows = [len(next(iter(request.feed.values()))) for request in requests]
        if sum(rows) > max(self.max_batch_size, 1):
            for request in requests:
                request.finish(NoAnswer(f"batch-size must be <= {self.max_batch_size}"))
            return
        whole = {
            name: np.concatenate([request.feed[name] for request in requests]) for name in requests[0].feed
        }
        outputs = self.model(whole)
        self.ran[sum(rows)] += 1
        ends = np.cumsum(rows)[:-1]
        for n, request in enumerate(requests):
            request.finish({name: np.split(array, ends)[n] for name, array in outputs.items()})


@dataclass
class _Request:
    feed: Feed
    answer: Answer = field(default_factory=lambda: NoAnswer("no answer within 10 s"))
    answered: threading.Event = field(default_factory=threading.Event)

    def finish(self, answer: Answer) -> None:
        self.answer = answer
        self.answered.set()
