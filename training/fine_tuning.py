"""Learning an adapter: QLoRA (Dettmers et al. 2023) with TRL's `SFTTrainer`.

The base model's weights lie in 4 bits (NF4, doubly quantised) and stay as they are; a low-rank
update on every linear layer is learned, with the loss on the answers' tokens only.
"""

from __future__ import annotations

import math
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from storage.failpoints import failpoint
from training import checkpoints
from training.job import TrainingJob, TrainingProgress
from training.manifest import flush_folder, write_manifest
from training.processor import has_bfloat16
from training.recipe import Recipe
from training.rows import Row
from training.snapshot import SnapshotBroken, read_snapshot
from training.tokens import tokenize
from training.validation import SCALES, Best, choose_scale, losses_at, mean_loss, split_rows

#: What an adapter consists of.
_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")

Report = Callable[[Mapping[str, Any]], None]


class TrainingDiverged(Exception):
    """The loss is no number any more; the learning rate is too high."""


class TrainingStopped(Exception):
    """The process was asked to stop; a checkpoint is kept."""


def train(job: TrainingJob, report: Report, should_stop: Callable[[], bool]) -> Path:
    """Train the adapter of `job` and return its folder. Does nothing if it is there already.

    Raises:
        SnapshotBroken: the rows are not the ones that were frozen, or none is to be learned.
        HeldOutLeaked: rows that are kept for measuring are among those to be learned.
        TrainingDiverged: the loss is no number.
        TrainingStopped: `should_stop` said so; a checkpoint is kept.
    """
    finished = Path(job.adapters) / job.name
    if finished.exists():
        return finished
    rows = read_snapshot(Path(job.snapshot), job.digest).train
    if not rows:
        raise SnapshotBroken(f"The snapshot {job.digest[:12]} holds no rows to train on.")
    learned, kept = split_rows(rows, job.recipe.validation_share, job.recipe.seed)
    meter = _Meter(report, should_stop)
    trainer = _trainer(job, learned, meter)
    validation = _Validation(kept, trainer, job.recipe, report)
    if kept:
        trainer.add_callback(validation.callback())
    trainer.add_callback(_watch(meter))  # last: it seals what the others put into a checkpoint
    resume = checkpoints.last_whole(Path(job.work))
    report({"event": "began", "rows": len(rows), "resumed": resume.name if resume else None})
    if resume:
        validation.recall(resume)
    if resume and validation.is_over:
        trainer.state.global_step = checkpoints.step_of(resume)  # there is nothing left to learn
    else:
        trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    if meter.stopped:
        raise TrainingStopped(f"Stopped after step {trainer.state.global_step}, as asked.")
    scale = validation.settle()
    temporary = Path(job.adapters) / f".tmp-{job.run}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    trainer.model.save_pretrained(str(temporary), safe_serialization=True)
    _settle(temporary)
    failpoint("training.before_manifest")
    lineage = {
        "run": job.run,
        "base": job.base_name,
        "snapshot": job.digest,
        "recipe": asdict(job.recipe),
        "steps": int(trainer.state.global_step),
    }
    if scale is not None:
        lineage["chosen_scale"] = scale
    write_manifest(temporary, lineage)
    failpoint("training.after_manifest")
    temporary.rename(finished)
    flush_folder(finished.parent)
    return finished


class _Meter:
    """Counts tokens and time, and reports each step."""

    def __init__(self, report: Report, should_stop: Callable[[], bool]) -> None:
        self.report = report
        self.should_stop = should_stop
        self.stopped = False
        self.tokens = 0
        self.first_step: int | None = None
        self.began = time.monotonic()

    def count(self, collate: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
        """Wrap a collator so that the real tokens of each batch are counted, padding left out."""

        def counted(rows: list[Any]) -> Any:
            self.tokens += sum(len(row["input_ids"]) for row in rows)
            return collate(rows)

        return counted

    def step_began(self, step: int) -> None:
        """Start the clock at the first step of this process, which may be a resumed one."""
        if self.first_step is None:
            self.first_step, self.began = step, time.monotonic()

    def step_ended(self, step: int, steps: int, loss: float) -> None:
        """Report a step. Raises `TrainingDiverged` when the loss is no number."""
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"The loss became {loss} at step {step} of {steps}. Lower the learning rate."
            )
        done = step - (self.first_step or 0)
        seconds = max(time.monotonic() - self.began, 1e-6)
        progress = TrainingProgress(
            step=step,
            steps=steps,
            loss=round(loss, 5),
            tokens_per_second=round(self.tokens / seconds, 1),
            seconds_left=round(seconds / max(done, 1) * (steps - step), 1),
            memory=_peak_memory(),
        )
        self.report({"event": "step"} | asdict(progress))


