"""What a training needs of memory, as sums that can be checked line by line.

Weights, gradients and Adam's states are counted as in Rajbhandari et al. 2020 ("ZeRO", section
3.1); 4-bit weights and their constants as in Dettmers et al. 2023 ("QLoRA", section 3);
activations as in Korthikanti et al. 2022 ("Reducing Activation Recomputation in Large Transformer
Models", section 4), for a gated feed-forward part and for attention that keeps no scores
(Dao et al. 2022), which is what PyTorch's scaled-dot-product attention does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from training.model_shape import ModelShape

Method = Literal["full", "lora", "qlora"]

GB = 10**9

#: Bits of a weight in NF4: 4, an 8-bit constant for 64 weights, and one of 32 bits for 256 of
#: those constants (Dettmers et al. 2023, "Double Quantization": 0.127 bits for the constants).
NF4_BITS = 4 + 8 / 64 + 32 / (64 * 256)

#: Bytes of Adam's two moments of a parameter: in 32 bits, and in 8 bits with a 32-bit constant for
#: 256 of them (Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization").
ADAM_BYTES = {"adamw": 8.0, "adamw_8bit": 2 * (1 + 4 / 256)}

#: What a training process takes before the first weight: Python, PyTorch, transformers, TRL and
#: the rest; beside a GPU the CUDA context and the libraries' work space on the card. Estimates.
AT_REST = {"cpu": 0.75 * GB, "cuda": 0.6 * GB}


#: What the allocator of a processor loses between pieces that are freed and taken again, as a share
#: of the activations and scores, by method and bytes of a number. A training process keeps freed
#: memory, because getting it zeroed anew costs time (`training.process`). Measured with
#: tests/benchmarks/training_memory.py on the bundled model; tensors kept for the way back were
#: counted beside it and are as `layer_bytes` says, within a fifth.
ALLOCATOR_GAPS = {
    ("qlora", 2): 0.25,
    ("qlora", 4): 1.9,
    ("lora", 4): 0.9,
    ("lora", 2): 0.25,
    ("full", 4): 0.0,
    ("full", 2): 0.0,
}


@dataclass(frozen=True)
class Load:
    """What decides about the memory of a training, besides the model.

    Attributes:
        method: Full tuning, LoRA on weights as they are, or on weights in NF4.
        rank: Rank of the adapter; it is on every linear layer and in float32.
        rows: Rows of one step.
        row_tokens: Tokens of the longest row.
        learned_share: Share of the tokens that the loss is taken of.
        number_bytes: Bytes of a number in weights and activations: 2 or 4.
        recomputes: Whether only the input of each layer is kept and the rest recomputed.
        optimiser: Adam with its states in 32 bits or in 8.
        device: Where it runs.
    """

    method: Method
    rows: int
    row_tokens: int
    rank: int = 16
    learned_share: float = 1.0
    number_bytes: int = 2
    recomputes: bool = False
    optimiser: Literal["adamw", "adamw_8bit"] = "adamw"
    device: Literal["cpu", "cuda"] = "cuda"

    @property
    def tokens(self) -> int:
        """Tokens of one step, padding included."""
        return self.rows * self.row_tokens


@dataclass(frozen=True)
class Line:
    """One item of the bill: what, how many bytes, and by which sum."""

    what: str
    bytes: float
    sum: str

    def __str__(self) -> str:
        return f"{self.what:<28} {self.bytes / GB:>7.2f} GB   {self.sum}"


@dataclass(frozen=True)
class MemoryPlan:
    """All items of the bill."""

    lines: tuple[Line, ...]

    @property
    def total(self) -> float:
        """The most memory the training takes, in bytes."""
        return sum(line.bytes for line in self.lines)

    def __str__(self) -> str:
        total = Line("together", self.total, "")
        return "\n".join(str(line).rstrip() for line in (*self.lines, total))


def plan_memory(shape: ModelShape, load: Load) -> MemoryPlan:
    """Return what a training takes, item by item."""
    size = load.number_bytes
    trained = shape.parameters if load.method == "full" else shape.adapter_parameters(load.rank)
    trained_size = size if load.method == "full" else 4
    moments = ADAM_BYTES[load.optimiser]
    lines = [*_weights(shape, load)]
    if load.method != "full":
        lines.append(
            Line("adapter", trained * 4, f"{_count(trained)} at rank {load.rank} x 4 bytes")
        )
    lines += [
        Line("gradients", trained * trained_size, f"{_count(trained)} x {trained_size} bytes"),
        Line("Adam's two moments", trained * moments, f"{_count(trained)} x {moments:.3g} bytes"),
        *_activations(shape, load),
        _words(shape, load),
        Line("process and libraries", AT_REST[load.device], "estimated"),
    ]
    if load.device == "cpu" and (share := ALLOCATOR_GAPS[load.method, size]):
        passing = sum(line.bytes for line in (*_activations(shape, load), _words(shape, load)))
        sum_ = f"{share:g} x activations and scores, measured"
        lines.append(Line("gaps of the allocator", passing * share, sum_))
    return MemoryPlan(tuple(lines))


def _weights(shape: ModelShape, load: Load) -> list[Line]:
    size = load.number_bytes
    if load.method != "qlora":
        sum_ = f"{_count(shape.parameters)} x {size} bytes"
        return [Line("weights", shape.parameters * size, sum_)]
    linear = shape.linear_parameters
    return [
        Line(
            "weights in NF4",
            linear * NF4_BITS / 8,
            f"{_count(linear)} x {NF4_BITS:.3f} bits, constants included",
        ),
        Line("other weights", shape.other * size, f"{_count(shape.other)} x {size} bytes"),
        Line(
            "one matrix unpacked",
            shape.largest_linear * size,
            f"{_count(shape.largest_linear)} x {size} bytes, the largest",
        ),
    ]


def _activations(shape: ModelShape, load: Load) -> list[Line]:
    """What the way forward keeps for the way back."""
    layer = load.tokens * layer_bytes(shape, load)
    each = f"{load.rows} x {load.row_tokens} tokens"
    if not load.recomputes:
        return [
            Line(
                "activations",
                layer * shape.layers,
                f"{each} x {layer_bytes(shape, load):,.0f} bytes x {shape.layers} layers",
            )
        ]
    kept = load.tokens * shape.hidden * load.number_bytes
    return [
        Line(
            "inputs of the layers",
            kept * shape.layers,
            f"{each} x {shape.hidden} x {load.number_bytes} bytes x {shape.layers} layers",
        ),
        Line(
            "one layer recomputed",
            layer,
            f"{each} x {layer_bytes(shape, load):,.0f} bytes",
        ),
    ]


def layer_bytes(shape: ModelShape, load: Load) -> float:
    """Return what one layer keeps of one token for the way back, in bytes.

    Two norms in float32 with what they give out; queries, keys, values, the attention's result
    and its copy for the projection; gate, its activation, the other half and their product. An
    adapter in float32 keeps a float32 copy of the input of each linear layer where the numbers
    are smaller, and its own narrow middle.
    """
    size = load.number_bytes
    norms = 2 * shape.hidden * ((4 if size < 4 else 0) + size + size)
    attention = (shape.queries + 2 * shape.keys + 2 * shape.queries) * size
    forward = 4 * shape.intermediate * size
    if load.method == "full":
        return norms + attention + forward
    inputs = 5 * shape.hidden + shape.queries + shape.intermediate
    copies = inputs * 4 if size < 4 else 0
    return norms + attention + forward + copies + 7 * load.rank * 4


def _words(shape: ModelShape, load: Load) -> Line:
    """Scores of the vocabulary for each learned token: as computed, in float32, and the way back.

    TRL and `training.answer_loss` project only the tokens that are learned.
    """
    learned = round(load.tokens * load.learned_share)
    size = (load.number_bytes if load.number_bytes < 4 else 0) + 4 + 4
    return Line(
        "scores of the words",
        learned * shape.vocabulary * size,
        f"{learned} learned tokens x {shape.vocabulary} words x {size} bytes",
    )


def _count(parameters: float) -> str:
    for unit, size in (("billion", 10**9), ("million", 10**6)):
        if parameters >= size:
            return f"{parameters / size:.2f} {unit}"
    return f"{parameters:,.0f}"
