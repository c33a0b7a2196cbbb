"""The settings: one file, `skredder.toml`, with overrides from the environment.

`SKREDDER_TRAINING__ENOUGH_PAIRS=40` overrides `enough_pairs` in the table `[training]`. Secrets
(Slack's tokens) come from the environment only and are not part of the settings.
"""

from __future__ import annotations

import difflib
import os
import tomllib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from training.prompt import Persona, Voice, VoiceExample

PREFIX = "SKREDDER_"

#: Variables that begin with the prefix but are no settings.
_NOT_SETTINGS = frozenset({"HOME", "SETTINGS", "FAIL_AT", "TEST_CACHE", "LONG", "MODEL_API_KEY"})


class SettingsInvalid(Exception):
    """The settings cannot be used; the message lists every fault, where it is and what to do."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _crontab(value: str) -> str:
    from apscheduler.triggers.cron import CronTrigger

    try:
        CronTrigger.from_crontab(value, timezone="UTC")
    except ValueError as error:
        raise ValueError(f"not a cron line of five fields ({error})") from None
    return value


def _crontab_or_never(value: str) -> str:
    return _crontab(value) if value else value


def _web_hosts(values: tuple[str, ...]) -> tuple[str, ...]:
    from knowledge.sources.web_address import AllowedHost

    for value in values:
        try:
            AllowedHost.parse(value)
        except ValueError as error:
            raise ValueError(str(error).removesuffix(".")) from None
    return values


class Company(_Section):
    """Whose bot this is."""

    name: str = "the company"
    #: Whom the bot names when it does not know: "the people team in #people".
    contact: str = "a colleague who knows"


class ExampleSettings(_Section):
    """A question with an answer as the company would write it."""

    question: str
    answer: str


class VoiceSettings(_Section):
    """How the company writes."""

    description: str = ""
    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    examples: tuple[ExampleSettings, ...] = ()


class Route(_Section):
    """Whom to ask what the documents do not hold: by channel, by words of the question, or both."""

    #: The ids of the channels this is for; empty: all.
    channels: tuple[str, ...] = ()
    #: Words of which the question has one; empty: any question.
    topics: tuple[str, ...] = ()
    #: Who is asked, by the ids of people or of user groups.
    experts: tuple[str, ...] = Field(min_length=1)


class People(_Section):
    """Who may do what, by the ids of people or of Slack's user groups."""

    admins: tuple[str, ...] = ()
    experts: tuple[str, ...] = ()
    #: Whom a question is handed to; the first route that fits. Without one: all experts.
    routes: tuple[Route, ...] = ()


class SlackSettings(_Section):
    """How the bot reaches Slack."""

    #: Where Slack's Web API is; another address only for tests and the local workspace.
    api_url: str = "https://slack.com/api/"
    #: A channel for messages to the admins; they are written to directly if it is empty.
    admin_channel: str = ""
    #: Whether answers are streamed where Slack can; off: one message that is updated.
    stream: bool = True
    #: What is suggested in the agent pane, four at most; empty: what experts verified last.
    suggested_questions: tuple[str, ...] = Field(default=(), max_length=4)
    #: How many questions a minute one person, and one channel, may ask.
    questions_per_minute: int = Field(default=20, ge=1)
    channel_questions_per_minute: int = Field(default=100, ge=1)
    #: `socket` needs no public address; `http` listens on `host` and `port` for Slack's requests.
    mode: Literal["socket", "http"] = "socket"
    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=0, le=65535)


class StorageSettings(_Section):
    """Where the truth is kept."""

    #: A SQLAlchemy URL; empty means SQLite under the home folder.
    database_url: str = ""


class AudienceSettings(_Section):
    """Where the documents of one audience may be used, beside a channel of the same id."""

    #: The ids of the channels in which they may be used.
    channels: tuple[str, ...] = ()
    #: Whether guests, and people of other companies in shared channels, may see them.
    outsiders: bool = False


