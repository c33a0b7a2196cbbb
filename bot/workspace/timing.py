"""How long things live in Slack. Tests shorten these."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Timing:
    """Durations in seconds, and the clock they are measured with.

    Attributes:
        ack: How long the app may take to acknowledge a delivery.
        retry_delays: How long an event waits before its first, second and third repetition.
        trigger: How long a trigger id opens a view.
        stream: How long a streamed message takes text.
        response_url: How long a response URL is good for.
        status: When an assistant status clears itself.
        ping: How often an idle socket is pinged.
        clock: Seconds since the epoch.
    """

    ack: float = 3.0
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    trigger: float = 3.0
    stream: float = 300.0
    response_url: float = 1_800.0
    status: float = 120.0
    ping: float = 1.0
    clock: Callable[[], float] = time.time