class _Validation:
    """Looks at the validation part while the trainer trains, and settles what is kept."""

    def __init__(self, rows: Sequence[Row], trainer: Any, recipe: Recipe, report: Report) -> None:
        self._trainer = trainer
        self._recipe = recipe
        self._report = report
        self._best = Best(recipe.patience)
        tokenizer = trainer.processing_class
        by_kind = {
            kind: [
                tokenize(row.messages, row.answer, tokenizer) for row in rows if row.kind == kind
            ]
            for kind in ("pair", "replay")
        }
        self._pairs, self._general = by_kind["pair"], by_kind["replay"]

    def callback(self) -> Any:
        """Return what looks every so many steps."""
        from transformers import TrainerCallback

        validation = self

        class Look(TrainerCallback):
            def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
                if state.global_step % validation._recipe.validate_every == 0:
                    validation.look(state.global_step, control)

            def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
                validation.keep(Path(args.output_dir) / f"checkpoint-{state.global_step}")

        return Look()

    @property
    def is_over(self) -> bool:
        """Whether nothing has become better for so long that the training had stopped."""
        return self._best.is_over

    def keep(self, checkpoint: Path) -> None:
        """Put the best adapter so far into a checkpoint, if it may be put back one day."""
        if self._recipe.patience:
            self._best.keep(checkpoint)

    def recall(self, checkpoint: Path) -> None:
        """Take up the best adapter that a checkpoint holds."""
        self._best.recall(checkpoint)

    def look(self, step: int, control: Any) -> None:
        """Measure, report, and stop the trainer if nothing has become better for long."""
        if not self._pairs:
            return
        loss = mean_loss(self._trainer.model, self._pairs)
        self._report({"event": "validation", "step": step, "loss": round(loss, 5)})
        if self._best.look(self._trainer.model, loss, step):
            control.should_training_stop = True

    def settle(self) -> float | None:
        """Put the best adapter back and return the chosen scale; None if none is to be chosen."""
        if not self._pairs:
            return None
        model = self._trainer.model
        if self._recipe.patience:
            if not self._best.is_over:  # else the last look was at these weights
                loss = mean_loss(model, self._pairs)
                self._best.look(model, loss, int(self._trainer.state.global_step))
            self._best.restore(model)
            self._report({"event": "note", "kept_step": self._best.step})
        if not self._recipe.chooses_scale:
            return None
        losses = {s: losses_at(model, s, self._pairs, self._general) for s in SCALES}
        return choose_scale(losses)


def _trainer(job: TrainingJob, rows: Sequence[Row], meter: _Meter) -> Any:
    import torch
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    from training.answer_loss import AnswerTrainer

    recipe = job.recipe
    on_gpu = torch.cuda.is_available()
    torch.set_num_threads(recipe.threads or os.cpu_count() or 1)
    compute = _compute_type(recipe.compute, on_gpu)
    tokenizer = AutoTokenizer.from_pretrained(job.base, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(
        job.base,
        local_files_only=True,
        dtype=compute,
        attn_implementation="sdpa",
        quantization_config=BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=compute,
        ),
    )
    trainer: Any = AnswerTrainer(
        model=model,
        args=_settings(job, on_gpu, compute),
        train_dataset=_dataset(rows, tokenizer, recipe.max_tokens, meter.report),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=recipe.rank,
            lora_alpha=recipe.alpha,
            lora_dropout=recipe.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )
    # TRL keeps the adapter of a quantised model in bfloat16, in which AdamW's small updates of
    # large weights are rounded away; the adapter is small enough for float32.
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    trainer.data_collator = meter.count(trainer.data_collator)
    return trainer


def _dataset(rows: Sequence[Row], tokenizer: Any, max_tokens: int, report: Report) -> Any:
    from datasets import Dataset

    tokenized = [tokenize(row.messages, row.answer, tokenizer) for row in rows]
    kept = [(ids, labels) for ids, labels in tokenized if len(ids) <= max_tokens]
    if len(kept) < len(tokenized):
        report({"event": "note", "too_long": len(tokenized) - len(kept)})
    return Dataset.from_dict(
        {
            "input_ids": [ids for ids, _ in kept],
            "labels": [labels for _, labels in kept],
            "length": [len(ids) for ids, _ in kept],
        }
    )


def _settings(job: TrainingJob, on_gpu: bool, compute: Any) -> Any:
    import torch
    from trl import SFTConfig  # type: ignore[attr-defined]  # it exports lazily

    recipe = job.recipe
    return SFTConfig(
        output_dir=job.work,
        per_device_train_batch_size=recipe.batch_size,
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        warmup_steps=recipe.warmup_steps,
        lr_scheduler_type="cosine",
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.clip,
        optim="paged_adamw_8bit" if on_gpu else "adamw_torch",
        # Recomputing saves memory where it is scarce, and costs a third of the time.
        gradient_checkpointing=on_gpu,
        # On a processor the weights are in the type to compute in, and autocast would copy them.
        bf16=on_gpu and compute is torch.bfloat16,
        fp16=on_gpu and compute is torch.float16,
        use_cpu=not on_gpu,
        max_length=None,  # rows were fitted when they were made; cutting one would cut its answer
        train_sampling_strategy="group_by_length",  # rows of like length waste no padding
        length_column_name="length",
        dataloader_pin_memory=on_gpu,
        logging_steps=1,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        save_steps=recipe.checkpoint_every,
        save_total_limit=2,
        seed=recipe.seed,
        data_seed=recipe.seed,
        report_to="none",
        disable_tqdm=True,
    )


def _watch(meter: _Meter) -> Any:
    """Return a callback that hands the trainer's events to the meter."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
            meter.step_began(state.global_step)

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
            logs = kwargs.get("logs") or {}
            if "loss" in logs:
                meter.step_ended(state.global_step, state.max_steps, float(logs["loss"]))
                failpoint("training.step")

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
            if meter.should_stop() and state.global_step < state.max_steps:
                meter.stopped = True
                control.should_save = True
                control.should_training_stop = True

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
            failpoint("training.checkpoint")
            checkpoints.seal(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    return Watch()


def _compute_type(wanted: str, on_gpu: bool) -> Any:
    import torch

    if wanted != "auto":
        return getattr(torch, wanted)
    if on_gpu:
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if has_bfloat16() else torch.float32


def _peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _settle(folder: Path) -> None:
    """Keep what an adapter consists of, nothing else, and flush it to disk."""
    for path in folder.iterdir():
        if path.name not in _ADAPTER_FILES:
            path.unlink()
            continue
        with path.open("rb") as file:
            os.fsync(file.fileno())
