"""What must be looked at before a pair may train: personal data, faults, signs of an attack.

Each finding becomes a hold, a reason in words. Nothing is dropped and nothing decided: the pair is
stored, and an expert masks it, turns it down, or says why it may train.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from knowledge.grounding.checker import GroundingCheck
from knowledge.grounding.reading import Ground, sentences_of
from knowledge.grounding.small_talk import claims_nothing
from knowledge.language import (
    ENGLISH_FUNCTION_WORDS,
    NORWEGIAN_FUNCTION_WORDS,
    detect_language,
)
from storage import pair_watch
from storage.clock import utc_now
from storage.database import Database
from storage.pair_records import NewPair, PairSource
from training.pair_poisoning import (
    Limits,
    Proposal,
    hosts_in,
    signs_in_numbers,
    signs_in_text,
)
from training.pair_quality import (
    Examined,
    VoiceRule,
    quality_faults,
    rudeness,
    voice_rules,
)
from training.personal_data import find_personal_data, in_words
from training.prompt import Voice, without_citations

#: How far back "sudden" looks.
LATELY = timedelta(days=1)

#: The share of false statements that the check of support catches here. Experts know more than the
#: pages say, and each false alarm costs one of them a look: with this share it is 7 of the
#: sample company's 458 pairs.
CAUGHT = 0.7

#: How many more function words of one language than of the other tell which it is.
_CLEARLY = 2

#: How long the rules that the approved answers keep are taken to be the same.
_RULES_KEPT_FOR = timedelta(minutes=10)

#: Returns the text of a section for these audiences: heading and text, None if it is gone.
FindText = Callable[[PairSource, str], Ground | None]

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Findings:
    """What speaks against a pair, in sentences.

    Attributes:
        holds: What somebody has to look at, whoever wrote the pair: personal data, signs of an
            attack, what no model should say.
        faults: How good the pair is: an expert whose own words count at once vouches for that.
    """

    holds: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


class PairChecks:
    """Finds what speaks against a proposed pair. Safe in several threads."""

    def __init__(
        self,
        database: Database,
        *,
        voice: Voice,
        find_text: FindText,
        longest_answer: int = 200,
        limits: Limits | None = None,
        company_hosts: Sequence[str] = (),
    ) -> None:
        """Take the collaborators.

        Args:
            database: Where pairs and passages are; only read.
            voice: How the company writes, as the settings say.
            find_text: Finds what a pair rests on.
            longest_answer: How many words the model can say, see `training.pair_quality`.
            limits: How many pairs within a day are usual.
            company_hosts: Hosts that may be linked to although no page links to them.
        """
        self._database = database
        self._voice = voice
        self._find_text = find_text
        self._longest = longest_answer
        self._limits = limits or Limits()
        self._hosts = frozenset(host.casefold().removeprefix("www.") for host in company_hosts)
        self._grounding = GroundingCheck(caught=CAUGHT)
        self._rules: tuple[VoiceRule, ...] | None = None
        self._rules_until = utc_now()

    def holds(self, pair: NewPair) -> tuple[str, ...]:
        """Return every reason why a pair must not train before an expert has looked at it."""
        found = self.examine(pair)
        return (*found.holds, *found.faults)

    def examine(self, pair: NewPair) -> Findings:
        """Find what speaks against a pair.

        It reads in a transaction of its own, so what the caller has not committed is not seen.
        """
        with self._database.read() as session:
            strange = {
                host
                for host in hosts_in(f"{pair.input}\n{pair.output}")
                if host not in self._hosts and not pair_watch.is_host_known(session, host)
            }
        examined = Examined(
            question_language=language_of(pair.input),
            answer_language=language_of(pair.output),
            unsupported=self._unsupported(pair),
        )
        return Findings(
            holds=(
                *personal_data_reasons(pair.input, pair.output, pair.context),
                *signs_in_text(pair.input, pair.output, lambda host: host not in strange),
                *self._sudden(pair),
                *rudeness(pair.input, pair.output),
            ),
            faults=quality_faults(
                pair.input,
                pair.output,
                examined,
                rules=self._rules_now(),
                longest=self._longest,
            ),
        )

    def _sudden(self, pair: NewPair) -> tuple[str, ...]:
        """Count only what people propose in Slack: a file is imported by an admin, as a whole."""
        if pair.origin != "slack":
            return ()
        with self._database.read() as session:
            recent = pair_watch.proposed_since(session, utc_now() - LATELY)
            replaces = pair_watch.is_answered_by_others(session, pair.input, pair.author)
        pages = tuple(dict.fromkeys(source.uri for source in pair.sources))
        return signs_in_numbers(
            Proposal(pair.author, pair.input, pages, replaces),
            [Proposal(each.author, each.question, each.pages, each.replaces) for each in recent],
            self._limits,
        )

    def _unsupported(self, pair: NewPair) -> tuple[str, ...]:
        grounds = [
            ground
            for source in dict.fromkeys(pair.sources)
            if (ground := self._find_text(source, pair.audience)) is not None
        ]
        if not grounds:
            return ()
        opened = self._grounding.read(grounds, pair.input)
        sayings = self._voice.sayings
        return tuple(
            sentence
            for sentence in sentences_of(without_citations(pair.output))
            if not claims_nothing(sentence, pair.input, sayings)
            and not opened.support(sentence).is_supported
        )

    def _rules_now(self) -> tuple[VoiceRule, ...]:
        now = utc_now()
        if self._rules is None or now >= self._rules_until:
            with self._database.read() as session:
                references = pair_watch.approved_outputs(session)
            self._rules = voice_rules(self._voice, references)
            self._rules_until = now + _RULES_KEPT_FOR
        return self._rules


def personal_data_reasons(
    question: str, answer: str, context: str | None = None
) -> tuple[str, ...]:
    """Return what personal or secret a pair's texts hold, in one sentence for each text."""
    reasons = []
    for name, text in (("question", question), ("answer", answer), ("context", context or "")):
        found = [in_words(each) for each in find_personal_data(text)]
        if found:
            told = ", ".join(dict.fromkeys(found))
            reasons.append(
                f"The {name} has personal data or a secret in it: {told}. Mask it, or say why "
                "everybody may know it."
            )
    return tuple(reasons)


def kinds_of_personal_data(
    question: str, answer: str, context: str | None = None
) -> tuple[str, ...]:
    """Return what kinds of personal or secret things a pair's texts hold, without the things."""
    texts = (question, answer, context or "")
    found = [each.kind for text in texts for each in find_personal_data(text)]
    return tuple(dict.fromkeys(found))


def language_of(text: str) -> str | None:
    """Return `en`, `no` or `other` where the text's words tell clearly, else None."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    english = sum(w in ENGLISH_FUNCTION_WORDS and w not in NORWEGIAN_FUNCTION_WORDS for w in words)
    norwegian = sum(
        w in NORWEGIAN_FUNCTION_WORDS and w not in ENGLISH_FUNCTION_WORDS for w in words
    )
    if abs(english - norwegian) >= _CLEARLY:
        return "en" if english > norwegian else "no"
    return "other" if detect_language(text) == "other" else None
