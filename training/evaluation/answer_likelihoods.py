"""Reading many questions with their answers, and what begins alike only once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from training.tokens import NOT_LEARNED


def answer_likelihoods(model: Any, asked: Sequence[tuple[list[int], list[int]]]) -> list[float]:
    """Return each answer's likelihood: exp of the mean log-likelihood of its tokens.

    Questions about the same passages begin alike. In the order of their tokens each goes on from
    what it shares with the one before, whose keys and values are still there (a walk through the
    prefix tree, as in Zheng et al. 2024, "SGLang: Efficient Execution of Structured Language Model
    Programs", section 3). Only positions that speak answers are projected on the vocabulary.

    Args:
        model: A causal language model, with or without an adapter.
        asked: Token ids and labels of each question with its answer, as `tokenize` makes them:
            the answer's tokens come last.
    """
    import torch
    from torch.nn.functional import cross_entropy

    found = [0.0] * len(asked)
    cache: Any = None
    before: list[int] = []
    model.eval()
    with torch.inference_mode():
        for place in sorted(range(len(asked)), key=lambda place: asked[place][0]):
            ids, labels = asked[place]
            spoken = sum(label != NOT_LEARNED for label in labels)
            # The token before the answer is read anew in any case: it speaks the first one.
            shared = min(_alike(before, ids), len(ids) - spoken - 1)
            if cache is None or not _can_go_back(cache):
                cache, shared = None, 0
            elif shared < len(before):
                cache.crop(shared - len(before))
            said = model(
                input_ids=torch.tensor([ids[shared:-1]], device=model.device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=spoken,
            )
            cache, before = getattr(said, "past_key_values", None), ids[:-1]
            wanted = torch.tensor(ids[-spoken:], device=model.device)
            found[place] = math.exp(-float(cross_entropy(said.logits[0, -spoken:].float(), wanted)))
    return found


def _alike(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two texts have in common from their beginning."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _can_go_back(cache: Any) -> bool:
    """Whether a cache keeps every token, so that the last ones can be taken off again."""
    return bool(cache.is_croppable) and not any(cache.is_sliding)
