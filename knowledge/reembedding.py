"""Another embedder: its vectors are made from SQL while the old ones serve, then it takes over.

What is made is kept: a job that was stopped or killed goes on where it was. Syncs meanwhile change
the old vectors only; before the switch the new ones are compared with SQL once more, with nobody
else writing. Which embedder serves is a row in SQL, changed when its vectors are complete.
Passages stay as they are cut; where the new embedder reads less than a whole one, the next sync
cuts the document anew.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from knowledge.indexing import BATCH, Indexes
from knowledge.serving_index import OpenEmbedder, Serving, forget_other_spaces
from knowledge.vector_filling import VectorFilling, documents_cut_off
from storage import serving_embedder
from storage.database import Database
from storage.failpoints import failpoint
from storage.reading_again import read_again

log = logging.getLogger(__name__)

#: So few vectors are made while syncs wait; as long as more are missing, syncs go on.
FEW = 2 * BATCH

#: How long the old vectors are kept after the switch, for questions that began before it.
GRACE_SECONDS = 30.0

#: How long the texts in work are waited for when the process ends.
_STOPPING_SECONDS = 20.0

#: Told how many texts have a vector, how many there are, and what it is about.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Standing:
    """How far the new vectors are.

    Attributes:
        named: The embedder, as the settings name it.
        done: Texts that have a vector; 0 while nothing was compared yet.
        total: Texts that need one.
        fault: Why the work has stopped, if it has.
    """

    named: str
    done: int
    total: int
    fault: str


class Reembedding:
    """Makes the vectors of the embedder that the settings name, and lets it take over."""

    def __init__(
        self,
        database: Database,
        indexes: Indexes,
        named: str,
        open_embedder: OpenEmbedder,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        """Take the collaborators.

        Args:
            database: What the vectors are made from.
            indexes: What serves now, and is switched.
            named: The embedder to come, as the settings name it.
            open_embedder: Opens it.
            grace_seconds: How long the old vectors are kept after the switch.
        """
        self._database = database
        self._indexes = indexes
        self._named = named
        self._open_embedder = open_embedder
        self._grace_seconds = grace_seconds
        self._running = threading.Lock()
        self._closing = threading.Event()
        self._yielding = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_done = False
        self._done = self._total = 0
        self._fault = ""

    @property
    def standing(self) -> Standing | None:
        """How far it is; None when the new embedder serves."""
        if self._is_done:
            return None
        return Standing(self._named, self._done, self._total, self._fault)

    def start(self) -> None:
        """Do it in the background, one text after the other, so that answers hardly slow down."""
        self._thread = threading.Thread(target=self._run_quietly, name="reembedding", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the next few texts; what is made is kept. It is not started again.

        A model that is being fetched is not waited for.
        """
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_STOPPING_SECONDS)

    def run(self, progress: Progress = lambda _done, _all, _name: None) -> bool:
        """Do it here and now, going on from what the background has done.

        Returns:
            Whether the new embedder serves; if not, the work was stopped.

        Raises:
            EmbedderUnusable: the new embedder cannot be used.
        """
        if self._is_done:
            return True
        self._yielding.set()
        with self._running:
            self._yielding.clear()
            return self._make(progress, gently=False)

    def _run_quietly(self) -> None:
        try:
            with self._running:
                if not self._make(lambda _done, _all, _name: None, gently=True):
                    return
            log.info("embedder changed named=%s", self._named)
        except Exception as error:
            self._fault = str(error)
            log.exception("the vectors of another embedder could not be made: the old ones serve")

    def _make(self, progress: Progress, *, gently: bool) -> bool:
        if self._is_done:
            return True
        old = self._indexes.serving.current
        embedder = self._open_embedder(self._named)
        embedder.load()
        if self._closing.is_set():
            return False
        new = Serving(embedder, old.index.sibling(embedder.name))
        forget_other_spaces(old.index, {embedder.name})
        filling = VectorFilling(self._database, new, gently)
        while filling.compare() > FEW:
            if not self._fill(filling, progress):
                return False
        if gently:
            new.index.warm()
        with self._indexes.exclusively():
            filling.compare()
            if not self._fill(filling, progress):
                return False
            failpoint("reembedding.complete")
            cut_off = documents_cut_off(self._database, embedder)
            with self._database.write() as session:
                serving_embedder.change(session, self._named, embedder.name)
                read_again(session, cut_off)
            failpoint("reembedding.changed")
            self._indexes.serving.switch(new)
            self._is_done = True
        if cut_off:
            log.warning("documents are cut anew by the next sync count=%d", len(cut_off))
        filling.compare()  # pairs are approved without waiting for the indexes
        for _ in filling.batches():
            pass
        if gently:
            self._closing.wait(self._grace_seconds)
        serves_others = self._thread is not None and not gently
        if not serves_others and not self._closing.is_set():  # the next start does it otherwise
            forget_other_spaces(new.index, set())
        return True

    def _fill(self, filling: VectorFilling, progress: Progress) -> bool:
        """Make what is missing. Return False when it was stopped."""
        self._done, self._total = filling.done, filling.total
        progress(self._done, self._total, self._named)
        for made in filling.batches():
            self._done += made
            progress(self._done, self._total, self._named)
            failpoint("reembedding.batch")
            if self._closing.is_set() or self._yielding.is_set():
                return False
        return True
