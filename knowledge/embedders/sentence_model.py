"""Any sentence-transformers model as an embedder."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.embedder_model import EmbedderUnusable
from knowledge.embedders.encoder import encodable
from knowledge.embedders.trial_texts import ASKED, WRITTEN
from knowledge.model_folder import ModelFolderUnusable, description, find_model, space_name

if TYPE_CHECKING:
    from knowledge.embedder import Vectors

SETTING = "knowledge.embedder"

#: Texts in one go: a question that is asked meanwhile waits for no more than these.
BATCH = 16

#: More tokens in the vocabulary than this are for many languages: BERT's English one has 30,000,
#: XLM-RoBERTa's 250,000.
_MANY_LANGUAGES = 100_000

#: A model reads at least this much of a question, in characters for each token of its limit.
_CHARACTERS_A_TOKEN = 16

#: A card that lists more than this does not list them all.
_FEW_LANGUAGES = 10

#: Bokmål and nynorsk are both Norwegian.
_WRITTEN_NORWEGIAN = {"nb": "no", "nn": "no"}

_E5 = re.compile(r"(^|[-_/])e5([-_]|$)", re.I)
_LANGUAGE = re.compile(r"^language:[ \t]*(?:\n((?:[ \t]*-[ \t]*\S+[ \t]*\n)+)|([^\n]+)\n)", re.M)


class SentenceModelEmbedder:
    """A folder or hub model in the format of sentence-transformers, on the best device there is."""

    def __init__(self, named: str) -> None:
        """Find the model and look at its description; the weights are loaded at the first use.

        Args:
            named: A folder, or the id of a hub model, which is fetched if it was not before.

        Raises:
            EmbedderUnusable: there is no such model, or it may not be loaded.
        """
        try:
            self._folder = find_model(named, SETTING)
        except ModelFolderUnusable as error:
            raise EmbedderUnusable(str(error)) from error
        self.name = space_name(named, self._folder)
        self.languages = _languages(self._folder)
        self._query_prompt, self._passage_prompt = _prompts(named, self._folder)
        self._loading = threading.Lock()
        self._model: Any = None
        self._counting: Any = None
        self._unrelated: float | None = None
        # One thread computes, so that texts are taken in the order in which they came.
        self._computing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")

    @property
    def dimensions(self) -> int:
        """How long a vector is."""
        return int(self._loaded().get_embedding_dimension())

    @property
    def passage_tokens(self) -> int:
        """How many tokens of a passage, as `count_tokens` counts them, are read."""
        model = self._loaded()
        special = int(model.tokenizer.num_special_tokens_to_add())
        prompt = self.count_tokens([self._passage_prompt])[0]
        return max(1, int(model.max_seq_length) - special - prompt)

    @property
    def unrelated_similarity(self) -> float:
        """The cosine that a question and a passage with nothing in common have on average.

        Measured once with a few texts that have nothing in common.
        """
        if self._unrelated is None:
            import numpy as np

            passages = self.embed_passages(WRITTEN)
            questions = np.stack([self.embed_query(question) for question in ASKED])
            self._unrelated = min(0.95, max(0.0, float((questions @ passages.T).mean())))
        return self._unrelated

    def load(self) -> None:
        """Load the model now instead of at its first use.

        Raises:
            EmbedderUnusable: sentence-transformers cannot load it.
        """
        self._loaded()

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector for each text, shape `(len(texts), dimensions)`."""
        import numpy as np

        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        self._loaded()
        return np.concatenate(
            [
                self._computing.submit(
                    self._encode, texts[start : start + BATCH], self._passage_prompt
                ).result()
                for start in range(0, len(texts), BATCH)
            ]
        )

    def embed_query(self, query: str) -> Vectors:
        """Return the vector of a question, shape `(dimensions,)`. Only its beginning counts."""
        longest = int(self._loaded().max_seq_length) * _CHARACTERS_A_TOKEN
        encoding = self._computing.submit(self._encode, [query[:longest]], self._query_prompt)
        vector: Vectors = encoding.result()[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens the model makes of each text, special ones not counted."""
        self._loaded()
        encoded = self._counting.encode_batch(
            [encodable(text) for text in texts], add_special_tokens=False
        )
        return [len(encoding.ids) for encoding in encoded]

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        vectors: Vectors = self._model.encode(
            [encodable(text) for text in texts],
            prompt=prompt,
            batch_size=BATCH,
            show_progress_bar=False,
            convert_to_numpy=True,
            normalize_embeddings=True,
        )
        return vectors.astype("float32", copy=False)

    def _loaded(self) -> Any:
        with self._loading:
            if self._model is None:
                self._model, self._counting = _load(self._folder)
            return self._model


def _load(folder: Path) -> tuple[Any, Any]:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
        # Of its own: cutting and filling up are settings of a tokenizer, not of a call.
        counting = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    except Exception as error:  # whatever the many model classes raise
        raise EmbedderUnusable(
            f"{folder} cannot be loaded as a sentence-transformers model: {error}. "
            f"Name another one under `{SETTING}` in the settings."
        ) from error
    counting.no_truncation()
    counting.no_padding()
    return model, counting


def _prompts(named: str, folder: Path) -> tuple[str, str]:
    """Return what is written before questions and passages: as the model says, or as E5 learned."""
    prompts = description(folder, "config_sentence_transformers.json").get("prompts") or {}
    query = prompts.get("query") or ""
    passage = next((prompts[k] for k in ("document", "passage", "corpus") if prompts.get(k)), "")
    if not query and not passage and _E5.search(Path(named).name):
        return "query: ", "passage: "
    return str(query), str(passage)


def _languages(folder: Path) -> frozenset[str] | None:
    """Return the languages of the model's card; without one, what its vocabulary tells."""
    try:
        card = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        card = ""
    header = card.split("\n---", 1)[0] + "\n"
    if found := _LANGUAGE.search(header):
        listed = re.findall(r"[a-z]+", (found[1] or found[2]).lower())
        many = not listed or "multilingual" in listed or len(listed) > _FEW_LANGUAGES
        return None if many else frozenset(_WRITTEN_NORWEGIAN.get(each, each) for each in listed)
    config = description(folder, "config.json")
    return None if int(config.get("vocab_size", 0)) > _MANY_LANGUAGES else frozenset({"en"})
