"""The champion: the version that SQL says answers, and the engine that does it.

SQL moves first, the engine follows: so a restart, a promotion and a rollback all end in the same
place. A version whose files are damaged is not loaded; the one before answers, else the base.
But a server that is down is no reason to let another version answer: nobody answers until it is
back, and colleagues get quotations meanwhile.

The engine of the version before stays open for a while, so that taking a promotion back takes no
longer under load than without.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.inference.language_model import InferenceFailed, LanguageModel, ModelUnavailable
from bot.inference.serving import ModelServer
from storage import versions
from storage.database import Database
from storage.failpoints import failpoint
from storage.versions import Version
from training.manifest import ManifestBroken

log = logging.getLogger(__name__)

#: For so long it is not tried again to open an engine that is out of reach, in seconds.
REST_SECONDS = 5.0

#: Opens the engine of a version, its files checked first.
OpenVersion = Callable[[Version], LanguageModel]


class Champion:
    """Keeps the serving engine in step with SQL. The engine is opened on first use."""

    def __init__(
        self,
        database: Database,
        open_version: OpenVersion,
        challenger_of: Callable[[str], Version | None] = lambda _thread: None,
        kept_seconds: float = 0.0,
    ) -> None:
        """Take the collaborators.

        Args:
            database: The truth.
            open_version: Opens a version's engine.
            challenger_of: Returns the version under trial that a thread gets, if it gets one.
            kept_seconds: How long the engine of the version before stays open, in seconds. It
                is closed earlier if a third version is to be opened.
        """
        self._database = database
        self._open_version = open_version
        self._challenger_of = challenger_of
        self._kept_seconds = kept_seconds
        self._server: ModelServer | None = None
        self._on_trial: ModelServer | None = None
        self._lock = threading.Lock()
        self._out_of_reach: ModelUnavailable | None = None
        self._try_again_at = 0.0

    @contextmanager
    def lease(self, thread: str | None = None) -> Iterator[LanguageModel]:
        """Give the engine that answers now, for one whole answer; it will not change under it.

        Args:
            thread: Where it is asked; some threads get the version that is on trial.

        Raises:
            ModelUnavailable: none is open, and the one to open is out of reach.
            InferenceFailed: none is open, and none can be opened.
        """
        challenger = None if thread is None else self._challenger_of(thread)
        server = None if challenger is None else self._trying(challenger)
        with (server or self._started()).lease() as model:
            yield model

    def end_trial(self) -> None:
        """Close the engine of a version whose trial is over; its running answers finish first."""
        with self._lock:
            server, self._on_trial = self._on_trial, None
        if server is not None:
            server.close()

    def end_trial_soon(self) -> None:
        """End a trial in the background: its answers may take longer than Slack waits."""
        threading.Thread(target=self.end_trial, name="trial", daemon=True).start()

    @property
    def version(self) -> str:
        """The name of the version whose engine answers."""
        return self._started().version

    def follow(self) -> None:
        """Let the engine of SQL's champion answer; running answers finish on the one before.

        Does nothing while no engine is open: the right one is opened on first use.
        """
        with self._lock:
            if self._server is None:
                return
            wanted = self._wanted()
            if self._server.version == wanted[0].name:
                return
            failpoint("champion.before_swap")
            if not self._server.swap_back(wanted[0].name):
                self._server.let_go()
                self._server.swap(self._open_first(wanted))
            failpoint("champion.after_swap")

    def follow_soon(self) -> None:
        """Follow in the background: opening an engine takes longer than Slack waits for an answer.

        Nothing is lost if the process dies meanwhile: SQL has moved, and the next start follows.
        """
        threading.Thread(target=self._follow_and_log, name="champion", daemon=True).start()

    def _follow_and_log(self) -> None:
        try:
            self.follow()
        except InferenceFailed:
            log.exception("the new champion could not be opened; the version before answers on")

    def close(self) -> None:
        """Close the engine; running answers finish first."""
        with self._lock:
            if self._server is not None:
                self._server.close()
                self._server = None
            if self._on_trial is not None:
                self._on_trial.close()
                self._on_trial = None

    def _started(self) -> ModelServer:
        # Without the lock: while a new version is being opened, the one before answers on.
        if (server := self._server) is not None:
            return server
        with self._lock:
            if self._server is None:
                if self._out_of_reach is not None and time.monotonic() < self._try_again_at:
                    raise self._out_of_reach
                self._server = ModelServer(
                    self._open_first(self._wanted()), kept_seconds=self._kept_seconds
                )
            return self._server

    def _trying(self, challenger: Version) -> ModelServer | None:
        """Return the engine of a version on trial; None, for the champion, if it has none."""
        with self._lock:
            if self._on_trial is not None and self._on_trial.version == challenger.name:
                return self._on_trial
            if self._server is not None:
                self._server.let_go()
            try:
                engine = self._open_version(challenger)
            except (ManifestBroken, InferenceFailed, OSError):
                log.exception("version on trial cannot be opened version=%s", challenger.name)
                return None
            if self._on_trial is None:
                self._on_trial = ModelServer(engine)
            else:
                self._on_trial.swap(engine)
            return self._on_trial

    def _wanted(self) -> list[Version]:
        """The champion, and what to fall back on: the one before, and the base."""
        with self._database.write() as session:
            serving = versions.ensure_base(session)
            base = versions.by_name(session, versions.BASE)
        candidates = [serving.version, serving.previous, base]
        wanted = {version.id: version for version in candidates if version is not None}
        return [version for version in wanted.values() if version.may_answer]

    def _open_first(self, wanted: list[Version]) -> LanguageModel:
        """Open the first version that can be opened; but none in place of one out of reach."""
        failure: Exception | None = None
        for version in wanted:
            try:
                return self._open_version(version)
            except ModelUnavailable as unavailable:
                self._out_of_reach = unavailable
                self._try_again_at = time.monotonic() + REST_SECONDS
                raise
            except (ManifestBroken, InferenceFailed, OSError) as error:
                log.exception("version cannot be opened version=%s", version.name)
                failure = error
        raise InferenceFailed(f"No version can be opened: {failure}") from failure
