"""The keyword index: SQLite FTS5 with BM25, in a file of its own beside the vectors.

Each audience has a table of its own, as in the vector index. Every passage is stored twice,
stemmed as English and stemmed as Norwegian; a query looks at the one in its own language. The
file can be rebuilt from SQL at any time.
"""

from __future__ import annotations

import hashlib
import math
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from knowledge.words import content_words, stems, words

#: More words of a query than this are not looked at.
LONGEST_QUERY = 48

#: How many characters of a query are read at all.
QUERY_CHARACTERS = 4_000

#: A word in the title or a heading counts this many times one in the text.
HEADING_WEIGHT = 1.5

_LANGUAGES = ("en", "no")


class KeywordIndexUnusable(Exception):
    """The keyword index cannot be opened; the message says what to do."""


@dataclass(frozen=True)
class KeywordEntry:
    """A passage as it is put into the index. `heading` is its title and breadcrumb."""

    id: str
    heading: str
    text: str


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
        except (OSError, sqlite3.Error) as error:
            raise KeywordIndexUnusable(
                f"The keyword index {path} cannot be opened: {error}. It holds nothing that is "
                "not in the database: move the file away and start again to rebuild it."
            ) from error

    def add(self, audience: str, entries: Sequence[KeywordEntry]) -> None:
        """Store passages of one audience, replacing those with the same ids."""
        if not entries:
            return
        columns = [(entry.id, *_columns(entry)) for entry in entries]
        with self._transaction() as connection:
            table = self._table(connection, audience)
            self._forget(connection, table, [entry.id for entry in entries])
            for id, *texts in columns:
                number = connection.execute(
                    f"INSERT INTO {table}_ids (passage_id) VALUES (?)",  # noqa: S608
                    (id,),
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
                self._forget(connection, table, ids)

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
        self, audiences: Iterable[str], query: str, language: str, limit: int
    ) -> dict[str, float]:
        """Return the passages of several audiences with their scores, comparable to each other.

        FTS5 knows how rare a word is only within one table, so a small audience's scores are too
        low. Each table's are scaled by how rare the query's words are among all the audiences
        asked for, beside how rare they are in that table.

        Args:
            audiences: Whose passages to look at.
            query: Any text whatever; only its words matter.
            language: The query's language; anything but `no` is stemmed as English.
            limit: The most passages of each audience to return.
        """
        asked = _asked(query, language)
        expression = _any_of(asked, language)
        found = {
            audience: hits
            for audience in dict.fromkeys(audiences)
            if (hits := self._matching(audience, expression, limit))
        }
        if len(found) < 2:
            return {hit.id: hit.score for hits in found.values() for hit in hits}
        by_audience = {each: self.frequencies([each], asked, language) for each in found}
        passages = sum(each.passages for each in by_audience.values())
        together = Frequencies(
            passages,
            {stem: sum(each.by_stem[stem] for each in by_audience.values()) for stem in asked},
        )
        scales = {each: _rarity(together, by_audience[each]) for each in found}
        return {hit.id: hit.score * scales[each] for each in found for hit in found[each]}

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
            for table in {self._tables[a] for a in audiences if a in self._tables}:
                (count,) = self._connection.execute(
                    f"SELECT count(*) FROM {table}_ids"  # noqa: S608
                ).fetchone()
                passages += count
                for stem in wanted:
                    (found,) = self._connection.execute(
                        f"SELECT coalesce(max(doc), 0) FROM {table}_words "  # noqa: S608
                        "WHERE term = ? AND col IN (?, ?)",
                        (stem, f"heading_{column}", f"text_{column}"),
                    ).fetchone()
                    by_stem[stem] += found
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
            f"CREATE TABLE {table}_ids (number INTEGER PRIMARY KEY, passage_id TEXT UNIQUE)"
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


def _rarity(together: Frequencies, alone: Frequencies) -> float:
    """Return how much rarer the stems that occur in a table are among all tables."""
    there = [stem for stem, count in alone.by_stem.items() if count]
    here = sum(_idf(alone.passages, alone.by_stem[stem]) for stem in there)
    everywhere = sum(_idf(together.passages, together.by_stem[stem]) for stem in there)
    return everywhere / here if here > 0 else 1.0


def _idf(passages: int, with_stem: int) -> float:
    """The inverse document frequency as FTS5's bm25() computes it, its lower bound included."""
    return max(math.log((passages - with_stem + 0.5) / (with_stem + 0.5)), 1e-6)


def _column(language: str) -> str:
    return "no" if language == "no" else "en"


def _columns(entry: KeywordEntry) -> Iterator[str]:
    heading, text = words(entry.heading), words(entry.text)
    for language in _LANGUAGES:
        yield " ".join(stems(heading, language))
        yield " ".join(stems(text, language))
