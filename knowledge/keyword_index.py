"""The keyword index: SQLite FTS5 with BM25, in a file of its own beside the vectors.

Each audience has a table of its own, as in the vector index. Every passage is stored twice,
stemmed as English and stemmed as Norwegian; a query looks at the one in its own language. The
file can be rebuilt from SQL at any time. A bot that serves takes the tables into memory (`warm`);
an audience that has changed since is searched in its file again until the next time.
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from knowledge.keyword_memory import Postings, Row, Scores
from knowledge.words import content_words, stems, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: More words of a query than this are not looked at.
LONGEST_QUERY = 48

#: How many characters of a query are read at all.
QUERY_CHARACTERS = 4_000

#: A word in the title or a heading counts this many times one in the text.
HEADING_WEIGHT = 1.5

#: The most passages in memory, about 1 kB each in both languages.
PASSAGES_IN_MEMORY = 250_000

_LANGUAGES = ("en", "no")

#: Raised when the tables change; a file of another form is emptied, and filled again from SQL.
_FORM = 2


class KeywordIndexUnusable(Exception):
    """The keyword index cannot be opened; the message says what to do."""


@dataclass(frozen=True)
class KeywordEntry:
    """A passage as it is put into the index. `heading` is its title and breadcrumb."""

    id: str
    heading: str
    text: str
    language: str = "en"


@dataclass(frozen=True)
class KeywordHit:
    """A passage that has words of the query, and its BM25 score (higher is better)."""

    id: str
    score: float


@dataclass(frozen=True)
class Frequencies:
    """How many passages there are, and in how many of them each stem occurs."""

    passages: int
    by_stem: Mapping[str, int]


@dataclass(frozen=True)
class KeywordScores:
    """What several audiences' passages score, comparable to each other.

    Attributes:
        best: Audience, id and score of the best passages, best first.
        in_memory: The scores of the audiences that are in memory.
        in_file: The scores of the others, by audience and id.
    """

    best: Sequence[tuple[str, str, float]]
    in_memory: Scores
    in_file: Mapping[tuple[str, str], float]

    def of(self, audience: str, id: str) -> float:
        """Return the score of a passage of an audience; 0 if it has no word of the query."""
        return float(self.of_all([(audience, id)])[0])

    def of_all(self, passages: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return the scores of passages, given by audience and id, in their order."""
        scores = self.in_memory.of_all(passages)
        if self.in_file:
            scores += [self.in_file.get(passage, 0.0) for passage in passages]
        return scores


@dataclass(frozen=True)
class _Memory:
    """One audience in memory.

    Attributes:
        postings: By the language they are stemmed in.
        places: The place of each passage by id, the same in all of them.
        languages: Of each passage, in order of the places.
    """

    postings: Mapping[str, Postings]
    places: Mapping[str, int]
    languages: Sequence[str]


