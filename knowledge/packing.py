"""Which of the passages that were found a model is given: the best that fit, made whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from knowledge.neighbours import are_neighbours, joined
from knowledge.retrieval import Passage

#: How many times as many passages are looked for as are given: the rest may make one whole.
LOOKED_FOR = 2


def pack(
    hits: Sequence[Passage],
    *,
    most: int,
    tokens: int,
    count_tokens: Callable[[str], int],
) -> tuple[Passage, ...]:
    """Return the best passages that fit the budget, best first; one at least, if any was found.

    What room is left goes to neighbours that were found, too: a section that was cut is put
    together again. Answering and training both pack with this, so that a version is trained on
    what it will be given.

    Args:
        hits: What was found, best first.
        most: How many passages are given at most.
        tokens: How many tokens they may have together.
        count_tokens: Counts the tokens of a text as the model does.
    """
    packed: list[Passage] = []
    left = tokens
    sizes = {hit.id: count_tokens(f"{hit.title} > {hit.heading}\n{hit.text}") for hit in hits}
    for hit in hits[:most]:
        if not packed or sizes[hit.id] <= left:
            packed.append(hit)
            left -= sizes[hit.id]
    alone = {passage.id for passage in packed}
    for hit in hits:
        for place, passage in enumerate(packed):
            if hit.id not in alone and sizes[hit.id] <= left and are_neighbours(passage, hit):
                packed[place] = joined(passage, hit)
                left -= sizes[hit.id]
                break
    return tuple(packed)
