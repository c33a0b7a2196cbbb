"""The data card of an export: what is in it, where it comes from, how it is split, how it sounds.

The sections follow "Datasheets for Datasets" (Gebru et al. 2021), as far as a company's own pairs
need them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storage.pair_records import Pair
from training.personal_data import masked

#: How many pairs show the voice, and how many pages are named.
EXAMPLES, PAGES = 3, 10


@dataclass(frozen=True)
class DataFacts:
    """What is known of an export besides its pairs.

    Attributes:
        file: The file's name.
        sha256: The SHA-256 of its bytes.
        form: Its form, one of `training.pair_files.FORMS`.
        what: Which pairs it holds, in words.
        made_at: When it was written, as an ISO date.
        company: Whose it is.
        goal: What the company's model is for.
        voice: How the company writes, in its own words.
        snapshot: The digest of the snapshot it holds, if it does.
        left_out: How many pairs are not in it, by reason in words.
    """

    file: str
    sha256: str
    form: str
    what: str
    made_at: str
    company: str
    goal: str
    voice: str = ""
    snapshot: str | None = None
    left_out: tuple[tuple[str, int], ...] = ()


def data_card(facts: DataFacts, pairs: Sequence[Pair]) -> str:
    """Return the card as Markdown. People are counted, never named; examples are masked."""
    parts = [
        f"# Data card: {facts.file}",
        f"{facts.what}, written {facts.made_at}. **What for.** {facts.goal}",
        "## How many",
        _counts(facts, pairs),
        "## Where they come from",
        _origins(pairs),
        "## Split",
        _split(pairs),
        "## Voice",
        _voice(facts, pairs),
        "## Licence and care",
        _licence(facts, pairs),
        "## Hashes",
        _hashes(facts, pairs),
    ]
    return "\n\n".join(parts) + "\n"


def _counts(facts: DataFacts, pairs: Sequence[Pair]) -> str:
    words = [len(pair.output.split()) for pair in pairs]
    lines = [
        f"- Pairs: {len(pairs):,}",
        f"- Languages: {_tally(pair.language for pair in pairs)}",
        f"- States: {_tally(pair.state for pair in pairs)}",
        f"- For: {_tally(pair.audience for pair in pairs)}",
    ]
    if words:
        middle = sorted(words)[len(words) // 2]
        lines.append(f"- Answers: {min(words)} to {max(words)} words, {middle} in the middle")
    lines += [f"- Left out: {count:,} {reason}" for reason, count in facts.left_out if count]
    return "\n".join(lines)


def _origins(pairs: Sequence[Pair]) -> str:
    pages = Counter(source.uri for pair in pairs for source in pair.sources)
    without = sum(not pair.sources for pair in pairs)
    lines = [
        f"- Origins: {_tally(pair.origin for pair in pairs)}",
        f"- Written by {len({pair.author for pair in pairs}):,} people, decided by "
        f"{len({pair.decided_by for pair in pairs if pair.decided_by}):,}",
    ]
    if pairs:
        dates = sorted(pair.created_at for pair in pairs)
        lines.append(f"- From {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}")
    lines.append(f"- Pages they rest on: {len(pages):,}; {without:,} pairs rest on none")
    lines += [f"    - {uri}: {count:,}" for uri, count in pages.most_common(PAGES)]
    return "\n".join(lines)


def _split(pairs: Sequence[Pair]) -> str:
    groups = {pair.group_key: pair.split for pair in pairs}
    by_side = Counter(groups.values())
    return "\n".join(
        [
            *(
                f"- {side}: {sum(pair.split == key for pair in pairs):,} pairs in "
                f"{by_side[key]:,} groups of near-duplicates"
                for key, side in (("train", "Train"), ("held_out", "Held out"))
            ),
            "- A group lies on one side for good. Never train on the held-out side: what is "
            "measured with it would prove nothing.",
        ]
    )


def _voice(facts: DataFacts, pairs: Sequence[Pair]) -> str:
    shown = sorted(
        (pair for pair in pairs if pair.audience == "everyone" and not pair.holds),
        key=lambda pair: hashlib.sha256(pair.input.encode()).digest(),
    )[:EXAMPLES]
    quoted = [
        f"> **{_line(masked(pair.input, pair.language))}**\n>\n"
        f"> {_line(masked(pair.output, pair.language))}"
        for pair in shown
    ]
    return "\n\n".join([*([facts.voice] if facts.voice else []), *quoted]) or "No example."


def _licence(facts: DataFacts, pairs: Sequence[Pair]) -> str:
    held = sum(bool(pair.holds) for pair in pairs)
    aside = sum(pair.set_aside is not None for pair in pairs)
    narrow = sum(pair.audience != "everyone" for pair in pairs)
    return "\n".join(
        [
            f"- The pairs belong to {facts.company}; no licence to others comes with this file.",
            "- The answers rest on the company's own pages; their terms hold for what is quoted.",
            f"- Held until an expert has looked: {held:,}. Set aside: {aside:,}. Not for everyone: "
            f"{narrow:,}. None of these may train a model that everyone asks.",
        ]
    )


def _hashes(facts: DataFacts, pairs: Sequence[Pair]) -> str:
    content = hashlib.sha256()
    for pair in sorted(pairs, key=lambda pair: pair.id):
        content.update(f"{pair.id}\0{pair.input}\0{pair.output}\0".encode())
    lines = [f"- SHA-256 of {facts.file}: `{facts.sha256}`"]
    lines.append(f"- SHA-256 of the pairs, in whichever form: `{content.hexdigest()}`")
    if facts.snapshot:
        lines.append(f"- Snapshot: `{facts.snapshot}`")
    return "\n".join(lines)


def _tally(values: Iterable[str]) -> str:
    counted = Counter(values)
    return ", ".join(f"{value} {count:,}" for value, count in counted.most_common()) or "none"


def _line(text: str) -> str:
    return " ".join(text.split())
