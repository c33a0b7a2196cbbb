"""The tour: the whole loop, played by three people through Slack's protocol, and checked.

Every step looks at what people see in the workspace and at what the database says; a step that
did not really happen fails the tour, which says which one it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot.demo.company_files import Script
from bot.demo.stage import ADMIN, ASK_CHANNEL, COLLEAGUE, EMPLOYEE, EXPERT, Stage
from bot.slack import blocks, correction_form
from bot.slack.markdown import fitting_markdown
from storage import answers, pairs
from storage.answers import Answer
from training.prompt import cited_numbers

#: How long an answer may take on a busy machine, in seconds.
ANSWER_SECONDS = 120.0

#: An approved correction is what the same question gets within this time, in seconds.
CORRECTION_SECONDS = 5.0

ROLLBACK_SECONDS = 5.0

#: How many questions are asked of the new version that it has never seen.
UNSEEN_QUESTIONS = 5
TRAINING_SECONDS = 45 * 60.0


class StepFailed(Exception):
    """A step of the tour did not happen as it should."""


@dataclass
class Result:
    """What became of a step."""

    name: str
    happened: bool
    seconds: float
    evidence: str


@dataclass
class Tour:
    """Plays the loop on a stage that has been started."""

    stage: Stage
    script: Script
    console: Console
    results: list[Result] = field(default_factory=list)

    def play(self) -> bool:
        """Play every step; the first that fails ends the tour. Returns whether all happened."""
        steps: list[tuple[str, Callable[[], str]]] = [
            ("A question is answered, with sources", self.ask),
            ("A wrong answer is corrected by an expert", self.correct),
            ("The same question gets the verified answer", self.ask_again),
            ("Enough pairs have gathered: a retraining starts", self.retraining_starts),
            ("It trains, and is measured on questions it has never seen", self.retraining_ends),
            ("The new version is promoted and answers", self.promoted),
            ("A question it has never seen is answered in the voice", self.ask_unseen),
            ("An admin rolls back; the version before answers", self.roll_back),
        ]
        for number, (name, step) in enumerate(steps, start=1):
            self.console.rule(f"[bold]{number}. {name}")
            started = time.monotonic()
            try:
                evidence = step()
            except (StepFailed, TimeoutError) as error:
                self.results.append(Result(name, False, time.monotonic() - started, str(error)))
                break
            self.results.append(Result(name, True, time.monotonic() - started, evidence))
        happened = len(self.results) == len(steps) and all(r.happened for r in self.results)
        self._summary(happened)
        return happened

    def ask(self) -> str:
        """Kari asks in the channel."""
        answer = self._asked(EMPLOYEE, self.script.ask)
        if answer.status != "grounded":
            raise StepFailed(f"the answer is {answer.status}, not grounded in passages")
        if not cited_numbers(answer.text) or not any(s.cited for s in answer.sources):
            raise StepFailed("the answer cites no passage")
        return f"{answer.timings['total']:.1f} s, {sum(s.cited for s in answer.sources)} cited"

    def correct(self) -> str:
        """Tom asks what the handbook has wrong; Ingrid presses the button and corrects it."""
        answer = self._asked(COLLEAGUE, self.script.wrong)
        if self.script.must_contain.lower() in answer.text.lower():
            raise StepFailed("the answer was right already, so there was nothing to correct")
        ingrid = self.stage.workspace.person(EXPERT)
        assert answer.message_ts is not None
        ingrid.press(answer.message_ts, blocks.FEEDBACK, f"down:{answer.id}")
        view = self.stage.workspace.wait_for(
            lambda: [
                shown
                for shown in self.stage.workspace.views_of(EXPERT)
                if shown["callback_id"] == correction_form.CORRECTION
            ],
            10,
            "the form",
        )
        self._say(EXPERT, self.script.better)
        ingrid.submit(
            view[-1],
            {
                correction_form.ANSWER_BLOCK: {correction_form.ANSWER_INPUT: self.script.better},
                correction_form.REASON_BLOCK: {correction_form.REASON_INPUT: self.script.reason},
            },
        )
        thread = self._thread_of(answer)
        told = self.stage.workspace.wait_for(
            lambda: [
                m
                for m in self.stage.workspace.messages(ASK_CHANNEL, thread)
                if f"<@{self.stage.person_id(COLLEAGUE)}>" in str(m.get("blocks"))
                and m.get("user") != self.stage.person_id(COLLEAGUE)
            ],
            ANSWER_SECONDS,
            "the message that tells Tom",
        )
        with self.stage.skredder.database.read() as session:
            approved = pairs.approved_answer(session, self.script.wrong, {"everyone"})
        if approved is None or not told:
            raise StepFailed("the correction is not an approved pair")
        return f"pair {approved.id} approved, the asker told in the thread"

    def ask_again(self) -> str:
        """Kari asks the same question."""
        answer = self._asked(EMPLOYEE, self.script.wrong)
        if answer.status != "verified":
            raise StepFailed(f"the answer is {answer.status}, not verified")
        if self.script.must_contain.lower() not in answer.text.lower():
            raise StepFailed("the answer is not the corrected one")
        if answer.timings["total"] > CORRECTION_SECONDS:
            raise StepFailed(f"it took {answer.timings['total']:.1f} s")
        return f"verified answer in {answer.timings['total']:.2f} s"

    def retraining_starts(self) -> str:
        """The correction was the pair that was missing."""
        run = self.stage.workspace.wait_for(
            self.stage.skredder.retrainings.current_run, 30, "a run to start"
        )
        assert run is not None
        self.stage.workspace.wait_for(self._run_message, 60, "the message to the admins")
        return f"run {run.id}, started by the {run.requested_by}"

    def retraining_ends(self) -> str:
        """Follow the run to its end."""
        retrainings = self.stage.skredder.retrainings
        with Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=self.console
        ) as bar:
            task = bar.add_task("training", total=1.0)
            end = time.monotonic() + TRAINING_SECONDS
            while (run := retrainings.current_run()) is not None:
                share = run.step / run.steps if run.steps else 0.0
                bar.update(task, completed=share, description=f"{run.state}: {run.message}")
                if time.monotonic() > end:
                    raise StepFailed("the run did not come to an end")
                time.sleep(0.5)
        last = retrainings.last_run()
        if last is None or last.report is None:
            raise StepFailed(f"the run ended without a report: {last.error if last else 'no run'}")
        self.console.print(retrainings.report_text(last), markup=False, highlight=False)
        if last.state != "promoted":
            raise StepFailed(f"the gate refused the new version: {last.message}")
        self.stage.workspace.wait_for(self._plot, 60, "the plot in the admins' thread")
        return f"run {last.id} passed the gate"

    def promoted(self) -> str:
        """Sindre asks how things stand."""
        reply = self._slash("/retrain status")
        version = self.stage.skredder.retrainings.serving_name()
        if version == "base" or version not in reply:
            raise StepFailed(f"status says: {reply}")
        return f"{version} is serving"

    def ask_unseen(self) -> str:
        """Kari asks a few things that no pair covers: one answer proves little."""
        retrainings = self.stage.skredder.retrainings
        version, run = retrainings.serving_name(), retrainings.last_run()
        assert run is not None
        asked = [(self.script.unseen, self.script.unseen_expected), *self.script.more_unseen]
        right = in_voice = both = 0
        for question, expected in asked[:UNSEEN_QUESTIONS]:
            answer = self._asked(EMPLOYEE, question)
            if answer.status == "grounded" and answer.model_version != version:
                raise StepFailed(f"answered by {answer.model_version}, not by {version}")
            is_right = any(text in answer.text.lower() for text in expected)
            speaks = answer.status == "grounded" and retrainings.is_in_voice(run, answer.text)
            right, in_voice, both = (
                right + is_right,
                in_voice + speaks,
                both + (is_right and speaks),
            )
        counted = f"of {UNSEEN_QUESTIONS} by {version}: {right} right, {in_voice} in the voice"
        if not both:
            raise StepFailed(f"no answer is both right and in the voice; {counted}")
        return f"{counted}, {both} both"

    def roll_back(self) -> str:
        """Sindre takes the new version back; somebody asks at once."""
        started = time.monotonic()
        reply = self._slash("/retrain rollback to see that it works")
        if "base" not in reply:
            raise StepFailed(f"the command was answered with: {reply}")
        self.stage.workspace.wait_for(
            lambda: self.stage.skredder.models.version == "base", 30, "the version before"
        )
        seconds = time.monotonic() - started
        answer = self._asked(COLLEAGUE, f"{self.script.ask} Asking for a friend.")
        if answer.status == "grounded" and answer.model_version != "base":
            raise StepFailed(f"answered by {answer.model_version} after: {reply}")
        if seconds > ROLLBACK_SECONDS:
            raise StepFailed(f"the rollback took {seconds:.1f} s")
        return f"base serves again after {seconds:.1f} s"

    def _asked(self, name: str, question: str) -> Answer:
        """Let somebody ask in the channel, and wait until the answer stands in the thread."""
        self._say(name, question)
        person = self.stage.workspace.person(name)
        ts = person.mention(ASK_CHANNEL, question)
        answer = self.stage.workspace.wait_for(
            lambda: self._answer_to(ts), ANSWER_SECONDS, "an answer"
        )
        assert answer is not None
        shown = [
            m
            for m in self.stage.workspace.messages(ASK_CHANNEL, ts)
            if m["ts"] == answer.message_ts
        ]
        begins = fitting_markdown(answer.text[:40])
        if len(shown) != 1 or ("[" in answer.text and begins not in shown[0]["text"]):
            raise StepFailed("the answer does not stand in the thread as it was stored")
        self._say("Skredder", answer.text, answer)
        return answer

    def _answer_to(self, ts: str) -> Answer | None:
        with self.stage.skredder.database.read() as session:
            found = answers.by_question_message(session, self._channel_id(), ts)
        return found if found is not None and found.message_ts else None

    def _thread_of(self, answer: Answer) -> str:
        from storage import questions

        with self.stage.skredder.database.read() as session:
            return questions.get(session, answer.question_id).thread_ts

    def _channel_id(self) -> str:
        return self.stage.workspace.channel(ASK_CHANNEL).id

    def _run_message(self) -> dict[str, Any] | None:
        for call in self.stage.workspace.ledger.calls("chat.postMessage"):
            if "etraining" in str(call.arguments.get("text")):
                return dict(call.arguments)
        return None

    def _plot(self) -> bool:
        return bool(self.stage.workspace.ledger.calls("files.completeUploadExternal"))

    def _slash(self, command: str) -> str:
        self._say(ADMIN, command)
        reply = self.stage.workspace.person(ADMIN).slash(command, ASK_CHANNEL)
        text = str(reply)
        self._say("Skredder", text)
        return text

    def _say(self, who: str, text: str, answer: Answer | None = None) -> None:
        below = ""
        if answer is not None:
            sources = [f"[{s.n}] {s.title} › {s.heading}" for s in answer.sources if s.cited]
            below = "\n".join([*sources, f"{answer.status}, {_model(answer)}"])
        body = f"{text}\n\n{below}".strip()
        style = "cyan" if who == "Skredder" else "green"
        self.console.print(Panel(body.replace("[", "\\["), title=who, border_style=style, width=88))

    def _summary(self, happened: bool) -> None:
        table = Table(title="The loop")
        for column in ("", "step", "seconds", "what was seen"):
            table.add_column(column)
        for result in self.results:
            table.add_row(
                "✓" if result.happened else "✗",
                result.name,
                f"{result.seconds:.1f}",
                result.evidence.replace("[", "\\["),
            )
        self.console.print(table)
        if not happened:
            failed = self.results[-1]
            self.console.print(
                f"The tour stopped at “{failed.name}”: {failed.evidence}", style="red", markup=False
            )


def _model(answer: Answer) -> str:
    return f"model {answer.model_version}" if answer.model_version else "no model asked"
