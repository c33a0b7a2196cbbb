"""Pages that statements are made from: a handbook, NorQuAD's articles, the sample company's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from knowledge.chunking import cut
from knowledge.embedder import MiniLmEmbedder
from knowledge.grounding.reading import Ground
from knowledge.grounding.statements import Example, Paraphrase, SourcePage
from knowledge.listing import FileEmpty, FileUnreadable
from knowledge.readers import read_page

COMPANY_PARAPHRASES = Path(__file__).parent / "questions" / "company_paraphrases.json"
COMPANY = Path(__file__).parents[2] / "bot" / "demo" / "company"

#: Reports of one scanner, nearly the same page two dozen times: they would lie on both sides.
_REPEATED = "departments/security/tooling/trivy/"


def handbook_pages(data: Path, embedder: MiniLmEmbedder) -> Iterator[SourcePage]:
    """Yield the handbook's pages, in English."""
    folder = data / "handbook"
    for path in sorted(folder.rglob("*.md")):
        name = path.relative_to(folder).as_posix()
        if name.startswith(_REPEATED):
            continue
        page = _page(name, path.read_bytes(), path.name, "en", embedder)
        if page is not None:
            yield page


def norquad_pages(data: Path, embedder: MiniLmEmbedder) -> Iterator[SourcePage]:
    """Yield NorQuAD's articles with their questions and answers, in Norwegian."""
    articles = json.loads((data / "norquad" / "validation.json").read_text(encoding="utf-8"))
    asked: dict[str, list[tuple[str, str]]] = {}
    for article in articles["data"]:
        for paragraph in article["paragraphs"]:
            asked.setdefault(paragraph["context"], []).extend(
                (each["question"], each["answers"][0]["text"]) for each in paragraph["qas"]
            )
    for number, (text, questions) in enumerate(asked.items()):
        page = _page(f"norquad-{number}", text.encode(), f"{number}.txt", "no", embedder)
        if page is None:
            continue
        examples = [
            Example(question, answer, place)
            for question, answer in questions
            for place in [_holding(page, answer)]
            if place is not None
        ]
        title = text.strip().splitlines()[0].strip()
        passages = tuple(Ground(title, ground.text) for ground in page.passages)
        yield replace(page, passages=passages, examples=tuple(examples))


def company_pages(embedder: MiniLmEmbedder) -> Iterator[SourcePage]:
    """Yield the sample company's pages with its experts' answers and paraphrases by hand."""
    told = json.loads(COMPANY_PARAPHRASES.read_text(encoding="utf-8"))
    pairs: dict[str, list[dict[str, str]]] = {}
    for line in (COMPANY / "pairs.jsonl").read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        pairs.setdefault(pair["context"].partition("#")[0], []).append(pair)
    for path in sorted((COMPANY / "handbook").rglob("*.md")):
        uri = path.relative_to(COMPANY / "handbook").as_posix()
        language = "no" if uri.startswith("norsk/") else "en"
        page = _page(f"company/{uri}", path.read_bytes(), path.name, language, embedder)
        if page is None:
            continue
        answers = [
            Example(pair["input"], pair["output"], place)
            for pair in pairs.get(uri, [])
            if pair["language"] == language
            for place in [_under(page, pair["context"].partition("#")[2])]
            if place is not None
        ]
        paraphrases = tuple(
            Paraphrase(row["true"], row["false"]) for row in told if row["page"] == uri
        )
        yield replace(page, answers=tuple(answers), paraphrases=paraphrases)


def _page(
    name: str, data: bytes, uri: str, language: str, embedder: MiniLmEmbedder
) -> SourcePage | None:
    try:
        page = read_page(data, uri)
    except (FileEmpty, FileUnreadable):
        return None
    grounds = tuple(
        Ground(f"{page.title} > {passage.breadcrumb}", passage.text)
        for passage in cut(page, embedder.count_tokens)
    )
    return SourcePage(name, language, grounds) if grounds else None


def _holding(page: SourcePage, answer: str) -> int | None:
    return next((n for n, ground in enumerate(page.passages) if answer in ground.text), None)


def _under(page: SourcePage, heading: str) -> int | None:
    return next(
        (n for n, ground in enumerate(page.passages) if ground.heading.endswith(heading)), None
    )
