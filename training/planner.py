"""Before a run starts: what it takes of memory, time and money, and whether it fits at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from training.memory_plan import GB, Load, MemoryPlan, plan_memory
from training.model_shape import ModelShape, read_shape
from training.processor import has_bfloat16
from training.recipe import Recipe

#: Share of a row's tokens that are learned, in the product's rows: question and passages are read,
#: the answer is an eighth of it.
LEARNED_SHARE = 1 / 8

#: Floating-point operations of a token and parameter: two on the way forward, two for the
#: gradients of the activations, and two for those of the weights (Kaplan et al. 2020, section
#: 2.1), which frozen weights do not need. Recomputing adds the way forward once more.
_OPERATIONS = {"full": 6, "lora": 4, "qlora": 4}

#: Operations a second that training reaches on one core of the machine it was measured on: 190
#: tokens a second of the bundled model (134.5 million parameters) on two cores with QLoRA.
CORE_RATE = 190 * 4 * 134.5e6 / 2

#: Share of a graphics card's peak that training reaches: between the 0.21 of GPT-3 and the 0.46 of
#: PaLM (Chowdhery et al. 2022, table 3), as small batches leave more of it unused.
CARD_SHARE = 0.3

#: Memory that is left to the rest of the machine, as a share of what is free.
SPARE = 0.05


class RunTooLarge(Exception):
    """The run does not fit; the message holds the sums and what would fit."""


@dataclass(frozen=True)
class Device:
    """Where a training would run, what memory is free there, and how quick it is."""

    kind: Literal["cpu", "cuda"]
    name: str
    #: In bytes.
    free: float
    #: Floating-point operations a second that a training reaches, roughly.
    rate: float
    #: Bytes of a number that the training would compute with.
    number_bytes: int


@dataclass(frozen=True)
class RunPlan:
    """What one run takes. Times are in seconds, memory is in bytes."""

    model: ModelShape
    device: Device
    load: Load
    memory: MemoryPlan
    #: Tokens of all steps, and how many a second are expected.
    tokens: int
    tokens_a_second: float
    #: Whether the speed is that of an earlier run here; otherwise it is estimated.
    is_speed_measured: bool
    #: What an hour of the machine costs.
    hour_price: float = 0.0
    currency: str = "EUR"

    @property
    def fits(self) -> bool:
        """Whether the memory that is free is enough."""
        return self.memory.total <= self.device.free * (1 - SPARE)

    @property
    def seconds(self) -> float:
        """How long the training takes."""
        return self.tokens / self.tokens_a_second

    @property
    def cost(self) -> float:
        """What the machine costs for so long, in `currency`."""
        return self.seconds / 3600 * self.hour_price

    def lines(self) -> list[str]:
        """Return the sums for people, one a line."""
        load = self.load
        way = {"full": "full tuning", "lora": "LoRA", "qlora": "QLoRA"}[load.method]
        known = "as in the last run here" if self.is_speed_measured else "estimated"
        found = [
            f"{way} of {self.model.name} ({self.model.parameters / 1e6:,.0f} million parameters) "
            f"on {self.device.name}",
            *str(self.memory).splitlines(),
            f"{'free there':<28} {self.device.free / GB:>7.2f} GB   "
            f"{SPARE:.0%} of it are left to others",
            f"time: {self.tokens:,} tokens / {self.tokens_a_second:,.0f} a second ({known}) = "
            f"{_duration(self.seconds)}",
        ]
        if self.hour_price:
            found.append(
                f"cost: {self.seconds / 3600:.2f} hours x {self.hour_price:g} {self.currency} = "
                f"{self.cost:.2f} {self.currency}"
            )
        return found

    def refuse_if_too_large(self) -> None:
        """Raise `RunTooLarge`, with the sums and what would fit, if the memory is not enough."""
        if self.fits:
            return
        raise RunTooLarge(
            f"The training would take {self.memory.total / GB:.1f} GB of memory, and "
            f"{self.device.free / GB:.1f} GB are free on {self.device.name}. {self._way_out()}\n"
            + "\n".join(self.lines())
        )

    def _way_out(self) -> str:
        for change, load in _smaller(self.load):
            memory = plan_memory(self.model, load)
            if memory.total <= self.device.free * (1 - SPARE):
                return f"With {change} it would take {memory.total / GB:.1f} GB, which fits."
        return (
            "No smaller batch or shorter row would fit either: free some memory, name a smaller "
            "base model, or train on another machine."
        )


def plan_training(
    folder: Path,
    recipe: Recipe,
    device: Device,
    *,
    name: str | None = None,
    tokens: int,
    longest_row: int | None = None,
    tokens_a_second: float | None = None,
    hour_price: float = 0.0,
    currency: str = "EUR",
) -> RunPlan:
    """Plan the run that `training.fine_tuning` would do: QLoRA with this recipe.

    Args:
        folder: The base model's folder.
        recipe: How it would be trained.
        device: Where.
        name: What the base model is called; the folder's name by default.
        tokens: Tokens of the training rows, each counted once.
        longest_row: Tokens of the longest row; the recipe's `max_tokens` if not known yet.
        tokens_a_second: The speed of an earlier run of this model here; estimated without one.
        hour_price: What an hour of the machine costs.
        currency: In which currency.

    Raises:
        ShapeUnknown: the folder does not say how large the model is.
    """
    shape = read_shape(folder, name)
    on_card = device.kind == "cuda"
    load = Load(
        "qlora",
        rows=recipe.batch_size,
        row_tokens=min(longest_row or recipe.max_tokens, recipe.max_tokens),
        rank=recipe.rank,
        learned_share=LEARNED_SHARE,
        number_bytes=device.number_bytes,
        recomputes=on_card,
        optimiser="adamw_8bit" if on_card else "adamw",
        device=device.kind,
    )
    return RunPlan(
        model=shape,
        device=device,
        load=load,
        memory=plan_memory(shape, load),
        tokens=round(tokens * recipe.epochs),
        tokens_a_second=tokens_a_second or estimated_speed(shape, load, device),
        is_speed_measured=tokens_a_second is not None,
        hour_price=hour_price,
        currency=currency,
    )


def estimated_speed(shape: ModelShape, load: Load, device: Device) -> float:
    """Return about how many tokens a second a device trains."""
    operations = _OPERATIONS[load.method] + (2 if load.recomputes else 0)
    return device.rate / (operations * shape.parameters)


def machine_memory() -> float:
    """Return how much memory of the machine is free, in bytes."""
    import psutil

    return float(psutil.virtual_memory().available)


def find_device(free_memory: Callable[[], float], recipe: Recipe) -> Device:
    """Return where a training process would run on this machine.

    Args:
        free_memory: Returns the memory that is free, in bytes, where there is no graphics card.
        recipe: What it says about threads and number types.
    """
    import os

    import torch

    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        peak = _card_peak(torch.cuda.get_device_properties(0))
        return Device("cuda", torch.cuda.get_device_name(0), free, peak * CARD_SHARE, 2)
    cores = recipe.threads or len(os.sched_getaffinity(0))
    halves = recipe.compute == "bfloat16" or (recipe.compute == "auto" and has_bfloat16())
    name = f"this machine's processor ({cores} threads)"
    return Device("cpu", name, free_memory(), CORE_RATE * cores, 2 if halves else 4)


def _card_peak(card: object) -> float:
    """Return about how many 16-bit operations a second a card's matrix units can do.

    A multiprocessor does 1,024 multiply-adds a cycle from compute capability 8 on, and 512 before
    (NVIDIA's architecture white papers, V100 to A100); the clock is taken as 1.4 GHz.
    """
    units = float(getattr(card, "multi_processor_count", 1))
    each = 1024 if int(getattr(card, "major", 7)) >= 8 else 512
    return units * each * 2 * 1.4e9


def _smaller(load: Load) -> Iterator[tuple[str, Load]]:
    """Yield changes of the settings that need less, the gentlest first."""
    rows = load.rows
    while rows > 1:
        rows //= 2
        yield f"`batch_size = {rows}`", replace(load, rows=rows)
    for tokens in (1024, 512, 384):
        if tokens < load.row_tokens:
            change = f"`batch_size = 1` and `max_tokens = {tokens}`"
            yield change, replace(load, rows=1, row_tokens=tokens)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