class KeywordIndex:
    """Passages by their words, one table for each audience. Safe in several threads."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it if need be. Raise `KeywordIndexUnusable` if that fails."""
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=5
            )
            # A lost last transaction after a power cut is found and repaired at the next start.
            for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", _SCHEMA):
                self._connection.execute(statement)
            self._tables = self._known_tables()
            self._in_memory: dict[str, _Memory] = {}
            self._changes: dict[str, int] = {}
            (form,) = self._connection.execute("PRAGMA user_version").fetchone()
            if form != _FORM:
                self.drop()
                self._connection.execute(f"PRAGMA user_version = {_FORM}")
        except (OSError, sqlite3.Error) as error:
            raise KeywordIndexUnusable(
                f"The keyword index {path} cannot be opened: {error}. It holds nothing that is "
                "not in the database: move the file away and start again to rebuild it."
            ) from error

    def add(self, audience: str, entries: Sequence[KeywordEntry]) -> None:
        """Store passages of one audience, replacing those with the same ids."""
        if not entries:
            return
        columns = [(entry.id, entry.language, *_columns(entry)) for entry in entries]
        with self._transaction() as connection:
            table = self._table(connection, audience)
            self._changed(audience)
            self._forget(connection, table, [entry.id for entry in entries])
            for id, language, *texts in columns:
                number = connection.execute(
                    f"INSERT INTO {table}_ids (passage_id, language) VALUES (?, ?)",  # noqa: S608
                    (id, language),
                ).lastrowid
                connection.execute(
                    f"INSERT INTO {table} (rowid, {_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
                    (number, *texts),
                )

    def delete(self, audience: str, ids: Iterable[str]) -> None:
        """Forget passages; ids that are not there make no difference."""
        with self._transaction() as connection:
            table = self._tables.get(audience)
            if table is not None:
                self._changed(audience)
                self._forget(connection, table, ids)

    def warm(self) -> int:
        """Take every audience into memory that is not there and fits; return how many passages."""
        with self._lock:
            missing = sorted(self._tables.keys() - self._in_memory.keys())
        for audience in missing:
            with self._lock:
                table, changes = self._tables.get(audience), self._changes.get(audience, 0)
                room = PASSAGES_IN_MEMORY - sum(
                    len(memory.languages) for memory in self._in_memory.values()
                )
                if table is None or not 0 < self._count(table) <= room:
                    continue
                stored = self._connection.execute(
                    f"SELECT ids.passage_id, ids.language, {_COLUMNS} FROM {table} "  # noqa: S608
                    f"JOIN {table}_ids AS ids ON ids.number = {table}.rowid ORDER BY ids.number"
                ).fetchall()
            memory = _into_memory(stored)
            with self._lock:
                if self._changes.get(audience, 0) == changes:
                    self._in_memory[audience] = memory
        with self._lock:
            return sum(len(memory.languages) for memory in self._in_memory.values())

    def search(self, audience: str, query: str, language: str, limit: int) -> list[KeywordHit]:
        """Return the passages of one audience that have words of `query`, best first.

        Args:
            audience: Whose passages to look at.
            query: Any text whatever; only its words matter.
            language: The query's language; anything but `no` is stemmed as English.
            limit: The most hits to return.
        """
        return self._matching(audience, match_expression(query, language), limit)

    def search_all(
        self, audiences: Iterable[str], query: str, language: str, limit: int, depth: int
    ) -> KeywordScores:
        """Score the passages of several audiences, comparably to each other.

        FTS5 knows how rare a word is only within one table, so a small audience's scores are too
        low. Each table's are scaled by how rare the query's words are among all the audiences
        asked for, beside how rare they are in that table.

        Args:
            audiences: Whose passages to look at.
            query: Any text whatever; only its words matter.
            language: The query's language; anything but `no` is stemmed as English.
            limit: The most passages of each audience to score that is not in memory.
            depth: How many of the best to return, of all audiences together.
        """
        asked, column = _asked(query, language), _column(language)
        wanted = list(dict.fromkeys(audiences))
        with self._lock:
            memories = {each: self._in_memory[each] for each in wanted if each in self._in_memory}
        postings = {each: memory.postings[column] for each, memory in memories.items()}
        found = {each: there.found(asked) for each, there in postings.items()}
        passages, counts = [], []
        for each in wanted:
            if each in found:
                passages.append(len(memories[each].languages))
                counts.append([last - first for first, last in found[each]])
            else:
                frequencies = self.frequencies([each], asked, language)
                passages.append(frequencies.passages)
                counts.append([frequencies.by_stem[stem] for stem in asked])
        weights = _weights(passages, counts)
        places = [place for place, each in enumerate(wanted) if each in memories]
        in_memory = Scores(postings, list(found.values()), weights.by_stem[places])
        best = in_memory.best(depth)
        in_file: dict[tuple[str, str], float] = {}
        for audience, scale in zip(wanted, weights.scales.tolist(), strict=True):
            if audience not in memories:
                for hit in self._matching(audience, _any_of(asked, language), limit):
                    in_file[audience, hit.id] = hit.score * scale
        if in_file:
            best += [(audience, id, score) for (audience, id), score in in_file.items()]
            best = sorted(best, key=lambda hit: -hit[2])[:depth]
        return KeywordScores(best, in_memory, in_file)

    def languages(self, audience: str, ids: Collection[str]) -> dict[str, str]:
        """Return the languages of those passages of an audience that are there, by id."""
        with self._lock:
            memory, table = self._in_memory.get(audience), self._tables.get(audience)
            if memory is not None:
                return {
                    id: memory.languages[place]
                    for id in ids
                    if (place := memory.places.get(id)) is not None
                }
            if table is None:
                return {}
            found: dict[str, str] = {}
            for start in range(0, len(ids), _IDS_PER_STATEMENT):
                part = list(ids)[start : start + _IDS_PER_STATEMENT]
                found |= dict(
                    self._connection.execute(
                        f"SELECT passage_id, language FROM {table}_ids "  # noqa: S608
                        f"WHERE passage_id IN ({','.join('?' * len(part))})",
                        part,
                    )
                )
            return found

    def languages_of(self, passages: Sequence[tuple[str, str]]) -> list[str]:
        """Return the languages of passages, given by audience and id; `en` where not known."""
        with self._lock:
            in_memory = dict(self._in_memory)
        for audience in {audience for audience, _ in passages} - in_memory.keys():
            known = self.languages(audience, [id for a, id in passages if a == audience])
            places = {id: place for place, id in enumerate(known)}
            in_memory[audience] = _Memory({}, places, list(known.values()))
        return [
            there.languages[place]
            if (place := (there := in_memory[audience]).places.get(id)) is not None
            else "en"
            for audience, id in passages
        ]

    def frequencies(
        self, audiences: Iterable[str], of_stems: Iterable[str], language: str
    ) -> Frequencies:
        """Return in how many passages of some audiences each stem occurs.

        Args:
            audiences: Whose passages to count.
            of_stems: Stems as `knowledge.words.stems` makes them.
            language: The language they were stemmed in; anything but `no` is English.
        """
        column = _column(language)
        wanted = list(dict.fromkeys(of_stems))
        passages, by_stem = 0, dict.fromkeys(wanted, 0)
        with self._lock:
            for audience in dict.fromkeys(audiences):
                if (memory := self._in_memory.get(audience)) is not None:
                    passages += len(memory.languages)
                    found = memory.postings[column].found(wanted)
                    for stem, (first, last) in zip(wanted, found, strict=True):
                        by_stem[stem] += last - first
                    continue
                if (table := self._tables.get(audience)) is None:
                    continue
                passages += self._count(table)
                for stem in wanted:
                    (count,) = self._connection.execute(
                        f"SELECT coalesce(max(doc), 0) FROM {table}_words "  # noqa: S608
                        "WHERE term = ? AND col IN (?, ?)",
                        (stem, f"heading_{column}", f"text_{column}"),
                    ).fetchone()
                    by_stem[stem] += count
        return Frequencies(passages, by_stem)

    def ids(self, audience: str) -> frozenset[str]:
        """Return every id stored for an audience."""
        with self._lock:
            table = self._tables.get(audience)
            if table is None:
                return frozenset()
            rows = self._connection.execute(
                f"SELECT passage_id FROM {table}_ids"  # noqa: S608
            )
            return frozenset(id for (id,) in rows)

    def audiences(self) -> frozenset[str]:
        """Return the audiences that have a table."""
        with self._lock:
            return frozenset(self._tables)

    def drop(self) -> None:
        """Forget everything."""
        with self._transaction() as connection:
            for table in self._tables.values():
                connection.execute(f"DROP TABLE {table}_words")
                connection.execute(f"DROP TABLE {table}")
                connection.execute(f"DROP TABLE {table}_ids")
            connection.execute("DELETE FROM audiences")
            for audience in self._tables:
                self._changed(audience)
        with self._lock:
            self._tables = self._known_tables()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _matching(self, audience: str, expression: str, limit: int) -> list[KeywordHit]:
        with self._lock:
            table = self._tables.get(audience)
            if table is None or not expression or limit < 1:
                return []
            weights = f"{HEADING_WEIGHT}, 1.0, {HEADING_WEIGHT}, 1.0"
            rows = self._connection.execute(
                f"SELECT ids.passage_id, -bm25({table}, {weights}) AS score "  # noqa: S608
                f"FROM {table} JOIN {table}_ids AS ids ON ids.number = {table}.rowid "
                f"WHERE {table} MATCH ? ORDER BY score DESC, ids.number LIMIT ?",
                (expression, limit),
            ).fetchall()
        return [KeywordHit(id, float(score)) for id, score in rows]

    def _count(self, table: str) -> int:
        (count,) = self._connection.execute(
            f"SELECT count(*) FROM {table}_ids"  # noqa: S608
        ).fetchone()
        return int(count)

    def _changed(self, audience: str) -> None:
        """Note, under the lock, that what is in memory of an audience is out of date."""
        self._changes[audience] = self._changes.get(audience, 0) + 1
        self._in_memory.pop(audience, None)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                self._tables = self._known_tables()
                raise
            self._connection.execute("COMMIT")

    def _known_tables(self) -> dict[str, str]:
        return dict(self._connection.execute("SELECT audience, table_name FROM audiences"))

    def _table(self, connection: sqlite3.Connection, audience: str) -> str:
        known = self._tables.get(audience)
        if known is not None:
            return known
        # A digest, so that no audience's name ever becomes part of a statement.
        digest = hashlib.sha256(audience.encode(errors="surrogatepass")).hexdigest()[:24]
        table = f"passages_{digest}"
        connection.execute(
            f"CREATE VIRTUAL TABLE {table} USING fts5({_COLUMNS}, tokenize='unicode61')"
        )
        connection.execute(f"CREATE VIRTUAL TABLE {table}_words USING fts5vocab({table}, col)")
        connection.execute(
            f"CREATE TABLE {table}_ids (number INTEGER PRIMARY KEY, passage_id TEXT UNIQUE, "
            "language TEXT)"
        )
        connection.execute("INSERT INTO audiences VALUES (?, ?)", (audience, table))
        self._tables[audience] = table
        return table

    @staticmethod
    def _forget(connection: sqlite3.Connection, table: str, ids: Iterable[str]) -> None:
        for id in ids:
            row = connection.execute(
                f"DELETE FROM {table}_ids WHERE passage_id = ? RETURNING number",  # noqa: S608
                (id,),
            ).fetchone()
            if row is not None:
                connection.execute(f"DELETE FROM {table} WHERE rowid = ?", row)  # noqa: S608