class KnowledgeSettings(_Section):
    """How documents are kept in step, and how passages are found and packed."""

    #: When all sources are gone through: a cron line, in UTC; empty: only when asked to.
    sync: Annotated[str, AfterValidator(_crontab_or_never)] = "*/30 * * * *"

    #: Audiences by name. `everyone` is every colleague; each channel is one by its id.
    audiences: dict[str, AudienceSettings] = Field(default_factory=dict)
    #: The hosts that websites may be read from: `docs.example.com`, or `private 10.0.0.7:8080`
    #: for one of the company's own network. No website is read from any other.
    website_hosts: Annotated[tuple[str, ...], AfterValidator(_web_hosts)] = ()
    #: How many pages of a website are read, at most.
    website_pages: int = Field(default=2000, ge=1, le=100_000)
    #: `https://acme.slack.com`, for links to the messages of a Slack export; empty: no links.
    slack_workspace_url: str = Field(default="", pattern=r"^(https://[\w.-]+/?)?$")
    #: What makes the vectors: `english` or `multilingual`, which are bundled, a folder in the
    #: format of sentence-transformers, or the id of a hub model (fetched only if named). After a
    #: change the old vectors serve until the new ones are made.
    embedder: str = Field(default="english", min_length=1)
    #: A cross-encoder that puts what was found in order, named likewise; empty: none.
    reranker: str = ""
    #: How many passages the model is given.
    passages: int = Field(default=3, ge=1, le=12)
    #: How many tokens of passages the model is given, at most.
    context_tokens: int = Field(default=420, ge=64)


class ModelSettings(_Section):
    """The model that answers."""

    #: `bundled`, a folder with safetensors, or the id of a hub model (fetched only if named).
    base: str = "bundled"
    #: `auto` and the two after it answer in this process; `remote` asks a server for each answer.
    engine: Literal["auto", "openvino", "transformers", "remote"] = "auto"
    #: How much memory keys and values may take, in GiB (OpenVINO).
    cache_gb: float = Field(default=1.0, gt=0, le=1024)
    #: For transformers: weights in four bits (NF4), for a GPU that 16 are too many for; slower.
    four_bits: bool = False
    #: How many minutes the version before stays open after another was promoted, so that taking it
    #: back takes no time; it costs the memory of one version. 0 closes it at once.
    version_before_minutes: float = Field(default=60, ge=0, le=10_080)
    #: For `remote`: where the OpenAI-compatible server is, and what it calls the base model.
    #: A key it asks for is taken from SKREDDER_MODEL_API_KEY.
    server: str = Field(default="http://127.0.0.1:8000/v1", pattern=r"^https?://[^\s@?#]+$")
    served_model: str = ""
    #: For `remote`: whether the server loads adapters by name (vLLM), from the same file system.
    server_adapters: bool = False
    #: For `remote`: how many seconds may pass without a word, and until the end of an answer.
    server_silence: float = Field(default=30, gt=0, le=3600)
    server_whole_answer: float = Field(default=180, gt=0, le=3600)
    #: How long an answer may be, in tokens.
    max_new_tokens: int = Field(default=128, ge=16, le=2048)
    #: How many answers are written at once; more questions wait in line, where askers take turns.
    #: Empty: what is quickest, 16 on a processor, 64 on a GPU or a server.
    concurrent: int | None = Field(default=None, ge=1, le=256)


class AnswerSettings(_Section):
    """When an answer is given, and what of it is shown."""

    #: Of the questions that are tried, the wished share that the documents answer (if as many are
    #: asked that they do not answer); higher abstains more often.
    precision: float = Field(default=0.9, ge=0.5, le=0.99)
    #: The wished share of false sentences that are caught before they are shown; empty: the
    #: measured default. Higher also leaves out more true ones.
    caught: float | None = Field(default=None, ge=0.5, le=0.99)
    #: `near`: a sentence of the model's is shown if it tells what answers the question best,
    #: nearly as the page says it; else the page is quoted between the model's greeting and
    #: farewell. `free`: every sentence that the pages support is shown; for models that seldom
    #: say false things, which the bundled one is not.
    wording: Literal["near", "free"] = "near"
    #: A cross-encoder for natural language inference that checks sentences instead of the bundled
    #: check: a folder, or the id of a hub model (fetched only if named).
    entailment_model: str = ""


