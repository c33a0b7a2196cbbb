"""Whether unsupported sentences are caught: made statements, paraphrases, and people's judgement.

    python -m tests.benchmarks.grounding --data FOLDER          # reports
    python -m tests.benchmarks.grounding --data FOLDER --fit    # fits first, then reports

Pages are split in two by a hash of their name. The check is fitted on statements made from one
half (its threshold in cross-validation within it); everything that is printed comes from the other
half, or from data that people judged, which nothing is fitted on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from knowledge.embedder import MiniLmEmbedder
from knowledge.grounding import checker
from knowledge.grounding.checker import MODEL_FILE, GroundingCheck, Support
from knowledge.grounding.features import compare
from knowledge.grounding.reading import Ground, Reading
from knowledge.grounding.small_talk import claims_nothing
from knowledge.grounding.statements import SourcePage, Statement, is_reported, make_statements
from knowledge.grounding.training import BESIDE, fit, rows_of
from tests.benchmarks.grounding_pages import company_pages, handbook_pages, norquad_pages
from tests.benchmarks.grounding_people import (
    Judged,
    RatedAnswers,
    mtrag_answers,
    paraphrases,
    scifact_claims,
)

MODEL = Path(checker.__file__).parent / MODEL_FILE

#: Sentences used of each page: for fitting, and for the report.
FITTED_PER_PAGE, REPORTED_PER_PAGE = 4, 2

#: Scores a sentence beside passages; more is more supported.
Score = Callable[[str, Sequence[Ground], str], float]

console = Console(width=120)


def fit_and_write(pages: Sequence[SourcePage], embedder: MiniLmEmbedder) -> None:
    """Fit the check with and without the embedder, and write both into the package."""
    statements = list(make_statements(pages, seed=1, per_page=FITTED_PER_PAGE))
    console.print(f"Fitting on {len(statements)} statements from {len(pages)} pages.")
    rows = rows_of(statements, embedder)
    names_without = rows_of(statements[:1], None).shape[1]
    models = {
        embedder.name: fit(rows, statements, with_meaning=True),
        "": fit(rows[:, :names_without], statements, with_meaning=False),
    }
    content = {"models": {name: fitted.as_plain() for name, fitted in models.items()}}
    MODEL.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
    truth = [statement.is_true for statement in statements]
    for name, fitted in models.items():
        auroc = roc_auc_score(truth, fitted.out_of_fold)
        console.print(f"  {name or 'without an embedder'}: AUROC {auroc:.3f} in cross-validation")


def score_statements(
    statements: Sequence[Statement], check: GroundingCheck
) -> tuple[list[float], float]:
    """Return the probabilities, and the milliseconds that a check took."""
    began = time.perf_counter()
    scores = [check.support(s.text, s.grounds, s.question).probability for s in statements]
    return scores, (time.perf_counter() - began) * 1000 / len(statements)


def show_statements(
    title: str, statements: Sequence[Statement], scores: Sequence[float], threshold: float
) -> None:
    """Print the table by kind and language, and the sums."""
    truth = np.array([s.is_true for s in statements])
    values = np.array(scores)
    passed = values >= threshold
    table = Table(title=title)
    for column in ("kind", "language", "statements", "rejected"):
        table.add_column(column, justify="right" if column != "kind" else "left")
    counts: dict[tuple[bool, str, str], list[bool]] = defaultdict(list)
    for statement, is_passed in zip(statements, passed, strict=True):
        for language in (statement.language, "both"):
            counts[(not statement.is_true, statement.kind, language)].append(not is_passed)
    for (is_false, kind, language), rejected in sorted(counts.items()):
        name = f"{'false' if is_false else 'true'}: {kind}"
        table.add_row(name, language, str(len(rejected)), f"{np.mean(rejected):.1%}")
    console.print(table)
    besides = np.array([s.kind in BESIDE for s in statements])
    for language in ("en", "no", "both"):
        spoken = np.array([language in (s.language, "both") for s in statements])
        for name, part in (("", spoken & ~besides), (f", with {' and '.join(BESIDE)}", spoken)):
            if truth[part].all() or not truth[part].any():
                continue
            false_ones, true_ones = part & ~truth, part & truth
            console.print(
                f"  {language}{name}: AUROC {roc_auc_score(truth[part], values[part]):.3f}, caught "
                f"{1 - passed[false_ones].mean():.1%} of {false_ones.sum()} false, "
                f"rejected {1 - passed[true_ones].mean():.1%} of {true_ones.sum()} true"
            )
    console.print(f"  threshold {threshold:.3f}")


def by_words(sentence: str, grounds: Sequence[Ground], _question: str) -> float:
    """Word overlap alone: the share of the content words that the passages have."""
    return compare(sentence, _read(tuple(grounds))).figures["coverage of all passages"]


@lru_cache(maxsize=4)
def _read(grounds: tuple[Ground, ...]) -> Reading:
    return Reading(grounds, "en")


def by_meaning(embedder: MiniLmEmbedder) -> Score:
    """Embedding similarity alone: the highest cosine with a sentence of the passages."""
    known: dict[str, np.ndarray] = {}

    def score(sentence: str, grounds: Sequence[Ground], _question: str) -> float:
        sentences = [s.text for s in _read(tuple(grounds)).sentences]
        new = [text for text in (sentence, *sentences) if text not in known]
        known.update(zip(new, embedder.embed_passages(new), strict=True))
        return max((float(known[sentence] @ known[text]) for text in sentences), default=0.0)

    return score


def show_judged(title: str, rows: Sequence[Judged], scores: dict[str, Score]) -> None:
    """Print the AUROC of each way of scoring; answers by their lowest sentence, and by the mean."""
    truth = [row.is_true for row in rows]
    table = Table(title=f"{title}: {sum(truth)} supported, {len(truth) - sum(truth)} not")
    for column in ("AUROC by", "lowest sentence", "mean of sentences"):
        table.add_column(column, justify="left" if column == "AUROC by" else "right")
    for name, score in scores.items():
        lowest, mean = [], []
        for row in rows:
            claims = [s for s in row.sentences if not claims_nothing(s)] or list(row.sentences)
            each = [score(sentence, row.grounds, row.question) for sentence in claims] or [1.0]
            lowest.append(min(each))
            mean.append(float(np.mean(each)))
        figures = (f"{roc_auc_score(truth, values):.3f}" for values in (lowest, mean))
        table.add_row(name, *figures)
    console.print(table)


def show_paraphrases(rows: Sequence[Judged], check: GroundingCheck) -> None:
    """Print what hand-written paraphrases and their false twins get."""
    supports = [check.support(row.sentences[0], row.grounds) for row in rows]
    for language in ("en", "no", "both"):
        part = [n for n, row in enumerate(rows) if language in (row.language, "both")]
        truth = [rows[n].is_true for n in part]
        values = [supports[n].probability for n in part]
        true_ones = [n for n in part if rows[n].is_true]
        false_ones = [n for n in part if not rows[n].is_true]
        pairs = [
            supports[t].probability > supports[f].probability
            for t, f in zip(true_ones, false_ones, strict=True)
        ]
        console.print(
            f"  {language}: AUROC {roc_auc_score(truth, values):.3f}, caught "
            f"{_rejected(supports, false_ones):.0%} of {len(false_ones)} false, rejected "
            f"{_rejected(supports, true_ones):.0%} of {len(true_ones)} true; the true one of a "
            f"pair scores higher in {np.mean(pairs):.0%}"
        )


def _rejected(supports: Sequence[Support], which: Sequence[int]) -> float:
    return float(np.mean([not supports[n].is_supported for n in which]))


def show_unanswerable(
    answers: RatedAnswers, check: GroundingCheck, embedder: MiniLmEmbedder
) -> None:
    """Print how many answers to unanswerable questions would be shown, beside found passages."""
    vectors = embedder.embed_passages([f"{d.heading}\n{d.text}" for d in answers.documents])
    counts: Counter[str] = Counter()
    for row in answers.unanswerable:
        found = np.argsort(-(vectors @ embedder.embed_query(row.question)))[:3]
        opened = check.read([answers.documents[n] for n in found], row.question)
        claims = [s for s in row.sentences if not claims_nothing(s, row.question)]
        kind = "people found it faithful" if row.is_true else "people found it unfaithful"
        counts[f"{kind}: sentences"] += len(claims)
        rejected = sum(not opened.support(claim).is_supported for claim in claims)
        counts[f"{kind}: sentences rejected"] += rejected
    console.print("Answers to mtRAG's 7 unanswerable questions, beside the 3 passages found:")
    for name, count in sorted(counts.items()):
        console.print(f"  {name}: {count}")


def main() -> None:
    """Fit if asked to, then print everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fit", action="store_true", help="fit first and write the model")
    parser.add_argument("--cache", type=Path, default=Path(".pytest_cache/d/embedder"))
    options = parser.parse_args()
    embedder = MiniLmEmbedder(options.cache)
    public = [*handbook_pages(options.data, embedder), *norquad_pages(options.data, embedder)]
    company = list(company_pages(embedder))
    if options.fit:
        fit_and_write([p for p in [*public, *company] if not is_reported(p.name)], embedder)
    checker._fitted.cache_clear()
    report(public, company, options.data, embedder)


