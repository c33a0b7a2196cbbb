"""What tuning costs elsewhere: public collections, asked of the base and of tuned versions.

    python -m tests.benchmarks.general_ability --data ../shared/data \
        --version replay=DIR --version none=DIR [--limit 400] [--json FILE]
    python -m tests.benchmarks.general_ability --show FILE

DIR is a version's folder, with its adapter. Each collection is answered by the base model and by
each version: ARC easy and CommonsenseQA by the likelihood of the right choice (the mean over its
tokens, so that a long choice is not at a disadvantage), simple arithmetic and SVAMP by the exact
number, greedily; GSM8K, which is beyond a small model, also by the likelihood of the worked
answer. Of the built-in probes the same is shown beside, and whether both rank the versions alike:
for each two versions the difference with the interval of a bootstrap over the questions, which
both answered. FILE keeps what each question brought, so that `--show` needs no model.

The likelihood of a right choice is relative to the other choices. A model that prefers wrong ones
strongly is below guessing there, and rises by becoming unsure without knowing more.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import platformdirs

from tests.benchmarks.rankings import Scores, show
from training.base_model import prepare_bundled, stay_offline
from training.evaluation.probes import is_right, read_probes
from training.measuring import PROBE_TOKENS
from training.prompt import ChatMessage, render_general

#: Rows of a batch.
BATCH = 16
#: What the other collections are to confirm.
OWN = "built-in probes"
#: What guessing reaches: every question of these has four choices.
GUESSED = {"arc_easy": 0.25, "commonsense_qa": 0.25}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")


class Model:
    """A causal language model with adapters to switch between."""

    def __init__(self, base: Path, versions: Mapping[str, Path]) -> None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(base, padding_side="left")
        model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        for name, folder in versions.items():
            adapter = folder / "adapter"
            if isinstance(model, PeftModel):
                model.load_adapter(adapter, name)
            else:
                model = PeftModel.from_pretrained(model, adapter, adapter_name=name)
        self.model = model.eval()

    def as_version(self, name: str) -> Any:
        """Return a context in which a version answers; `base` without any adapter."""
        if name == "base":
            return (
                self.model.disable_adapter()
                if hasattr(self.model, "peft_config")
                else (nullcontext())
            )
        self.model.set_adapter(name)
        return nullcontext()

    def likelihoods(self, asked: Sequence[tuple[str, str]]) -> list[float]:
        """Return the mean log-likelihood of each continuation's tokens, in nats."""
        import torch

        found: list[float] = []
        for batch in _batches(asked, BATCH):
            prompts = [self.tokenizer(a, add_special_tokens=False).input_ids for a, _ in batch]
            ends = [self.tokenizer(b, add_special_tokens=False).input_ids for _, b in batch]
            longest = max(len(a) + len(b) for a, b in zip(prompts, ends, strict=True))
            ids = torch.zeros((len(batch), longest), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, (a, b) in enumerate(zip(prompts, ends, strict=True)):
                ids[row, : len(a) + len(b)] = torch.tensor(a + b)
                mask[row, : len(a) + len(b)] = 1
            with torch.inference_mode():
                logits = self.model(input_ids=ids, attention_mask=mask).logits
            for row, (a, b) in enumerate(zip(prompts, ends, strict=True)):
                spoken = logits[row, len(a) - 1 : len(a) + len(b) - 1].log_softmax(-1)
                found.append(float(spoken.gather(1, torch.tensor(b)[:, None]).mean()))
        return found

    def texts(self, prompts: Sequence[str], tokens: int) -> list[str]:
        """Return what follows each prompt, greedily."""
        import torch

        said: list[str] = []
        for batch in _batches(prompts, BATCH):
            read = self.tokenizer(
                batch, return_tensors="pt", padding=True, add_special_tokens=False
            )
            with torch.inference_mode():
                made = self.model.generate(**read, max_new_tokens=tokens, do_sample=False)
            said += self.tokenizer.batch_decode(
                made[:, read.input_ids.shape[1] :], skip_special_tokens=True
            )
        return said

    def chat(self, messages: Sequence[ChatMessage]) -> str:
        """Return a chat as the text that the model goes on with."""
        turns = [{"role": each.role, "content": each.content} for each in messages]
        return str(
            self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        )


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--version", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--limit", type=int, default=400, help="questions of each collection")
    parser.add_argument("--json", type=Path, default=Path("bench-results/general_ability.json"))
    parser.add_argument("--show", type=Path, help="only show what this file keeps")
    options = parser.parse_args()
    if options.show:
        kept = json.loads(options.show.read_text(encoding="utf-8"))
        show({name: Scores(**scores) for name, scores in kept.items()}, OWN, GUESSED)
        return
    stay_offline()
    versions = {name: Path(folder) for name, folder in (v.split("=", 1) for v in options.version)}
    base = prepare_bundled(Path(platformdirs.user_cache_dir("skredder-tests"))).folder
    model = Model(base, versions)
    found: dict[str, Scores] = {}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    for name in ("base", *versions):
        with model.as_version(name):
            found[name] = measure(model, options.data, options.limit)
        rows = {who: asdict(scores) for who, scores in found.items()}
        options.json.write_text(json.dumps(rows) + "\n", encoding="utf-8")
        print(f"{name} has answered; kept in {options.json}", flush=True)
    show(found, OWN, GUESSED)


