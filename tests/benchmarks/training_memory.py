"""Peak memory of a training step by method, at the bundled model's size, beside the planner's.

    python -m tests.benchmarks.training_memory [--steps N] [--rows N] [--tokens N] [--json FILE]

Each method runs in a process of its own, in the environment of a real training process, with the
product's loss (only learned tokens are projected on words), and reports its largest resident
memory and its speed in tokens a second.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from training.memory_plan import GB, Load, plan_memory
from training.model_shape import read_shape
from training.process import training_environment

#: Method and bytes of a number.
KINDS = (("qlora", 2), ("qlora", 4), ("lora", 4), ("full", 4))
LEARNED = 8  # one token in so many is learned, as in the product's rows


def measure(folder: Path, method: str, size: int, *, rows: int, tokens: int, steps: int) -> Any:
    """Train a few steps in this process; return peak bytes and tokens a second."""
    import torch
    from peft import LoraConfig, get_peft_model
    from torch.nn.functional import cross_entropy
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    number = torch.bfloat16 if size == 2 else torch.float32
    options: dict[str, Any] = {"dtype": number, "attn_implementation": "sdpa"}
    if method == "qlora":
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=number,
        )
    automatic: Any = AutoModelForCausalLM
    model: Any = automatic.from_pretrained(folder, local_files_only=True, **options)
    if method != "full":
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        model = get_peft_model(model, config)
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
    causal = model.get_base_model() if method != "full" else model
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-5)
    torch.manual_seed(1)
    began = 0.0
    for step in range(steps):
        began = time.monotonic() if step == 1 else began
        ids = torch.randint(0, causal.config.vocab_size, (rows, tokens))
        hidden = causal.model(input_ids=ids, use_cache=False).last_hidden_state
        learned = hidden[:, -tokens // LEARNED :].flatten(0, 1)
        wanted = torch.randint(0, causal.config.vocab_size, (len(learned),))
        cross_entropy(causal.get_output_embeddings()(learned).float(), wanted).backward()
        optimiser.step()
        optimiser.zero_grad()
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"peak": peak, "tokens_per_second": rows * tokens * max(steps - 1, 0) / seconds}


def main() -> None:
    """Measure all methods and print them beside what was planned."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=640)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        method, size = chosen.one[0], int(chosen.one[1])
        load = {"rows": chosen.rows, "tokens": chosen.tokens, "steps": chosen.steps}
        print(json.dumps(measure(chosen.model, method, size, **load)))
        return
    model = chosen.model or _bundled()
    found = []
    print(f"{'method':<8} {'numbers':<9} {'measured':>9} {'planned':>9} {'off':>6} {'tokens/s':>9}")
    for method, size in KINDS:
        said = subprocess.run(
            [
                *(sys.executable, "-m", "tests.benchmarks.training_memory", "--model", str(model)),
                *("--one", method, str(size), "--rows", str(chosen.rows)),
                *("--tokens", str(chosen.tokens), "--steps", str(chosen.steps)),
            ],
            env=training_environment(chosen.threads),
            check=True,
            capture_output=True,
            text=True,
        )
        got = json.loads(said.stdout.strip().splitlines()[-1])
        load = Load(
            method,  # type: ignore[arg-type]
            rows=chosen.rows,
            row_tokens=chosen.tokens,
            learned_share=1 / LEARNED,
            number_bytes=size,
            device="cpu",
        )
        planned = plan_memory(read_shape(model), load).total
        off = planned / got["peak"] - 1
        print(
            f"{method:<8} {8 * size:>2} bits   {got['peak'] / GB:>6.2f} GB {planned / GB:>6.2f} GB "
            f"{off:>+6.0%} {got['tokens_per_second']:>9.0f}",
            flush=True,
        )
        found.append({"method": method, "number_bytes": size, **got, "planned": planned})
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _bundled() -> Path:
    import platformdirs

    from training.base_model import prepare_bundled

    return prepare_bundled(Path(platformdirs.user_cache_dir("skredder-tests"))).folder


if __name__ == "__main__":
    main()