_SCHEMA = "CREATE TABLE IF NOT EXISTS audiences (audience TEXT PRIMARY KEY, table_name TEXT)"

_IDS_PER_STATEMENT = 500

_COLUMNS = "heading_en, text_en, heading_no, text_no"


def match_expression(query: str, language: str) -> str:
    """Return an FTS5 expression that matches any content word of `query`, or "" for none.

    Whatever the query holds, only letters and digits reach the expression, each word quoted.
    """
    return _any_of(_asked(query, language), language)


def _any_of(asked: Sequence[str], language: str) -> str:
    column = _column(language)
    terms = " OR ".join(f'"{stem}"' for stem in asked)
    return f"{{heading_{column} text_{column}}} : ({terms})" if terms else ""


def _asked(query: str, language: str) -> list[str]:
    """Return the stems of a query that are looked for, each once."""
    found = dict.fromkeys(stems(content_words(query[:QUERY_CHARACTERS]), _column(language)))
    return [stem for stem in list(found)[:LONGEST_QUERY] if stem.isalnum()]


@dataclass(frozen=True)
class _Weights:
    """What stems count in several audiences, so that their passages can be compared.

    Attributes:
        by_stem: Shape `(audiences, stems)`.
        scales: What the scores of each audience as it knows them alone are multiplied with.
    """

    by_stem: NDArray[np.float64]
    scales: NDArray[np.float64]


