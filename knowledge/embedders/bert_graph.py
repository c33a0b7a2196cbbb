"""A packed BERT encoder as an OpenVINO model: token ids in, one vector of length 1 out.

The encoder is that of Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers"
(2018); a text's vector is the mean of the last layer over its tokens. Weights stay in four bits, so
the model takes as much memory as its file, and OpenVINO computes with eight-bit activations.
"""

from __future__ import annotations

from typing import Any

from knowledge.embedders.packed_model import BLOCK, PackedModel


def build(packed: PackedModel) -> Any:
    """Return an OpenVINO model: ids `(texts, tokens)` of equally long texts in, vectors out."""
    import openvino

    graph = _Graph(packed)
    ids = graph.op.parameter([-1, -1], dtype=openvino.Type.i64, name="ids")
    states = graph.embedded(ids)
    for layer in range(packed.sizes.layers):
        states = graph.layer(states, f"l{layer}")
    mean = graph.op.reduce_mean(states, graph.integers([1]), False)
    vectors = graph.op.normalize_l2(mean, graph.integers([1]), 1e-12, "max")
    return openvino.Model([vectors], [ids], "encoder")


class _Graph:
    """The parts of the graph; nodes go in, nodes come out."""

    def __init__(self, packed: PackedModel) -> None:
        import openvino.opset13

        self.op: Any = openvino.opset13
        self._packed = packed
        self._sizes = packed.sizes

    def integers(self, values: list[int]) -> Any:
        import numpy as np

        return self.op.constant(np.array(values, dtype=np.int64))

    def embedded(self, ids: Any) -> Any:
        """Return what words, positions and the one kind of text there is add up to."""
        op, sizes = self.op, self._sizes
        table = self._matrix("emb.word", sizes.vocabulary, sizes.hidden)
        words = op.gather(table, ids, op.constant(0))
        tokens = op.gather(op.shape_of(ids), self.integers([1]), op.constant(0))
        positions = self._floats("emb.pos").reshape(sizes.positions, sizes.hidden)
        first = op.slice(
            op.constant(positions),
            self.integers([0]),
            tokens,
            self.integers([1]),
            self.integers([0]),
        )
        kind = self._floats("emb.type")[: sizes.hidden].reshape(1, 1, -1)
        return self._normalised(op.add(op.add(words, first), op.constant(kind)), "emb.ln")

    def layer(self, states: Any, name: str) -> Any:
        """Return the states after attention and feed-forward."""
        op, sizes = self.op, self._sizes
        query, key, value = (
            self._heads(self._linear(states, f"{name}.{part}", sizes.hidden, sizes.hidden))
            for part in "qkv"
        )
        attended = op.scaled_dot_product_attention(query, key, value, causal=False)
        joined = op.reshape(
            op.transpose(attended, self.integers([0, 2, 1, 3])),
            self.integers([0, 0, sizes.hidden]),
            True,
        )
        mixed = self._linear(joined, f"{name}.ao", sizes.hidden, sizes.hidden)
        states = self._normalised(op.add(states, mixed), f"{name}.aln")
        wide = op.gelu(self._linear(states, f"{name}.fi", sizes.feed_forward, sizes.hidden), "erf")
        narrow = self._linear(wide, f"{name}.fo", sizes.hidden, sizes.feed_forward)
        return self._normalised(op.add(states, narrow), f"{name}.oln")

    def _heads(self, states: Any) -> Any:
        sizes = self._sizes
        split = self.integers([0, 0, sizes.heads, sizes.hidden // sizes.heads])
        return self.op.transpose(self.op.reshape(states, split, True), self.integers([0, 2, 1, 3]))

    def _linear(self, states: Any, name: str, rows: int, columns: int) -> Any:
        weights = self._matrix(f"{name}.w", rows, columns)
        bias = self.op.constant(self._floats(f"{name}.b").reshape(1, 1, -1))
        return self.op.add(self.op.matmul(states, weights, False, True), bias)

    def _normalised(self, states: Any, name: str) -> Any:
        scale = self.op.constant(self._floats(f"{name}.w").reshape(1, 1, -1))
        shift = self.op.constant(self._floats(f"{name}.b").reshape(1, 1, -1))
        plain = self.op.mvn(states, self.integers([-1]), True, self._sizes.epsilon, "inside_sqrt")
        return self.op.add(self.op.multiply(plain, scale), shift)

    def _matrix(self, name: str, rows: int, columns: int) -> Any:
        import openvino

        stored = self._packed.four_bits(name, rows, columns)
        shape = openvino.Shape([rows, columns // BLOCK, BLOCK])
        tensor = openvino.Tensor(stored.packed, shape, openvino.Type.i4)
        weights = self.op.convert(openvino.op.Constant(tensor, shared_memory=False), "f16")
        scaled = self.op.multiply(weights, self.op.constant(stored.scales))
        return self.op.convert(
            self.op.reshape(scaled, self.integers([rows, columns]), False), "f32"
        )

    def _floats(self, name: str) -> Any:
        return self._packed.floats(name)
