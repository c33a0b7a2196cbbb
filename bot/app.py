"""The composition root: every part is built here, once, from the settings."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from bot.answering import Answering, ReadsPassages
from bot.base_choice import choose_base
from bot.canary import CanaryTrial
from bot.champion import Champion
from bot.control.server import ControlServer
from bot.engines import EngineOpener, remote_server
from bot.erasing_pending import PendingErasures
from bot.home import Home
from bot.learning import Learning
from bot.near_questions import NearQuestions
from bot.operations import USER_ERRORS, Operations
from bot.pair_care import PairCare
from bot.pair_import import PairImport
from bot.permissions import Permissions
from bot.retiring import RetiredVersions
from bot.retraining import Retrainings
from bot.schedule import RetrainSchedule, Schedule
from bot.settings import AnswerSettings, KnowledgeSettings, Settings
from bot.training_parts import build_training
from bot.unaided import UnaidedAnswering
from bot.upkeep import Upkeep
from knowledge.embedder import Embedder, MiniLmEmbedder
from knowledge.embedders.choice import open_embedder
from knowledge.grounding.checker import GroundingCheck
from knowledge.grounding.entailment import EntailmentCheck
from knowledge.indexing import Indexes
from knowledge.ingest import Ingestion, SyncStopped
from knowledge.keyword_index import KeywordIndex
from knowledge.near_questions import QuestionLikeness
from knowledge.reconciliation import reconcile
from knowledge.reembedding import Reembedding
from knowledge.reranker import Reranker
from knowledge.retrieval import Retrieval
from knowledge.serving_index import forget_other_spaces, open_serving
from knowledge.sources.crawl_limits import CrawlLimits
from knowledge.sources.opening import ListingOptions, SourceLister
from knowledge.sources.web_address import AllowedHost
from knowledge.verified import VerifiedAnswers, questions_from
from storage import runs, versions
from storage.database import Database
from storage.pairs import NewPair
from training.base_model import BaseModel, prepare, stay_offline

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from bot.slack.http_server import HttpSecrets
    from bot.slack.side import SlackSide

log = logging.getLogger(__name__)

#: How often what a sync has changed is taken into memory again; its files are searched until then.
WARM_EVERY_SECONDS = 60.0

#: How long closing waits for what is being taken into memory.
CLOSING_SECONDS = 10.0

Progress = Callable[[dict[str, Any]], None]


class Skredder:
    """One installation, wired. It owns its home folder until it is closed."""

    def __init__(
        self, home: Home, settings: Settings, on_progress: Progress = lambda _: None
    ) -> None:
        """Build everything; heavy models are loaded when they are first needed.

        Args:
            home: Where all state lies.
            settings: The validated settings.
            on_progress: Called with `done`, `total` and `name` while a model is prepared.

        Raises:
            HomeOwned: another process works on this home.
            Exception: one of `USER_ERRORS` when something is missing or damaged.
        """
        stay_offline()
        # Matrices here are small: two threads of a BLAS would only wait for each other, and beside
        # a busy model for milliseconds. What is large (the models) has threads of its own.
        threadpool_limits(1, user_api="blas")
        self._lock = home.own()
        self._slack: SlackSide | None = None
        self._schedule: Schedule | None = None
        self._control: ControlServer | None = None
        self._warmth: threading.Thread | None = None
        self._closing = threading.Event()
        try:
            self._build(home, settings, on_progress)
        except BaseException:
            self._lock.release()
            raise

    def _build(self, home: Home, settings: Settings, on_progress: Progress) -> None:
        self.settings = settings
        self.database = Database(settings.storage.database_url or f"sqlite:///{home.database}")
        self.database.migrate()
        with self.database.write() as session:
            versions.ensure_base(session)
            if self.database.is_sqlite:  # this home has one owner, and that is us now
                runs.release_all_but(session, "nobody")

        open_by_name = partial(open_embedder, cache=home.models)
        named = settings.knowledge.embedder
        opened = open_serving(self.database, home.index, named, open_by_name)
        self._index = opened.serving.index
        self._keywords = KeywordIndex(home.index / "keywords.db")
        indexes = Indexes(self._index, self._keywords, opened.serving.embedder)
        self._serving = indexes.serving
        self._reembedding = (
            None if opened.is_settled else Reembedding(self.database, indexes, named, open_by_name)
        )
        self.ingestion = Ingestion(
            self.database,
            indexes,
            SourceLister(home.root / "checkouts", _listing_options(settings.knowledge)),
        )
        named = settings.knowledge.reranker
        self.retrieval = Retrieval(
            self.database,
            indexes.serving,
            self._keywords,
            Reranker(named) if named else None,
        )
        verified = VerifiedAnswers(indexes.serving, questions_from(self.database))
        self._learning = Learning(self.database, verified)
        reconcile(
            self.database,
            indexes,
            lambda done, total, name: on_progress({"name": name, "done": done, "total": total}),
        )
        self._learning.reconcile()
        if opened.is_settled:
            forget_other_spaces(self._index, set())

        def prepared(named: str) -> BaseModel:
            return prepare(
                named,
                home.models,
                lambda step, share: on_progress(
                    {"name": step, "done": round(share * 100), "total": 100}
                ),
            )

        self.base = choose_base(self.database, settings.model.base, prepared)
        base = self.base.used
        self.prepare_base = prepared
        opener = self.opener_for(base)
        self.trial = CanaryTrial(self.database, settings.training.canary_share)
        self.models = Champion(
            self.database,
            opener.open,
            self.trial.version_for,
            kept_seconds=60 * settings.model.version_before_minutes,
        )
        self.retired = RetiredVersions(
            self.database, home.runs / "versions", settings.training.versions_kept
        )
        self.retired.delete_leftovers()
        self.upkeep = Upkeep(
            database=self.database,
            ingestion=self.ingestion,
            indexes=indexes,
            verify_version=opener.verify,
            ask_server=opener.ask_server,
            reconcile_verified=self._learning.reconcile,
            reembedding=self._reembedding,
            pending_erasures=PendingErasures(home.erasures).all,
            retired=self.retired,
        )
        self.permissions = Permissions(settings.people)
        english = opened.serving.embedder
        if english.name != MiniLmEmbedder.name:
            english = open_by_name("english")
        self.care = PairCare(
            database=self.database,
            home=home,
            settings=settings,
            retrieval=self.retrieval,
            permissions=self.permissions,
            near=NearQuestions(QuestionLikeness(english)),
            reconcile_verified=self._learning.reconcile,
            wake=self.wake_workers,
        )
        self.corrections = self.care.corrections
        self.pair_import = PairImport(self.database, self.corrections)
        self.answering = Answering(
            database=self.database,
            retrieval=self.retrieval,
            verified=verified,
            models=self.models,
            grounding=_grounding_check(settings.answers, opened.serving.embedder),
            persona=settings.persona(),
            contact=settings.company.contact,
            passages=settings.knowledge.passages,
            context_tokens=settings.knowledge.context_tokens,
            max_new_tokens=settings.model.max_new_tokens,
            precision=settings.answers.precision,
            keeps_near=settings.answers.wording == "near",
        )
        self.retrainings = Retrainings(
            database=self.database,
            training=build_training(
                settings=settings,
                home=home,
                base=base,
                database=self.database,
                retrieval=self.retrieval,
                opener=opener,
            ),
            champion=self.models,
            enough_pairs=settings.training.enough_pairs,
            retrain_every=settings.training.retrain_every,
            owner=f"run-{secrets.token_hex(6)}",
            trial=self.trial,
        )
        self._control_file = home.control
        self.operations = Operations(self)

    def connect(
        self, client: WebClient, app_token: str = "", http: HttpSecrets | None = None
    ) -> None:
        """Answer in Slack, take work from the command line, and look for due retrainings.

        Args:
            client: Slack, from `bot.slack.calls.new_client`.
            app_token: The token for Socket Mode.
            http: The secrets for HTTP mode, instead.

        Raises:
            SlackRefused: Slack does not take the token.
            SlackUncertain: Slack cannot be reached.
        """
        from bot.slack.side import SlackSide, free_jobs_of_the_dead
        from training.personal_data import find_personal_data

        # Its library cannot be imported by two threads at the same moment; here there is one.
        find_personal_data("nothing")
        free_jobs_of_the_dead(self.database)
        retrain_schedule = RetrainSchedule(
            self.database, self.settings.training.schedule, self._look_for_due_run
        )
        self._slack = SlackSide(
            settings=self.settings,
            client=client,
            app_token=app_token,
            http=http,
            database=self.database,
            answering=self.answering,
            corrections=self.corrections,
            permissions=self.permissions,
            retrainings=self.retrainings,
            schedule=retrain_schedule,
            gaps=self.upkeep.gaps,
            answer_unaided=lambda question: UnaidedAnswering(self.answering, self.models).answer(
                question, {"everyone"}
            ),
            learning=self._learning.handlers | {"consider_retraining": self.retrainings.consider},
        )
        self._slack.start()
        self._control = ControlServer(self._control_file, self.operations.perform, USER_ERRORS)
        self._schedule = Schedule()
        self._schedule.add("retraining", "* * * * *", retrain_schedule.tick)
        self._schedule.add("trial", "*/5 * * * *", self._look_at_trial)
        self._schedule.add("versions", "*/10 * * * *", self._tidy_versions)
        if self.settings.knowledge.sync:
            self._schedule.add("sync", self.settings.knowledge.sync, self._sync_sources)
        self._schedule.start()
        self._warmth = threading.Thread(target=self._keep_warm, name="warmth", daemon=True)
        self._warmth.start()
        if self._reembedding is not None:
            self._reembedding.start()

    def opener_for(self, base: BaseModel) -> EngineOpener:
        """Return what opens engines on a base model, as the settings say."""
        model = self.settings.model
        return EngineOpener(
            base,
            model.engine,
            server=remote_server(model),
            cache_gib=model.cache_gb,
            at_once=model.concurrent,
            four_bits=model.four_bits,
            prepare_other=self.prepare_base,
        )

    def wake_workers(self) -> None:
        """Let new jobs be done now: by the bot, or here when a command does its own work."""
        if self._slack is not None:
            self._slack.wake()
        else:
            self._learning.catch_up()

    def start_run(self, actor: str, key: str, on_progress: Progress) -> dict[str, Any]:
        """Start a run, or go on with one that was interrupted, and follow it to its end."""
        from bot.run_in_terminal import follow_run, run_here

        self.retrainings.refuse_challenge()
        if self._slack is not None:
            run = self.retrainings.request(actor, key)
            self._slack.wake()
            return follow_run(self.retrainings, run, on_progress)
        return run_here(self.database, self.retrainings, actor, key, on_progress)

    def close(self) -> None:
        """Stop everything in the order of dependence, and free the home."""
        self._closing.set()
        self.ingestion.stop()
        if self._schedule is not None:
            self._schedule.stop()
        if self._control is not None:
            self._control.close()
        if self._slack is not None:
            self._slack.stop()
        self.ingestion.close()
        if self._reembedding is not None:
            self._reembedding.stop()
        self.models.close()
        self._keywords.close()
        self._index.close()
        self.database.close()
        self._lock.release()

    def __enter__(self) -> Skredder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _look_for_due_run(self, period: str) -> None:
        if self.retrainings.look(period):
            self.wake_workers()

    def _look_at_trial(self, _period: str) -> None:
        if self.retrainings.look_at_trial() == "promoted":
            self.wake_workers()

    def _tidy_versions(self, _period: str) -> None:
        self.retired.tidy()

    def _sync_sources(self, _period: str) -> None:
        with contextlib.suppress(SyncStopped):
            self.upkeep.sync_all()

    def _keep_warm(self) -> None:
        """Load the models before the first question needs them, and keep the indexes in memory."""
        try:
            self._serving.current.embedder.load()
            self.retrieval.warm()
            # What a correction is checked with: Slack waits three seconds for its form to close.
            self.care.checks.examine(
                NewPair("Is it warm?", "Yes, it is warm.", author="", origin="", origin_key="")
            )
            self.corrections.warm()
            log.info("ready version=%s", self.models.version)
        except Exception:
            log.exception("the models could not be loaded ahead; the first question tries again")
        while not self._closing.wait(WARM_EVERY_SECONDS):
            try:
                self.retrieval.warm()
            except Exception:
                log.exception(
                    "the indexes could not be taken into memory; their files are searched"
                )


def _grounding_check(settings: AnswerSettings, embedder: Embedder) -> ReadsPassages:
    if settings.entailment_model:
        return EntailmentCheck(settings.entailment_model)
    return GroundingCheck(embedder, settings.caught)


def _listing_options(settings: KnowledgeSettings) -> ListingOptions:
    return ListingOptions(
        allowed_hosts=tuple(AllowedHost.parse(host) for host in settings.website_hosts),
        limits=CrawlLimits(pages=settings.website_pages),
        slack_workspace_url=settings.slack_workspace_url,
    )