def _weights(of_each: Sequence[int], with_stem: Sequence[Sequence[int]]) -> _Weights:
    """Weigh each audience's stems by how rare they are there, and scale by how rare they are
    among all audiences.

    Args:
        of_each: How many passages each audience has.
        with_stem: How many of them have each stem.
    """
    counts = np.array(with_stem, dtype=float)
    passages = np.array(of_each, dtype=float)[:, None]
    alone, together = _idf(passages, counts), _idf(passages.sum(), counts.sum(axis=0))
    there = counts > 0
    here, everywhere = (alone * there).sum(axis=1), (together * there).sum(axis=1)
    scales = np.divide(everywhere, here, out=np.ones(len(of_each)), where=here > 0)
    return _Weights(alone * scales[:, None], scales)


def _idf(passages: Any, with_stem: Any) -> Any:
    """The inverse document frequency as FTS5's bm25() computes it, its lower bound included."""
    return np.maximum(np.log((passages - with_stem + 0.5) / (with_stem + 0.5)), 1e-6)


def _column(language: str) -> str:
    return "no" if language == "no" else "en"


def _columns(entry: KeywordEntry) -> Iterator[str]:
    heading, text = words(entry.heading), words(entry.text)
    for language in _LANGUAGES:
        yield " ".join(stems(heading, language))
        yield " ".join(stems(text, language))


def _into_memory(stored: Sequence[tuple[str, ...]]) -> _Memory:
    """Make postings of stored rows: id, language, and the columns of the table."""
    split = [(id, [text.split() for text in texts]) for id, _language, *texts in stored]
    lengths = [sum(map(len, texts)) for _id, texts in split]
    places = {sys.intern(id): place for place, (id, _texts) in enumerate(split)}
    return _Memory(
        {
            language: Postings(
                [
                    Row(id, texts[2 * n], texts[2 * n + 1], length)
                    for (id, texts), length in zip(split, lengths, strict=True)
                ],
                places,
                HEADING_WEIGHT,
            )
            for n, language in enumerate(_LANGUAGES)
        },
        places,
        [sys.intern(language) for _id, language, *_texts in stored],
    )
