"""Whether the bot knows when it does not know: questions with and without an answer.

    python -m tests.benchmarks.abstaining --data FOLDER          # reports
    python -m tests.benchmarks.abstaining --data FOLDER --fit    # fits first, then reports

The sample company's questions with their answers and some it cannot answer; a handbook's; and
mtRAG's, each searched with in its own documents. What is reported of a question comes from a model
that was fitted without the questions of its page (eight folds). `--keep FOLDER` keeps the
indexes, which take minutes to make.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from knowledge import abstaining
from knowledge.abstaining import (
    CALIBRATION_FILE,
    FEATURES,
    PRECISION,
    UNANSWERABLE_SHARE,
    Calibration,
)
from knowledge.embedder import MiniLmEmbedder
from tests.benchmarks.grounding_pages import COMPANY
from tests.benchmarks.grounding_people import mtrag_answers
from tests.knowledge.house import House, house_in

FILE = Path(abstaining.__file__).parent / CALIBRATION_FILE
QUESTIONS = Path(__file__).parent / "questions"
UNANSWERABLE = Path(__file__).parents[1] / "knowledge" / "data" / "unanswerable.txt"

#: The passages that answering searches for.
SEARCHED = 10

KINDS = ("company", "handbook", "mtRAG")

PRECISIONS = (0.8, 0.85, 0.875, PRECISION, 0.925, 0.95, 0.97)

console = Console(width=110)


@dataclass(frozen=True)
class Asked:
    """A question, the documents it is asked of, and its group, which stays in one fold."""

    of: str
    question: str
    is_answerable: bool
    group: str


def company_questions() -> Iterator[Asked]:
    """Yield the sample company's questions, by the page that answers them."""
    for file, key in (("pairs.jsonl", "input"), ("questions.jsonl", "question")):
        for line in (COMPANY / file).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row.get("context"):  # the others are unanswerable on purpose
                yield Asked("company", row[key], True, row["context"].partition("#")[0])
            else:
                yield Asked("company", row[key], False, row[key])
    for question in UNANSWERABLE.read_text(encoding="utf-8").splitlines():
        yield Asked("company", question, False, question)


def handbook_questions() -> Iterator[Asked]:
    """Yield the handbook's questions."""
    for file, is_answerable in (("handbook.json", True), ("handbook_unanswerable.json", False)):
        for row in json.loads((QUESTIONS / file).read_text(encoding="utf-8")):
            group = row["pages"][0] if is_answerable else row["question"]
            yield Asked("handbook", row["question"], is_answerable, group)


def mtrag_questions(data: Path) -> Iterator[Asked]:
    """Yield mtRAG's questions; short follow-ups stand behind the question before."""
    answers = mtrag_answers(data)
    for is_answerable, questions in (
        (True, answers.answerable_questions),
        (False, answers.unanswerable_questions),
    ):
        for question in questions:
            yield Asked("mtRAG", question, is_answerable, question)


def search(asked: Sequence[Asked], house: House) -> list[dict[str, float]]:
    """Return the features of each question's search."""
    rows = []
    for each in asked:
        hits = house.retrieval.search(each.question, {"everyone"}, SEARCHED)
        evidence = house.retrieval.evidence(each.question, hits)
        rows.append({**evidence.figures, "similarity": evidence.similarity})
    return rows


def _weights(truth: np.ndarray) -> np.ndarray:
    """Weigh the questions so that one in four has no answer."""
    weights: np.ndarray = np.where(
        truth, (1 - UNANSWERABLE_SHARE) / truth.mean(), UNANSWERABLE_SHARE / (1 - truth.mean())
    )
    return weights


def _new() -> LogisticRegression:
    return LogisticRegression(C=0.03, max_iter=1_000)


