"""What a fitted model would find of same questions in other words, beside the rules of the product.

    python -m tests.benchmarks.question_model [--epochs 6] [--json FILE]

A small head over the bundled multilingual encoder with an adapter (LoRA) is fitted to the groups in
tests/benchmarks/questions/same, written by hand: `=` one, `+` the same in other words, `-kind` near
misses. Then the model and `knowledge.near_questions` say of the product's labelled questions, which
are not learned from, which are the same; and of questions to the sample company, one of each page,
that have nothing to do with each other but begin and end alike.

Each question is read once; two are compared word by word, as in Parikh et al., "A Decomposable
Attention Model for Natural Language Inference" (2016). The model is not in the product: it tells
labelled questions apart better than the rules, and takes many strangers for the same.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import BertConfig, BertModel

from bot.demo import company_files
from knowledge.embedder import MiniLmEmbedder
from knowledge.embedders.multilingual import QUERY_PREFIX, Tokens, packed_model
from knowledge.embedders.packed_model import BLOCK, PackedModel
from knowledge.near_questions import QuestionLikeness
from tests.bot.same_questions import DATA, labelled

QUESTIONS = Path(__file__).parent / "questions" / "same"
#: Of longer questions only this many tokens are read.
LONGEST = 96
#: Every so many groups one is not learned from.
ASIDE = 15
#: Width of what is compared of each token.
WIDTH = 128
RANK = 16
#: Groups of a step.
GROUPS = 6
#: Pairs of questions of different groups in a step: these are easy.
STRANGERS = 12

#: Where a matrix of the packed encoder stands in transformers' BERT.
_MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}

#: Gives a logit for each pair of places among some texts.
Judge = Callable[[Sequence[str], Sequence[tuple[int, int, float]]], list[float]]


@dataclass
class Group:
    """Questions that ask the same, and near misses."""

    same: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)

    def examples(self) -> list[tuple[int, int, float]]:
        """Return every labelled pair, by place among the group's questions."""
        count = len(self.same)
        alike = [(i, j, 1.0) for i in range(count) for j in range(i + 1, count)]
        return alike + [(i, count + j, 0.0) for i in range(count) for j in range(len(self.apart))]


def read_groups(path: Path) -> list[Group]:
    """Read a file of groups."""
    groups: dict[str, Group] = {}
    for each in labelled(path.name, path.parent):
        group = groups.setdefault(each.one, Group([each.one]))
        (group.same if each.are_the_same else group.apart).append(each.other)
    return list(groups.values())


