"""The vector index: an embedded Chroma folder with exactly one owner.

What may be seen together lies in a collection of its own, one for each kind of content, audience
and embedder. A query opens only the collections of its audiences, so there is no metadata filter
that could be forgotten or fail open. Everything in here can be rebuilt from SQL.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np
from cachetools import LRUCache

from knowledge.vector_memory import VectorMemory, nearest_of, vectors_of

if TYPE_CHECKING:
    from knowledge.embedder import Vectors

log = logging.getLogger(__name__)

#: What a collection holds: passages of documents, or questions with a verified answer.
Kind = Literal["passages", "verified"]

#: Vectors in one call: Chroma's local limit is 5,461, and smaller batches hold readers up less.
BATCH = 250

#: Vectors of collections that are not in memory as a whole, about 1.5 kB each.
REMEMBERED_VECTORS = 20_000

#: The most vectors of whole collections in memory: with 384 dimensions some 400 MB.
VECTORS_IN_MEMORY = 250_000

#: Vectors read from Chroma in one go when a collection is taken into memory.
_READ_AT_ONCE = 2_000

_OWNER_FILE = ".owner"


class IndexOwned(Exception):
    """Another process has the index open. Two at once would corrupt it."""


class IndexUnusable(Exception):
    """The index folder cannot be opened; the message says what to do."""


@dataclass(frozen=True)
class Nearest:
    """A vector near the one asked for: its id and the cosine between the two, -1 to 1."""

    id: str
    similarity: float


class PassageIndex:
    """Vectors by kind and audience, in one folder that this process owns until `close`."""

    _embedder_name: str
    _lock: threading.Lock
    _writing: threading.Lock
    _in_memory: dict[tuple[Kind, str], VectorMemory]
    _collections: dict[tuple[Kind, str], Any]
    _remembered: LRUCache[tuple[Kind, str, str], Vectors]

    def __init__(self, folder: Path, embedder_name: str) -> None:
        """Open the folder, making it if need be.

        Args:
            folder: Where the index lies; nothing else may write there.
            embedder_name: Names the vector space; another embedder gets other collections.

        Raises:
            IndexOwned: another process, or another part of this one, has it open.
            IndexUnusable: the folder cannot be written or read.
        """
        self._folder = folder
        self._owner = _take_ownership(folder)
        try:
            self._client = _open_client(folder)
            self._open_space(embedder_name)
        except Exception as error:
            self._owner.close()
            raise IndexUnusable(
                f"The passage index in {folder} cannot be opened: {error}. It holds nothing that "
                "is not in the database: move the folder away and start again to rebuild it."
            ) from error

    def sibling(self, embedder_name: str) -> PassageIndex:
        """Return the index of another vector space in the same folder.

        It lives as long as this one: only the index that opened the folder closes it.
        """
        other = object.__new__(PassageIndex)
        other._folder, other._owner, other._client = self._folder, self._owner, self._client
        other._open_space(embedder_name)
        return other

    @property
    def embedder_name(self) -> str:
        """The vector space of this index."""
        return self._embedder_name

    def embedder_names(self) -> frozenset[str]:
        """Return the vector spaces that have collections in this folder."""
        described = (each.metadata or {} for each in self._client.list_collections())
        return frozenset(str(each["embedder"]) for each in described if "embedder" in each)

    def drop_embedder(self, embedder_name: str) -> None:
        """Forget everything of another vector space. Raises `ValueError` for this one's own."""
        if embedder_name == self._embedder_name:
            raise ValueError(f"{embedder_name} is the vector space of this index.")
        for collection in self._client.list_collections():
            if (collection.metadata or {}).get("embedder") == embedder_name:
                self._client.delete_collection(collection.name)

    def upsert(self, kind: Kind, audience: str, ids: Sequence[str], vectors: Vectors) -> None:
        """Store vectors under their ids, replacing what was stored under the same ids.

        Args:
            kind: What the vectors stand for.
            audience: Who may see it.
            ids: One id for each row of `vectors`.
            vectors: Shape `(len(ids), dimensions)`, of length 1.
        """
        if not ids:
            return
        collection = self._collection(kind, audience, create=True)
        with self._writing:
            for start in range(0, len(ids), BATCH):
                collection.upsert(
                    ids=list(ids[start : start + BATCH]), embeddings=vectors[start : start + BATCH]
                )
            if (memory := self._in_memory.get((kind, audience))) is not None:
                memory.upsert(ids, vectors)
        self._forget(kind, audience, ids)

    def delete(self, kind: Kind, audience: str, ids: Iterable[str]) -> None:
        """Forget vectors; ids that are not there make no difference."""
        collection = self._collection(kind, audience)
        doomed = list(ids)
        if collection is None:
            return
        with self._writing:
            for start in range(0, len(doomed), BATCH):
                collection.delete(ids=doomed[start : start + BATCH])
            if (memory := self._in_memory.get((kind, audience))) is not None:
                memory.delete(doomed)
        self._forget(kind, audience, doomed)

    def warm(self) -> int:
        """Take collections into memory, as many as there is room for; return how many vectors.

        What is in memory is searched many times faster, and follows every change. The rest, and
        everything before this is called, is searched by Chroma.
        """
        with self._lock:
            collections = dict(self._collections)
        for key, collection in collections.items():
            if key in self._in_memory:
                continue
            with self._writing:
                room = VECTORS_IN_MEMORY - sum(len(each) for each in self._in_memory.values())
                if 0 < collection.count() <= room:
                    self._in_memory[key] = _read_into_memory(collection)
        return sum(len(memory) for memory in self._in_memory.values())

    def query(self, kind: Kind, audience: str, vector: Vectors, limit: int) -> list[Nearest]:
        """Return the nearest vectors of one audience, nearest first."""
        collection = self._collection(kind, audience)
        if collection is None or limit < 1:
            return []
        if (memory := self._in_memory.get((kind, audience))) is not None:
            near = memory.nearest(vector, limit)
            return [
                Nearest(id, float(cosine))
                for id, cosine in zip(near.ids, near.cosines, strict=True)
            ]
        found = collection.query(
            query_embeddings=vector.reshape(1, -1), n_results=limit, include=["distances"]
        )
        return [
            Nearest(id, 1.0 - float(distance))
            for id, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]

    def query_all(
        self,
        kind: Kind,
        audiences: Iterable[str],
        vector: Vectors,
        limit: int,
        depth: int,
        *,
        others: Iterable[tuple[str, str]] = (),
    ) -> tuple[list[tuple[str, str]], Vectors]:
        """Return the nearest vectors of several audiences with others of theirs, each once.

        Args:
            kind: What the vectors stand for.
            audiences: Whose collections are opened.
            vector: Of length 1.
            limit: The most vectors to look at of each audience that is not in memory.
            depth: How many of the nearest to return, of all audiences together.
            others: Some of these audiences with ids that are wanted however far they lie.

        Returns:
            Audiences and ids of those that are there, the nearest first, and their vectors.
        """
        wanted = set(audiences)
        memories = self._memories(kind, wanted)
        names = list(memories)
        in_memory = nearest_of(list(memories.values()), vector, depth)
        near = [
            (names[owner], id) for owner, id in zip(in_memory.owners, in_memory.ids, strict=True)
        ]
        elsewhere = [
            audience
            for audience in sorted(wanted - memories.keys())
            if self._collection(kind, audience) is not None
        ]
        if elsewhere:
            scored = list(zip(near, in_memory.cosines.tolist(), strict=True))
            for audience in elsewhere:
                found = self.query(kind, audience, vector, limit)
                scored += [((audience, each.id), each.similarity) for each in found]
            near = [hit for hit, _ in sorted(scored, key=lambda each: -each[1])[:depth]]
            return self.vectors_of(kind, dict.fromkeys([*near, *others]))
        farther = dict.fromkeys(others)
        for each in near:
            farther.pop(each, None)
        more, vectors = self.vectors_of(kind, farther)
        if not more:
            return near, in_memory.vectors
        return [*near, *more], np.concatenate([in_memory.vectors, vectors])

    def vectors(self, kind: Kind, audience: str, ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the stored vectors of those `ids` that are there.

        The vectors asked for lately are remembered: most questions are about the same pages.
        """
        collection = self._collection(kind, audience)
        if collection is None or not ids:
            return {}
        if (memory := self._in_memory.get((kind, audience))) is not None:
            return memory.vectors(ids)
        with self._lock:
            known = {
                id: self._remembered[kind, audience, id]
                for id in ids
                if (kind, audience, id) in self._remembered
            }
        if missing := [id for id in ids if id not in known]:
            found = collection.get(ids=missing, include=["embeddings"])
            fetched = dict(zip(found["ids"], found["embeddings"], strict=True))
            with self._lock:
                for id, vector in fetched.items():
                    self._remembered[kind, audience, id] = vector
            known |= fetched
        return known

    def vectors_of(
        self, kind: Kind, wanted: Iterable[tuple[str, str]]
    ) -> tuple[list[tuple[str, str]], Vectors]:
        """Return those of `wanted`, audiences with ids, that are there, and their vectors.

        The order is kept, but for audiences that stand together.
        """
        by_audience: dict[str, list[str]] = {}
        for audience, id in wanted:
            by_audience.setdefault(audience, []).append(id)
        memories = self._memories(kind, by_audience)
        held = [(audience, id) for audience in memories for id in by_audience[audience]]
        owners = [n for n, each in enumerate(memories) for _ in by_audience[each]]
        ids = [id for _, id in held]
        numbers, vectors = vectors_of(list(memories.values()), owners, ids)
        there = [held[number] for number in numbers]
        rows = [vectors] if there else []
        for audience in by_audience.keys() - memories.keys():
            if found := self.vectors(kind, audience, by_audience[audience]):
                there += [(audience, id) for id in found]
                rows.append(np.array(list(found.values()), dtype=np.float32))
        return there, np.concatenate(rows) if rows else vectors

    def ids(self, kind: Kind, audience: str) -> frozenset[str]:
        """Return every id stored for an audience."""
        collection = self._collection(kind, audience)
        return frozenset() if collection is None else frozenset(_pages_of_ids(collection))

    def count(self, kind: Kind, audience: str) -> int:
        """Return how many vectors are stored for an audience."""
        collection = self._collection(kind, audience)
        return 0 if collection is None else int(collection.count())

    def audiences(self, kind: Kind) -> frozenset[str]:
        """Return the audiences that have a collection of this kind."""
        with self._lock:
            return frozenset(a for (k, a) in self._collections if k == kind)

    def drop(self, kind: Kind) -> None:
        """Forget everything of one kind, for all audiences, in this vector space."""
        with self._writing, self._lock:
            for collection in self._client.list_collections():
                described = collection.metadata or {}
                if (described.get("kind"), described.get("embedder")) == (
                    kind,
                    self._embedder_name,
                ):
                    self._client.delete_collection(collection.name)
            self._collections = {k: c for k, c in self._collections.items() if k[0] != kind}
            self._in_memory = {k: m for k, m in self._in_memory.items() if k[0] != kind}
            self._remembered.clear()

    def close(self) -> None:
        """Give the folder back, so that another process may open it."""
        self._client.close()
        self._owner.close()

    def _open_space(self, embedder_name: str) -> None:
        self._embedder_name = embedder_name
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._in_memory = {}
        self._collections = {}
        self._remembered = LRUCache(REMEMBERED_VECTORS)
        self._load_collections()

    def _memories(self, kind: Kind, audiences: Iterable[str]) -> dict[str, VectorMemory]:
        """Return what is in memory of some audiences, always in the same order."""
        return {
            audience: memory
            for audience in sorted(audiences)
            if (memory := self._in_memory.get((kind, audience))) is not None
        }

    def _forget(self, kind: Kind, audience: str, ids: Sequence[str]) -> None:
        with self._lock:
            for id in ids:
                self._remembered.pop((kind, audience, id), None)

    def _collection(self, kind: Kind, audience: str, *, create: bool = False) -> Any:
        with self._lock:
            found = self._collections.get((kind, audience))
            if found is None and create:
                found = self._client.get_or_create_collection(
                    collection_name(kind, audience, self._embedder_name),
                    embedding_function=None,
                    configuration={"hnsw": {"space": "cosine"}},
                    metadata={
                        "kind": kind,
                        "audience": audience,
                        "embedder": self._embedder_name,
                    },
                )
                self._collections[kind, audience] = found
                log.info("collection made name=%s", found.name)
            return found

    def _load_collections(self) -> None:
        for collection in self._client.list_collections():
            described: dict[str, Any] = collection.metadata or {}
            kind, audience = described.get("kind", ""), described.get("audience", "")
            name = collection_name(kind, audience, self._embedder_name)
            if collection.name == name:  # the name, not the description, decides whose it is
                self._collections[kind, audience] = self._client.get_collection(
                    name, embedding_function=None
                )


def collection_name(kind: str, audience: str, embedder_name: str) -> str:
    """Return the name of the collection for a kind, audience and embedder.

    Audiences may hold any characters; the readable part is for people, the digest of the whole
    name keeps two audiences apart. Chroma takes 3 to 512 of `[a-zA-Z0-9._-]`.
    """
    readable = re.sub(r"[^a-z0-9]+", "-", audience.lower()).strip("-")[:40]
    digest = hashlib.sha256(audience.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{kind}.{readable or 'audience'}.{digest}.{embedder_name}"


def _take_ownership(folder: Path) -> IO[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        owner = (folder / _OWNER_FILE).open("a+", encoding="utf-8")
    except OSError as error:
        raise IndexUnusable(
            f"The passage index cannot be kept in {folder}: {error}. "
            "Make the folder writable, or choose another home folder."
        ) from error
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner.seek(0)
        holder = owner.read().strip() or "unknown"
        owner.close()
        raise IndexOwned(
            f"The passage index in {folder} is open in another process (pid {holder}). "
            "Only one may use it: stop that process, or hand it the work."
        ) from None
    owner.truncate(0)
    owner.write(str(os.getpid()))
    owner.flush()
    return owner


def _open_client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))


def _read_into_memory(collection: Any) -> VectorMemory:
    ids: list[str] = []
    parts: list[Vectors] = []
    while True:
        page = collection.get(include=["embeddings"], limit=_READ_AT_ONCE, offset=len(ids))
        if not page["ids"]:
            return VectorMemory(ids, np.concatenate(parts))
        ids += page["ids"]
        parts.append(np.asarray(page["embeddings"], dtype=np.float32))


def _pages_of_ids(collection: Any, page: int = 5_000) -> Iterator[str]:
    offset = 0
    while ids := collection.get(include=[], limit=page, offset=offset)["ids"]:
        yield from ids
        offset += len(ids)
