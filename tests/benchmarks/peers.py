"""What others do by default, with the same embedder: llama-index's index and its hybrid recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from knowledge.embedder import Embedder

#: Finds documents for a question: ids with scores, best first.
Search = Callable[[str], dict[str, float]]

#: How many nodes a peer is asked for.
DEPTH = 100


def llama_index_searches(documents: Mapping[str, str], embedder: Embedder) -> dict[str, Search]:
    """Return llama-index's default vector index, and its documented hybrid of that with BM25.

    The splitter and all other settings are llama-index's own; no language model is asked.
    """
    from llama_index.core import Document, Settings, VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.retrievers.bm25 import BM25Retriever

    Settings.llm = MockLLM()
    index = VectorStoreIndex.from_documents(
        [Document(text=text, doc_id=name) for name, text in documents.items()],
        embed_model=same_embedder(embedder, batch=64),
    )
    dense = index.as_retriever(similarity_top_k=DEPTH)
    nodes = list(index.docstore.docs.values())
    words = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=DEPTH)
    hybrid = QueryFusionRetriever(
        [dense, words],
        similarity_top_k=DEPTH,
        num_queries=1,
        mode="reciprocal_rerank",
        use_async=False,
    )
    return {
        "llama-index, default index": _by_document(dense),
        "llama-index, hybrid": _by_document(hybrid),
    }


def same_embedder(embedder: Embedder, batch: int) -> Any:
    """Return our embedder as llama-index takes one; `batch` texts are handed over at a time."""
    from llama_index.core.embeddings import BaseEmbedding

    class SameEmbedder(BaseEmbedding):  # type: ignore[misc, unused-ignore]
        def _get_query_embedding(self, query: str) -> list[float]:
            return [float(x) for x in embedder.embed_query(query)]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return [[float(x) for x in row] for row in embedder.embed_passages(texts)]

    return SameEmbedder(embed_batch_size=batch)


def _by_document(retriever: Any) -> Search:
    def search(question: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for rank, hit in enumerate(retriever.retrieve(question)):
            found.setdefault(hit.node.ref_doc_id, 1.0 / (1 + rank))
        return found

    return search