class Comparer(nn.Module):
    """An encoder with an adapter, and what compares two questions that it has read."""

    def __init__(self, bert: Any, hidden: int) -> None:
        super().__init__()
        self.bert = bert
        self.project = nn.Linear(hidden, WIDTH)
        self.weight = nn.Linear(hidden, 1)
        self.compare = nn.Linear(4 * WIDTH, WIDTH)
        self.head = nn.ModuleList([nn.Linear(2 * WIDTH, 64), nn.Linear(64, 1)])
        self.drop = nn.Dropout(0.1)
        self.sharpness = nn.Parameter(torch.tensor([10.0]))
        self.scale = nn.Parameter(torch.tensor([15.0]))
        self.bias = nn.Parameter(torch.tensor([-13.0]))
        nn.init.orthogonal_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        nn.init.zeros_(self.head[1].weight)
        nn.init.zeros_(self.head[1].bias)

    def read(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Read texts: meanings, words, weights, masks."""
        states = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        some = mask.float().unsqueeze(-1)
        mean = (states * some).sum(1) / some.sum(1)
        meaning = nn.functional.normalize(mean, dim=-1)
        return meaning, self.project(states), torch.sigmoid(self.weight(states)), mask

    def forward(self, one: Sequence[torch.Tensor], two: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return a logit for each pair."""
        here, here_most = self._compared(one, two)
        there, there_most = self._compared(two, one)
        both = torch.cat([here + there, torch.maximum(here_most, there_most)], -1)
        weighed = self.head[1](_gelu(self.head[0](self.drop(both)))).squeeze(-1)
        cosine = (one[0] * two[0]).sum(-1)
        said: torch.Tensor = weighed + self.scale * cosine + self.bias
        return said

    def _compared(
        self, one: Sequence[torch.Tensor], two: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        (_, mine, weights, mask), (_, theirs, _, other_mask) = one, two
        ways = [nn.functional.normalize(each.float(), dim=-1) for each in (mine, theirs)]
        close = self.sharpness * ways[0] @ ways[1].transpose(1, 2)
        close = close.masked_fill(other_mask[:, None, :] == 0, -1e4)
        like = close.softmax(-1).to(theirs.dtype) @ theirs
        beside = torch.cat([mine, like, (mine - like).abs(), mine * like], -1)
        found = _gelu(self.compare(self.drop(beside))) * weights
        gone = (mask == 0).unsqueeze(-1)
        return found.masked_fill(gone, 0).sum(1), found.masked_fill(gone, -1e4).amax(1)


def _gelu(x: torch.Tensor) -> torch.Tensor:
    return x * torch.sigmoid(1.702 * x)


def main() -> None:
    """Fit, and measure the model and the rules."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=float, default=6)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--json", type=Path, default=Path("bench-results/question_model.json"))
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    learned: list[Group] = []
    aside: list[Group] = []
    known = [DATA / f"same_questions_{name}.txt" for name in ("tuned", "freer")]
    for path in [*sorted(QUESTIONS.glob("*.txt")), *known]:
        for number, group in enumerate(read_groups(path)):
            (aside if number % ASIDE == ASIDE - 1 else learned).append(group)
    print(f"{len(learned)} groups to learn from, {len(aside)} set aside", flush=True)
    packed = packed_model()
    tokens = Tokens(packed.vocabulary)
    model = Comparer(_with_adapter(_bert(packed)), packed.sizes.hidden)
    _fit(model, tokens, learned, aside, options)
    found = {"fitted": _measured(_judge(model, tokens)), "rules": _measured(_rules())}
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def _judge(model: Comparer, tokens: Tokens) -> Judge:
    def judge(texts: Sequence[str], some: Sequence[tuple[int, int, float]]) -> list[float]:
        model.eval()
        with torch.inference_mode():
            found: list[float] = _logits(model, tokens, texts, some).tolist()
        return found

    return judge


def _rules() -> Judge:
    likeness = QuestionLikeness(MiniLmEmbedder())

    def judge(texts: Sequence[str], some: Sequence[tuple[int, int, float]]) -> list[float]:
        return [1.0 if likeness.are_the_same(texts[i], texts[j]) else -1.0 for i, j, _ in some]

    return judge


def _measured(judge: Judge) -> dict[str, Any]:
    """Return what is reached on the labelled files, and the share of strangers taken for same."""
    found: dict[str, Any] = {}
    for name in ("same_questions", "same_questions_fresh"):
        found[name] = _reached(judge, read_groups(DATA / f"{name}.txt"))
    lines = company_files.PAIRS.read_text(encoding="utf-8").splitlines()
    of_page = {(row := json.loads(line))["context"].partition("#")[0]: row for line in lines}
    texts = [f"Hi! {row['input']} I work in Bergen." for row in of_page.values()]
    strangers = [(i, j, 0.0) for i in range(len(texts)) for j in range(i)]
    taken = sum(each > 0 for each in judge(texts, strangers))
    found["strangers taken for the same"] = f"{taken} of {len(strangers)}"
    return found


def _fit(
    model: Comparer, tokens: Tokens, learned: Sequence[Group], aside: Sequence[Group], options: Any
) -> None:
    chance = random.Random(options.seed)
    weighed = [model.sharpness, model.scale, model.bias]
    layers = [*model.project.parameters(), *model.weight.parameters()]
    layers += [*model.compare.parameters(), *model.head.parameters()]
    adapter = [p for n, p in model.named_parameters() if n.startswith("bert") and p.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": weighed, "lr": 2e-2, "weight_decay": 0.0},
            {"params": layers, "lr": 1e-3},
            {"params": adapter, "lr": options.rate},
        ],
        weight_decay=0.01,
    )
    steps = int(math.ceil(len(learned) / GROUPS) * options.epochs)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / (0.06 * steps), max(0.02, 1 - s / steps))
    )

    began, losses = time.monotonic(), []
    for step, groups in enumerate(_batches(learned, chance)):
        if step == steps:
            break
        model.train()
        texts, examples = _examples(groups, chance)
        wanted = torch.tensor([each[2] for each in examples])
        with torch.autocast("cpu", torch.bfloat16):
            logits = _logits(model, tokens, texts, examples)
        loss = nn.functional.binary_cross_entropy_with_logits(
            logits.float(), wanted, weight=1 + wanted / 2
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([*weighed, *layers, *adapter], 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if (step + 1) % 50 == 0 or step + 1 == steps:
            said = f"step {step + 1} of {steps}, loss {np.mean(losses[-50:]):.3f}"
            print(f"{said}, {time.monotonic() - began:.0f} s", flush=True)
        if (step + 1) % 200 == 0 or step + 1 == steps:
            print(f"set aside: {_reached(_judge(model, tokens), aside)}", flush=True)


def _batches(groups: Sequence[Group], chance: random.Random) -> Iterator[list[Group]]:
    while True:
        order = chance.sample(list(groups), len(groups))
        for start in range(0, len(order), GROUPS):
            yield order[start : start + GROUPS]


def _examples(
    groups: Sequence[Group], chance: random.Random
) -> tuple[list[str], list[tuple[int, int, float]]]:
    texts: list[str] = []
    examples: list[tuple[int, int, float]] = []
    starts = []
    for group in groups:
        start = len(texts)
        starts.append((start, len(group.same)))
        texts += [*group.same, *group.apart]
        examples += [(start + i, start + j, y) for i, j, y in group.examples()]
    if len(starts) > 1:
        for _ in range(STRANGERS):
            (a, m), (b, n) = chance.sample(starts, 2)
            examples.append((a + chance.randrange(m), b + chance.randrange(n), 0.0))
    return texts, examples


def _logits(
    model: Comparer,
    tokens: Tokens,
    texts: Sequence[str],
    examples: Sequence[tuple[int, int, float]],
) -> torch.Tensor:
    ids = [tokens.ids(QUERY_PREFIX + text) for text in texts]
    ids = [[*each[: LONGEST - 1], each[-1]] for each in ids]
    longest = max(map(len, ids))
    filled = torch.tensor([each + [0] * (longest - len(each)) for each in ids])
    mask = torch.tensor([[1] * len(each) + [0] * (longest - len(each)) for each in ids])
    read = model.read(filled, mask)
    ones, others = ([each[place] for each in examples] for place in (0, 1))
    found: torch.Tensor = model([each[ones] for each in read], [each[others] for each in read])
    return found


def _reached(judge: Judge, aside: Sequence[Group]) -> str:
    """Say what is reached on some groups, of the first question with each other one."""
    said: list[float] = []
    wanted: list[float] = []
    for group in aside:
        some = [each for each in group.examples() if each[0] == 0]
        said += judge([*group.same, *group.apart], some)
        wanted += [each[2] for each in some]
    found, right = np.array(said) > 0, np.array(wanted) > 0
    precision = (found & right).sum() / max(1, found.sum())
    recall = found[right].mean()
    return f"{len(said)} pairs: precision {precision:.3f}, recall {recall:.3f}"


def _bert(packed: PackedModel) -> BertModel:
    sizes = packed.sizes
    bert = BertModel(
        BertConfig(
            vocab_size=sizes.vocabulary,
            hidden_size=sizes.hidden,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            intermediate_size=sizes.feed_forward,
            max_position_embeddings=sizes.positions,
            layer_norm_eps=sizes.epsilon,
        ),
        add_pooling_layer=False,
    )
    kind = torch.tensor(packed.floats("emb.type")[: sizes.hidden]).reshape(1, -1)
    state = {
        "embeddings.word_embeddings.weight": _matrix(packed, "emb.word", sizes.vocabulary),
        "embeddings.position_embeddings.weight": torch.tensor(
            packed.floats("emb.pos").reshape(sizes.positions, sizes.hidden)
        ),
        "embeddings.token_type_embeddings.weight": torch.cat([kind, kind]),
        "embeddings.LayerNorm.weight": torch.tensor(packed.floats("emb.ln.w")),
        "embeddings.LayerNorm.bias": torch.tensor(packed.floats("emb.ln.b")),
    }
    for layer in range(sizes.layers):
        for short, name in (_MATRICES | _NORMS).items():
            here, there = f"l{layer}.{short}", f"encoder.layer.{layer}.{name}"
            state[f"{there}.bias"] = torch.tensor(packed.floats(f"{here}.b"))
            if short in _NORMS:
                state[f"{there}.weight"] = torch.tensor(packed.floats(f"{here}.w"))
            else:
                rows = len(state[f"{there}.bias"])
                columns = sizes.feed_forward if short == "fo" else sizes.hidden
                state[f"{there}.weight"] = _matrix(packed, f"{here}.w", rows, columns)
    bert.load_state_dict(state)
    return bert


def _matrix(packed: PackedModel, name: str, rows: int, columns: int = 0) -> torch.Tensor:
    stored = packed.four_bits(name, rows, columns or packed.sizes.hidden)
    halves = np.stack([stored.packed & 15, stored.packed >> 4], axis=1).reshape(-1)
    signed = (halves.astype(np.int8) ^ 8) - 8
    blocks = signed.reshape(rows, -1, BLOCK) * stored.scales.astype(np.float32)
    return torch.tensor(blocks.reshape(rows, -1), dtype=torch.float32)


def _with_adapter(bert: BertModel) -> Any:
    names = sorted({name.rsplit(".", 1)[-1] for name in _MATRICES.values()})
    config = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=names, lora_dropout=0.0)
    adapted = get_peft_model(bert, config)
    for name, weights in adapted.named_parameters():
        if "LayerNorm" in name and ".layer." in name:
            weights.requires_grad_(True)
    return adapted


if __name__ == "__main__":
    sys.exit(main())