def measure(model: Model, data: Path, limit: int) -> Scores:
    """Ask one model every collection; the same questions of each, drawn by a seed."""
    probes = data / "probes"
    right: dict[str, Sequence[float]] = {}
    likelihood: dict[str, Sequence[float]] = {}
    for name in ("arc_easy", "commonsense_qa"):
        rows = _drawn(probes / f"{name}.jsonl", limit)
        right[name], likelihood[name] = _choices(model, rows)
    sums = _drawn(probes / "simple_arithmetic_withspaces.jsonl", limit)
    asked = [(row["context"], row["continuation"]) for row in sums]
    said = model.texts([context for context, _ in asked], 8)
    right["simple arithmetic"] = [
        float(_first_number(text) == float(wanted))
        for text, (_, wanted) in zip(said, asked, strict=True)
    ]
    likelihood["simple arithmetic"] = model.likelihoods(asked)
    stories = _drawn(probes / "svamp.jsonl", limit // 2)
    right["svamp"] = _right_numbers(
        model, [(row["context"], row["answer"]) for row in stories], _last_number
    )
    worked = _drawn(data / "gsm8k" / "test.jsonl", limit // 4)
    tasks = [(row["question"], row["answer"].rsplit("####", 1)) for row in worked]
    right["gsm8k"] = _right_numbers(
        model, [(question, answer[1]) for question, answer in tasks], _last_number
    )
    likelihood["gsm8k"] = model.likelihoods(
        [
            (model.chat(render_general(question)), re.sub(r"<<.*?>>", "", steps).strip())
            for question, (steps, _) in tasks
        ]
    )
    own = [probe for probe in read_probes() if probe.is_scored]
    said = model.texts([model.chat(render_general(p.prompt)) for p in own], PROBE_TOKENS)
    right[OWN] = [float(is_right(probe, text)) for probe, text in zip(own, said, strict=True)]
    likelihood[OWN] = model.likelihoods(
        [(model.chat(render_general(probe.prompt)), probe.reference) for probe in own]
    )
    return Scores(right, likelihood)


def _choices(
    model: Model, rows: Sequence[Mapping[str, Any]]
) -> tuple[Sequence[float], Sequence[float]]:
    """Return of each row whether its right choice is the likeliest, and its log-likelihood."""
    asked = []
    for row in rows:
        ask = row["query"] if row["query"].endswith("Answer:") else f"{row['query']}\nAnswer:"
        asked += [(ask, f" {choice}") for choice in row["choices"]]
    told = iter(model.likelihoods(asked))
    right: list[float] = []
    likely: list[float] = []
    for row in rows:
        each = [next(told) for _ in row["choices"]]
        right.append(float(each.index(max(each)) == row["gold"]))
        likely.append(each[row["gold"]] - math.log(sum(math.exp(value) for value in each)))
    return right, likely


def _right_numbers(
    model: Model, tasks: Sequence[tuple[str, str]], read: Callable[[str], float | None]
) -> list[float]:
    prompts = [model.chat(render_general(question)) for question, _ in tasks]
    said = model.texts(prompts, 128)
    return [
        float(read(text) == float(wanted.strip().replace(",", "")))
        for text, (_, wanted) in zip(said, tasks, strict=True)
    ]


def _first_number(text: str) -> float | None:
    found = _NUMBER.search(_THOUSANDS.sub("", text))
    return None if found is None else float(found.group())


def _last_number(text: str) -> float | None:
    found = _NUMBER.findall(_THOUSANDS.sub("", text))
    return float(found[-1]) if found else None


def _drawn(file: Path, limit: int) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
    random.Random(7).shuffle(rows)
    return rows[:limit]


def _batches(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])


if __name__ == "__main__":
    main()