class PairSettings(_Section):
    """How corrections become pairs that count. An expert's own counts at once, others wait."""

    #: Ids of channels whose pairs two experts must approve, the one who wrote it included.
    two_experts: tuple[str, ...] = ()
    #: How many pairs from Slack are usual within a day; more are held until an expert has looked,
    #: because whoever teaches a model much at once can teach it anything. By one person:
    daily_by_one: int = Field(default=40, ge=1)
    #: By one person on one topic, and on one topic by all.
    daily_on_one_topic: int = Field(default=8, ge=1)
    daily_on_one_topic_by_all: int = Field(default=30, ge=1)
    #: By one person in place of what others had approved.
    daily_replacing: int = Field(default=8, ge=1)


class GateSettings(_Section):
    """What a version must reach before it may answer."""

    #: Fewer held-out pairs than this prove nothing. More may be asked for, never fewer: with fewer,
    #: a version is measured all the same, and only an admin's written reason lets it answer.
    held_out_pairs: int = Field(default=50, ge=50)
    #: How many of all general probes may be lost against the base, beyond noise, as a share.
    probe_drop: float = Field(default=0.02, ge=0, le=1)
    #: How many more general answers than the base's may come in the company's voice, as a share.
    leaks: float = Field(default=0.02, ge=0, le=1)
    #: By how much the share of unsupported sentences may rise above the champion's.
    unsupported_rise: float = Field(default=0.02, ge=0, le=1)
    #: By how much the share of questions without an answer at which it says so may fall below it.
    abstention_drop: float = Field(default=0.05, ge=0, le=1)


class TrainingSettings(_Section):
    """When and how the model is retrained."""

    #: How many approved pairs the first training needs.
    enough_pairs: int = Field(default=5000, ge=10)
    #: How many new approved pairs a later training needs.
    retrain_every: int = Field(default=500, ge=1)
    #: When it is looked whether there are enough: a cron line, in UTC.
    schedule: Annotated[str, AfterValidator(_crontab)] = "0 2 * * *"
    #: Overrides of the recipe; a value left out keeps the measured default.
    epochs: float | None = Field(default=None, gt=0, le=20)
    learning_rate: float | None = Field(default=None, gt=0, lt=0.1)
    rank: int | None = Field(default=None, ge=1, le=256)
    #: The adapter counts by alpha / rank; left out it is twice the rank, whatever that is.
    alpha: int | None = Field(default=None, ge=1, le=1024)
    dropout: float | None = Field(default=None, ge=0, lt=1)
    #: Steps over which the learning rate rises; how fast weights decay; the largest norm of a
    #: gradient (0: not clipped).
    warmup_steps: int | None = Field(default=None, ge=0, le=10_000)
    weight_decay: float | None = Field(default=None, ge=0, lt=1)
    clip: float | None = Field(default=None, ge=0, le=100)
    batch_size: int | None = Field(default=None, ge=1, le=256)
    replay_share: float | None = Field(default=None, ge=0, le=0.9)
    #: How many of the pairs are also learned without the passages that answer them, so that the
    #: model learns to say that it does not know, and how many without any, as shares.
    unanswerable_share: float | None = Field(default=None, ge=0, le=0.5)
    bare_share: float | None = Field(default=None, ge=0, le=0.5)
    max_tokens: int | None = Field(default=None, ge=64, le=8192)
    #: A part of the training pairs that is not learned from; it says when to stop (after
    #: `patience` looks without a better one) and at what scale the adapter counts.
    validation_share: float | None = Field(default=None, ge=0, le=0.5)
    patience: int | None = Field(default=None, ge=0, le=100)
    chooses_scale: bool | None = None
    #: By how much the adapter counts when it is merged, if that is not chosen: 1 is as trained.
    adapter_scale: float | None = Field(default=None, gt=0, le=1)
    #: Processor threads of the training process (0: all cores), and when it is given up, in hours.
    threads: int | None = Field(default=None, ge=0, le=1024)
    time_limit_hours: float | None = Field(default=None, gt=0, le=24 * 30)
    seed: int = 7
    #: What an hour of this machine costs, for the estimate before a run; 0: nothing extra.
    hour_price: float = Field(default=0.0, ge=0)
    currency: str = "EUR"
    #: The share of threads that a version gets before it answers all, until votes and corrections
    #: have decided; 0: it answers all as soon as it has passed the gate.
    canary_share: float = Field(default=0.0, ge=0, le=0.5)
    #: How many versions beside the base keep their files; of more, the oldest are retired, but
    #: never the newest, the one that answers, the one a rollback goes back to, or one on trial.
    versions_kept: int = Field(default=5, ge=1, le=1000)
    gate: GateSettings = GateSettings()

    @model_validator(mode="after")
    def _has_what_it_looks_at(self) -> TrainingSettings:
        if (self.patience or self.chooses_scale) and not self.validation_share:
            raise ValueError("patience and chooses_scale need a validation_share above 0")
        if self.chooses_scale and self.adapter_scale is not None:
            raise ValueError("chooses_scale chooses what adapter_scale sets: leave one of them out")
        return self