def report(
    public: Sequence[SourcePage],
    company: Sequence[SourcePage],
    data: Path,
    embedder: MiniLmEmbedder,
) -> None:
    """Print everything that is measured on what nothing was fitted on."""
    check, without = GroundingCheck(embedder), GroundingCheck()
    for title, pages in (("Handbook and NorQuAD", public), ("The sample company", company)):
        reported = [page for page in pages if is_reported(page.name)]
        statements = list(make_statements(reported, seed=2, per_page=REPORTED_PER_PAGE))
        scores, milliseconds = score_statements(statements, check)
        name = f"{title}, {len(reported)} pages never fitted on"
        show_statements(name, statements, scores, check.threshold)
        truth = [statement.is_true for statement in statements]
        scores_without, _ = score_statements(statements, without)
        words = [by_words(statement.text, statement.grounds, "") for statement in statements]
        console.print(
            f"  {milliseconds:.0f} ms a check, passages read anew each time\n"
            f"  beside it, AUROC: without an embedder {roc_auc_score(truth, scores_without):.3f}, "
            f"word overlap alone {roc_auc_score(truth, words):.3f}"
        )
    console.print("Paraphrases written by hand, with a false twin each, never fitted on:")
    show_paraphrases(list(paraphrases(public)), check)

    def by(which: GroundingCheck) -> Score:
        read = lru_cache(maxsize=1)(which.read)  # an answer's passages are read once
        return lambda sentence, grounds, asked: read(grounds, asked).support(sentence).probability

    scores_by: dict[str, Score] = {
        "the check": by(check),
        "the check without an embedder": by(without),
        "word overlap alone": by_words,
        "embedding similarity alone": by_meaning(embedder),
    }
    show_judged("SciFact, SUPPORT against CONTRADICT", scifact_claims(data), scores_by)
    answers = mtrag_answers(data)
    show_judged("mtRAG, faithful against unfaithful", answers.rated, scores_by)
    show_unanswerable(answers, check, embedder)


if __name__ == "__main__":
    main()
