"""Which sentences of the passages answer a question: answer sentence selection.

A passage that was found says many things, and a small model easily takes up another one than was
asked for. So every sentence gets a score from a few plain features, weighed by a softmax
regression over the sentences of a question's passages (W. S. Cooper and others, "Probabilistic
retrieval based on staged logistic regression", SIGIR 1992, weigh documents so).

The weights were fitted on the sample company's training pairs (the sentence that supports the
expert's answer best) and on half of NorQuAD's questions, with the bundled English embedder. Of
the other half, and of the company's held-out pairs, the first sentence is the right one for 73 and
71 %; by the cosine alone for 48 and 65 %, by the words alone for 71 and 52 %.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from cachetools import LRUCache

from knowledge.embedder import Embedder, likeness
from knowledge.grounding.reading import Ground, Reading, Sentence
from knowledge.words import content_words, stems

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from knowledge.embedder import Vectors

#: The cosine of the question and the sentence under its heading; the share of the question's words
#: that stand in the sentence, without and with its heading; the share that stands in the sentence
#: before; the cosine of the passage; and whether the passage was found first.
WEIGHTS = (5.48, 2.73, 3.18, 1.38, 2.72, 1.66)

#: A sentence whose score lies further than this below the best one's answers something else: so
#: far below lies one in ten of the right sentences of training pairs, and most of the wrong.
OFF_THE_QUESTION = 2.0

#: Words that stand in nearly every sentence still count a little.
_LEAST_RARITY = 0.1

#: From this likeness on a word counts as present, when it is told how rare it is.
_PRESENT = 0.6

#: More sentences than this are not looked at; those of the passages found first come first.
_MOST_SENTENCES = 80

#: Vectors of sentences that are remembered, about 1.5 kB each: people ask about the same pages.
_REMEMBERED = 10_000


@dataclass(frozen=True)
class AnswerSentence:
    """A sentence that may answer a question.

    Attributes:
        text: As it stands in the passage.
        parts: What the grounding check reads one by one: it cuts at semicolons, too.
        passage: The place of its passage in the list.
        place: Its own place among the sentences of all passages.
        score: Only differences mean anything: e^difference is the ratio of the odds.
        similarity: How like the question it is under its heading; 0 for nothing in common.
    """

    text: str
    parts: tuple[str, ...]
    passage: int
    place: int
    score: float
    similarity: float = 0.0


class AnswerSelection:
    """Scores sentences. Safe in several threads."""

    def __init__(self) -> None:
        """Begin with nothing remembered."""
        self._lock = threading.Lock()
        self._remembered: LRUCache[tuple[str, str], Vectors] = LRUCache(_REMEMBERED)

    def rank(
        self,
        question: str,
        asked: Vectors,
        grounds: Sequence[Ground],
        similarities: Sequence[float],
        *,
        embedder: Embedder,
        language: str,
    ) -> tuple[AnswerSentence, ...]:
        """Return the sentences of passages, the one that answers the question best first.

        Args:
            question: What was asked.
            asked: Its vector.
            grounds: The passages, the one found first in front.
            similarities: How like the question each is, 0 to 1.
            embedder: What made `asked`.
            language: The question's, `en` or `no`; its words are stemmed so.
        """
        reading = Reading(grounds, language)
        wholes = _wholes(reading.sentences)[:_MOST_SENTENCES]
        if not wholes:
            return ()
        passage_of = np.array([whole[0].passage for whole in wholes])
        texts = [" ".join(part.text for part in whole) for whole in wholes]
        headed_texts = [
            f"{grounds[passage].heading}: {text}"
            for passage, text in zip(passage_of, texts, strict=True)
        ]
        cosines = self._vectors(headed_texts, embedder) @ asked
        alike = np.array([likeness(float(cosine), embedder) for cosine in cosines])
        alone, headed = _coverage(reading, question, language, [len(whole) for whole in wholes])
        follows = np.append(False, passage_of[1:] == passage_of[:-1])
        features = np.stack(
            [
                alike,
                alone,
                headed,
                np.where(follows, np.roll(alone, 1), 0.0),
                np.array(similarities)[passage_of],
                passage_of == 0,
            ],
            axis=1,
        )
        scores = features @ np.array(WEIGHTS)
        return tuple(
            AnswerSentence(
                texts[n],
                tuple(part.text for part in wholes[n]),
                int(passage_of[n]),
                n,
                float(scores[n]),
                float(alike[n]),
            )
            for n in np.argsort(-scores, kind="stable").tolist()
        )

    def _vectors(self, texts: Sequence[str], embedder: Embedder) -> Vectors:
        with self._lock:
            known = {text: self._remembered.get((embedder.name, text)) for text in texts}
        missing = [text for text, vector in known.items() if vector is None]
        if missing:
            new = dict(zip(missing, embedder.embed_passages(missing), strict=True))
            with self._lock:
                self._remembered.update({(embedder.name, text): v for text, v in new.items()})
            known |= new
        vectors: Vectors = np.array([known[text] for text in texts], dtype=np.float32)
        return vectors


def _wholes(sentences: Sequence[Sentence]) -> list[list[Sentence]]:
    """Put together again what was cut at a semicolon."""
    wholes: list[list[Sentence]] = []
    for sentence in sentences:
        before = wholes[-1][-1] if wholes else None
        if before and before.passage == sentence.passage and before.text.endswith(";"):
            wholes[-1].append(sentence)
        else:
            wholes.append([sentence])
    return wholes


def _coverage(
    reading: Reading, question: str, language: str, sizes: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return which share of the question's words each sentence has, rare words counting more;
    alone, and with its heading. `sizes` says how many parts of the reading each one has."""
    asked = list(dict.fromkeys(stems(content_words(question), language)))
    if not asked:
        return np.zeros(len(sizes)), np.zeros(len(sizes))
    count = sum(sizes)
    begins = np.append(0, np.cumsum(sizes)[:-1])
    alone = np.array([reading.presence(stem)[:count] for stem in asked])
    heading = np.array([reading.heading_presence(stem)[:count] for stem in asked])
    found = (alone > _PRESENT).sum(axis=1)
    rarity = np.array([max(_LEAST_RARITY, math.log((count + 1) / (n + 0.5))) for n in found])
    rarity = rarity[:, None] / rarity.sum()
    whole = np.maximum.reduceat(alone, begins, axis=1)
    headed = np.maximum(whole, heading[:, begins])
    return (rarity * whole).sum(axis=0), (rarity * headed).sum(axis=0)
