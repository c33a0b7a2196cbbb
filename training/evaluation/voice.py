"""Is this the company's voice? A small classifier that learns it from the pairs themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from training.prompt import Voice, without_citations

#: Length of the character sequences that the style is read from. Sequences of 1 to 4 with a
#: linear classifier are a strong baseline of authorship attribution (Stamatatos 2013).
_SEQUENCES = (1, 4)

#: A rule that the company's own references keep less often than this is no rule to check by.
_RULE_KEPT = 0.8


class VoiceUnclear(Exception):
    """There are too few texts to tell the company's voice from the model's own."""


class VoiceClassifier:
    """Tells answers in the company's voice from the base model's, by characters, not by topic.

    Both sides answer questions from the same pool with the same passages, so what remains to
    tell them apart is how they write.
    """

    def __init__(self, in_voice: Sequence[str], not_in_voice: Sequence[str]) -> None:
        """Learn the voice. Raises `VoiceUnclear` for fewer than five texts on either side."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        if min(len(in_voice), len(not_in_voice)) < 5:
            raise VoiceUnclear(
                f"{len(in_voice)} answers in the company's voice and {len(not_in_voice)} of the "
                "base model are too few to tell them apart; five of each are needed at least."
            )
        self._pipeline: Any = make_pipeline(
            TfidfVectorizer(analyzer="char", ngram_range=_SEQUENCES, sublinear_tf=True, min_df=2),
            LogisticRegression(class_weight="balanced", C=10.0, max_iter=1000, random_state=0),
        )
        texts = [without_citations(text) for text in (*in_voice, *not_in_voice)]
        labels = [1] * len(in_voice) + [0] * len(not_in_voice)
        self._pipeline.fit(texts, labels)

    def speaks(self, texts: Sequence[str]) -> list[bool]:
        """Return for each text whether it is in the company's voice. Nothing said is not."""
        if not texts:
            return []
        bare = [without_citations(text) for text in texts]
        found = self._pipeline.predict(bare)
        return [bool(label) and bool(text) for label, text in zip(found, bare, strict=True)]

    def accuracy(self, in_voice: Sequence[str], not_in_voice: Sequence[str]) -> float:
        """Return the mean of the shares recognised on either side, of texts it has not seen."""
        shares = []
        if in_voice:
            shares.append(sum(self.speaks(in_voice)) / len(in_voice))
        if not_in_voice:
            shares.append(1 - sum(self.speaks(not_in_voice)) / len(not_in_voice))
        return sum(shares) / len(shares) if shares else 0.0


class VoiceRules:
    """The voice's written rules, as a cross-check of the classifier.

    Each entry of `always` is a phrase that an answer holds, or several separated by `|` of which
    it holds one; no entry of `never` may occur. Entries that the company's own answers seldom
    keep are advice for writers, not rules to check by, and are left out.
    """

    def __init__(self, voice: Voice, references: Sequence[str]) -> None:
        """Choose the rules that `references`, answers by the company, keep."""
        wanted = [_any_of(entry.split("|")) for entry in voice.always]
        unwanted = [_any_of([entry]) for entry in voice.never]
        self._always = [rule for rule in wanted if _share(rule, references) >= _RULE_KEPT]
        self._never = [rule for rule in unwanted if _share(rule, references) <= 1 - _RULE_KEPT]

    @property
    def count(self) -> int:
        """How many rules there are to check by."""
        return len(self._always) + len(self._never)

    def kept(self, answer: str) -> bool:
        """Whether an answer keeps all rules; nothing said keeps none."""
        bare = without_citations(answer)
        return (
            bool(bare)
            and all(rule.search(bare) for rule in self._always)
            and not any(rule.search(bare) for rule in self._never)
        )


class StrictVoice:
    """In the voice is what the classifier takes for it and what keeps the written rules.

    The classifier knows the experts and the base model only. Words quoted from a page are neither,
    and it may take them for either; the rules tell them apart.
    """

    def __init__(self, classifier: VoiceClassifier, rules: VoiceRules) -> None:
        """Take both; rules that the company's own answers do not keep are none."""
        self._classifier = classifier
        self._rules = rules

    def speaks(self, texts: Sequence[str]) -> list[bool]:
        """Return for each text whether it is in the voice."""
        found = self._classifier.speaks(texts)
        if not self._rules.count:
            return found
        return [a and self._rules.kept(text) for a, text in zip(found, texts, strict=True)]


def _any_of(phrases: Sequence[str]) -> re.Pattern[str]:
    choices = "|".join(re.escape(phrase.strip()) for phrase in phrases if phrase.strip())
    return re.compile(rf"(?<!\w)(?:{choices})(?!\w)" if choices else r"(?!)", re.IGNORECASE)


def _share(rule: re.Pattern[str], texts: Sequence[str]) -> float:
    return sum(1 for text in texts if rule.search(text)) / len(texts) if texts else 0.0