class Settings(_Section):
    """Everything that can be set, validated."""

    #: One sentence that says what the model is for. Tuning without a goal is the first mistake.
    goal: str = Field(min_length=20)
    company: Company = Company()
    voice: VoiceSettings = VoiceSettings()
    people: People = People()
    slack: SlackSettings = SlackSettings()
    storage: StorageSettings = StorageSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    model: ModelSettings = ModelSettings()
    answers: AnswerSettings = AnswerSettings()
    training: TrainingSettings = TrainingSettings()
    pairs: PairSettings = PairSettings()

    def persona(self) -> Persona:
        """Return who speaks, as the prompt takes it."""
        voice = self.voice
        return Persona(
            company=self.company.name,
            goal=self.goal,
            voice=Voice(
                description=voice.description,
                always=voice.always,
                never=voice.never,
                examples=tuple(VoiceExample(e.question, e.answer) for e in voice.examples),
            ),
        )


def load(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings file and the environment.

    Args:
        path: The settings file.
        environment: Variables to override with; the process's own by default.

    Raises:
        SettingsInvalid: the file is missing, is not TOML, or holds faults (all are listed).
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsInvalid(
            f"There is no settings file at {path}. Write one with at least a goal, for example:\n"
            '    goal = "Answer colleagues\' questions about our handbook, in our voice."\n'
            "or name another file with --settings or SKREDDER_SETTINGS."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path} is not valid TOML: {error}.") from error
    _override(content, os.environ if environment is None else environment)
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        faults = "\n".join(f"  {line}" for line in _explain(error))
        raise SettingsInvalid(f"{path} has settings that cannot be used:\n{faults}") from error


def _override(content: dict[str, Any], environment: Mapping[str, str]) -> None:
    for variable, text in sorted(environment.items()):
        name = variable.removeprefix(PREFIX)
        if name == variable or name in _NOT_SETTINGS:
            continue
        *tables, key = name.lower().split("__")
        table = content
        for part in tables:
            inner = table.setdefault(part, {})
            if not isinstance(inner, dict):
                raise SettingsInvalid(f"{variable}: `{part}` is a value, not a table.")
            table = inner
        table[key] = _value(text)


def _value(text: str) -> Any:
    """Read a variable as TOML would; what is not TOML is a plain string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _explain(error: ValidationError) -> Iterator[str]:
    for fault in error.errors():
        where = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            yield f"`{where}` is not a setting.{_nearest(where)}"
        elif fault["type"] == "missing":
            yield f"`{where}` is required.{_why(where)}"
        else:
            message = fault["msg"].removeprefix("Value error, ")
            yield f"`{where}` = {fault['input']!r}: {message}.{_why(where)}"


def _why(where: str) -> str:
    if where != "goal":
        return ""
    return " Say in one sentence what the model is for: which questions, whose, in what voice."


def _nearest(where: str) -> str:
    known = list(_keys(Settings))
    last = where.rsplit(".", 1)[-1]
    by_last = {key.rsplit(".", 1)[-1]: key for key in reversed(known)}
    close = difflib.get_close_matches(where, known, 1, 0.75)
    close = close or [by_last[key] for key in difflib.get_close_matches(last, by_last, 1, 0.6)]
    close = close or difflib.get_close_matches(where, known, 1, 0.0)
    return f" Did you mean `{close[0]}`?"


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        for inner in _models_in(field.annotation):
            yield from _keys(inner, f"{prefix}{name}.")


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _models_in(part)