def unseen_probabilities(rows: np.ndarray, truth: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Return for each question what a model says that was fitted without its page's questions."""
    standard = (rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-9)
    unseen, weights = np.empty(len(truth)), _weights(truth)
    for train, test in GroupKFold(8).split(standard, truth, groups):
        model = _new().fit(standard[train], truth[train], sample_weight=weights[train])
        unseen[test] = model.predict_proba(standard[test])[:, 1]
    return unseen


def thresholds_of(unseen: np.ndarray, truth: np.ndarray) -> list[tuple[float, float, float]]:
    """Return precision, the least threshold that reaches it, and the answerable share tried."""
    weights, found = _weights(truth), []
    for precision in PRECISIONS:
        for threshold in np.arange(0.02, 0.99, 0.005):
            tried = unseen >= threshold
            right, wrong = weights[tried & truth].sum(), weights[tried & ~truth].sum()
            if right and right / (right + wrong) >= precision:
                recall = float(tried[truth].mean())
                found.append((precision, round(float(threshold), 3), round(recall, 3)))
                break
    return found


def fit(rows: np.ndarray, truth: np.ndarray, groups: Sequence[str]) -> Calibration:
    """Fit the regression on all questions; find the thresholds on those not fitted on."""
    means, scales = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    model = _new().fit((rows - means) / scales, truth, sample_weight=_weights(truth))
    return Calibration(
        tuple(round(float(value), 5) for value in means),
        tuple(round(float(value), 5) for value in scales),
        tuple(round(float(value), 5) for value in model.coef_[0]),
        round(float(model.intercept_[0]), 5),
        tuple(thresholds_of(unseen_probabilities(rows, truth, groups), truth)),
    )


def write(fitted: Calibration) -> None:
    """Write the calibration into the package."""
    content = {
        "features": FEATURES,
        "means": fitted.means,
        "scales": fitted.scales,
        "coefficients": fitted.coefficients,
        "intercept": fitted.intercept,
        "thresholds": fitted.thresholds,
    }
    FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def report(
    asked: Sequence[Asked],
    rows: Sequence[dict[str, float]],
    values: np.ndarray,
    fitted: Calibration,
    title: str,
) -> None:
    """Print how well the two kinds are told apart, and what each wished precision gives.

    Args:
        asked: The questions.
        rows: Their features.
        values: What a model says of each that was fitted without it.
        fitted: Holds the thresholds.
        title: What the questions are of.
    """
    truth = np.array([each.is_answerable for each in asked])
    strength = np.array([row["strength"] for row in rows])
    similarity = np.array([row["similarity"] for row in rows])
    console.print(
        f"{title}: {truth.sum()} answerable, {(~truth).sum()} not. AUROC "
        f"{roc_auc_score(truth, values):.3f}; strength alone {roc_auc_score(truth, strength):.3f}, "
        f"similarity alone {roc_auc_score(truth, similarity):.3f}"
    )
    table = Table()
    for column in ("wished", "precision", "answerable tried", "others tried"):
        table.add_column(column, justify="right")
    for precision in PRECISIONS:
        tried = values >= fitted.threshold(precision)
        right, wrong = tried[truth].mean(), tried[~truth].mean()
        weighed = (1 - UNANSWERABLE_SHARE) * right
        mark = " (default)" if precision == PRECISION else ""
        reached = weighed / (weighed + UNANSWERABLE_SHARE * wrong) if right + wrong else 1.0
        table.add_row(f"{precision:.3g}{mark}", f"{reached:.3f}", f"{right:.1%}", f"{wrong:.1%}")
    console.print(table)


def gather(data: Path, keep: Path) -> tuple[list[Asked], list[dict[str, float]]]:
    """Search for every question in its documents."""
    embedder = MiniLmEmbedder(Path(".pytest_cache/d/embedder"))
    texts = keep / "mtrag-texts"
    texts.mkdir(parents=True, exist_ok=True)
    for number, document in enumerate(mtrag_answers(data).documents):
        (texts / f"{number}.md").write_text(f"# {document.heading}\n\n{document.text}\n")
    asked: list[Asked] = []
    rows: list[dict[str, float]] = []
    for name, pages, questions in (
        ("company", COMPANY / "handbook", list(company_questions())),
        ("handbook", data / "handbook", list(handbook_questions())),
        ("mtrag", texts, list(mtrag_questions(data))),
    ):
        house = house_in(keep / name, embedder)
        house.ingest(pages)
        asked += questions
        rows += search(questions, house)
        house.close()
    return asked, rows


def main() -> None:
    """Fit if asked to, then print everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fit", action="store_true", help="fit first and write the calibration")
    parser.add_argument("--keep", type=Path, help="where the indexes are kept")
    options = parser.parse_args()
    if options.fit:  # what there is may be of other features
        count = len(FEATURES)
        write(Calibration((0.0,) * count, (1.0,) * count, (0.0,) * count, 0.0, ((0.5, 0.5, 1.0),)))
    with tempfile.TemporaryDirectory() as temporary:
        asked, rows = gather(options.data, options.keep or Path(temporary))
    table = np.array([[row[name] for name in FEATURES] for row in rows])
    truth = np.array([each.is_answerable for each in asked])
    groups = [each.of + each.group for each in asked]
    if options.fit:
        write(fit(table, truth, groups))
        abstaining.calibration.cache_clear()
    unseen = unseen_probabilities(table, truth, groups)
    for title, which in (
        ("All, each by a model fitted without its page's questions", KINDS),
        ("The sample company", ("company",)),
        ("The handbook", ("handbook",)),
        ("mtRAG", ("mtRAG",)),
    ):
        part = [n for n, each in enumerate(asked) if each.of in which]
        report(
            [asked[n] for n in part],
            [rows[n] for n in part],
            unseen[part],
            abstaining.calibration(),
            title,
        )


if __name__ == "__main__":
    main()
