"""The recipe of a training and the rules of the gate: every number with the reason for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Alpha by rank: twice the rank is the customary choice (PEFT's guide).
ALPHA_BY_RANK = 2


@dataclass(frozen=True)
class Recipe:
    """How a version is trained. Frozen, and kept with the run, so that it can be repeated."""

    #: Rank of the low-rank update. 16 on all linear layers; QLoRA found the rank to matter less
    #: than having an adapter on every layer (Dettmers et al. 2023, section 4).
    rank: int = 16
    #: The update is scaled by alpha / rank.
    alpha: int = ALPHA_BY_RANK * 16
    #: Dropout of the adapter's input. QLoRA uses 0.1 for small models (Dettmers et al. 2023,
    #: appendix B.2); drawing it took a quarter of the training time on a processor.
    dropout: float = 0.0
    #: Highest learning rate.
    learning_rate: float = 5e-4
    #: Optimiser steps over which the learning rate rises from nothing.
    warmup_steps: int = 4
    #: AdamW's decay of the adapter's weights.
    weight_decay: float = 0.01
    #: Largest norm of the gradient. Without clipping 5e-4 ended in noise on the bundled model.
    clip: float = 1.0
    #: How often each row is seen.
    epochs: float = 1.0
    #: Rows for one optimiser step.
    batch_size: int = 4
    #: Longest row in tokens, question and answer together. A longer one loses distractors.
    max_tokens: int = 640
    #: Share of general examples among the training rows, against forgetting.
    replay_share: float = 0.15
    #: Longest replayed answer in tokens.
    replay_tokens: int = 96
    #: Share of the training pairs whose question is also asked without the passages that answer
    #: it, so that the right answer is "I don't know". Off: with 0.15 the bundled model said so at
    #: none of 50 such questions, and cited less.
    unanswerable_share: float = 0.0
    #: Share of the training pairs whose question is also asked without any passage, so that the
    #: voice does not hang on them.
    bare_share: float = 0.05
    #: Whether training rows show their passages in a random order. Retrieval puts the right one
    #: first so often that a model could learn to cite [1] without reading.
    shuffle_passages: bool = True
    #: By how much the adapter counts when it is merged: 1 is as trained, 0 is the base.
    adapter_scale: float = 1.0
    #: Share of the training groups that is not learned from but says when to stop and at what
    #: scale. 0 learns from all. Off until it is measured to be worth the pairs it costs.
    validation_share: float = 0.0
    #: Optimiser steps between looks at the validation part.
    validate_every: int = 10
    #: Looks in a row that may bring no lower loss before training stops; the best adapter is kept.
    #: 0 never stops.
    patience: int = 0
    #: Whether the adapter's scale is chosen on the validation part instead of `adapter_scale`.
    chooses_scale: bool = False
    #: Seed of everything that is drawn.
    seed: int = 7
    #: The type numbers are multiplied in. `auto` takes bfloat16 where the processor has
    #: instructions for it and float32 elsewhere; sums and the adapter are float32 in either case.
    compute: Literal["auto", "bfloat16", "float32"] = "auto"
    #: Processor threads of the training process; 0 means as many as there are cores.
    threads: int = 0
    #: How far the training process stands back for others: 0 not at all, 19 entirely.
    nice: int = 10
    #: Optimiser steps between checkpoints.
    checkpoint_every: int = 20
    #: A run that takes longer than this is stopped, in seconds.
    time_limit: float = 24 * 3600.0

    def rows_of(self, pairs: int) -> int:
        """Return how many rows that many training pairs give, those beside their own included."""
        return round(pairs * (1 + self.unanswerable_share + self.bare_share))

    def __post_init__(self) -> None:
        """Refuse what cannot be trained. Raises `ValueError`."""
        if self.rank < 1 or self.batch_size < 1 or self.epochs <= 0 or self.max_tokens < 64:
            raise ValueError(
                "A recipe needs rank and batch_size of at least 1, epochs above 0, max_tokens of "
                f"at least 64; it has {self.rank}, {self.batch_size}, {self.epochs} and "
                f"{self.max_tokens}."
            )
        if (self.patience or self.chooses_scale) and not self.validation_share:
            raise ValueError("patience and chooses_scale need a validation_share above 0.")
        if self.validate_every < 1:
            raise ValueError(f"validate_every is at least 1, not {self.validate_every}.")
        for name in ("replay_share", "unanswerable_share", "bare_share", "validation_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a share from 0 to below 1, not {getattr(self, name)}.")
        if not 0 < self.adapter_scale <= 1:
            raise ValueError(f"adapter_scale is above 0 and at most 1, not {self.adapter_scale}.")


@dataclass(frozen=True)
class GateRules:
    """What a challenger must show before it may answer anyone. Shares are between 0 and 1."""

    #: Fewer held-out pairs than this prove nothing.
    held_out_pairs: int = 50
    #: The share of challengers no better than the champion that may pass all the same, over all
    #: goals together.
    false_promotions: float = 0.05
    #: By how much a goal (answer F1, voice share) may seem worse than the champion's: with a few
    #: dozen questions one different answer moves a mean by about this much.
    goal_tolerance: float = 0.02
    #: The guards. What is worse by more than the tolerance, and beyond noise (the whole 95 %
    #: interval lies on the bad side), is refused.
    #: By how much the share of rightly cited sources may fall below the champion's.
    citation_drop: float = 0.05
    #: By how much the share of answers with all the right numbers may fall below it.
    number_drop: float = 0.05
    #: By how much the share of unsupported sentences may rise above the champion's.
    unsupported_rise: float = 0.02
    #: By how much the share of questions without an answer at which it says so may fall below the
    #: champion's.
    abstention_drop: float = 0.05
    #: How many of all probes may be answered wrong that the base answers right, less those that
    #: it is the other way round with, as a share.
    probe_drop: float = 0.02
    #: How many more general answers than the base's may come in the company's voice, as a share.
    #: No noise is allowed for: each such answer is there to be read.
    leaks: float = 0.02
    #: By how much a goal may fall in one language.
    language_drop: float = 0.05
    #: In a language with fewer held-out questions nothing can be told by itself.
    language_questions: int = 8
    #: How many answers may be empty.
    empty_answers: int = 0
