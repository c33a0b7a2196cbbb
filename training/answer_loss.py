"""TRL's trainer, with the loss worked out for the answers' tokens alone.

TRL projects only learned positions on the vocabulary where Triton is, and every position
elsewhere. Answers are an eighth of a row here, so on a processor most of that work, a third of
the whole step, is done for tokens whose loss is then thrown away.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import cross_entropy
from trl import SFTTrainer  # type: ignore[attr-defined]  # it exports lazily

from training.tokens import NOT_LEARNED


class AnswerTrainer(SFTTrainer):
    """`SFTTrainer` for causal language models that project hidden states on words directly."""

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Return the mean negative log-likelihood of the learned tokens, in nats.

        Models that do more to their logits than project are left to TRL.
        """
        causal = model.get_base_model() if hasattr(model, "get_base_model") else model
        if return_outputs or inputs["input_ids"].is_cuda or _adjusts_logits(causal.config):
            parent: Any = super()
            return parent.compute_loss(model, inputs, return_outputs, num_items_in_batch)
        backbone = getattr(causal, causal.base_model_prefix)
        hidden = backbone(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            use_cache=False,
        ).last_hidden_state
        # Position i speaks token i + 1.
        wanted = inputs["labels"][:, 1:]
        is_learned = wanted != NOT_LEARNED
        logits = causal.get_output_embeddings()(hidden[:, :-1][is_learned])
        total = cross_entropy(logits.float(), wanted[is_learned], reduction="sum")
        count = is_learned.sum() if num_items_in_batch is None else num_items_in_batch
        return total / torch.as_tensor(count).clamp(min=1)


def _adjusts_logits(config: Any) -> bool:
    text = config.get_text_config()
    adjustments = ("final_logit_softcapping", "logit_scale", "output_multiplier", "logits_scaling")
    names = (*adjustments, "lm_head_multiplier", "output_router_logits")
    return any(getattr(text, name, None) for name in names)
