"""The plot of the score on new questions, sent to the admin who asks how training stands."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from bot.prequential import History
from bot.prequential_plot import draw_scores
from bot.slack.calls import SlackBusy, SlackCalls
from bot.slack.people import People
from bot.worker import TryLater
from storage import jobs
from storage.database import Database
from storage.jobs import Job


@dataclass(frozen=True)
class ScoreMessages:
    """Sends the plot to direct messages: what answers a slash command cannot hold a file."""

    database: Database
    calls: SlackCalls
    people: People
    scores: Callable[[], History]

    def owe(self, user_id: str, team_id: str) -> bool:
        """Note that somebody gets the plot, unless they have it as it is now.

        Returns:
            Whether there is enough to draw.
        """
        history = self.scores()
        if not history.is_a_curve:
            return False
        shown = f"{len(history.points)}:{len(history.changes)}:{history.points[-1].at.isoformat()}"
        with self.database.write() as session:
            jobs.enqueue(
                session,
                "send_scores",
                {"user_id": user_id, "team_id": team_id},
                key=f"scores:{team_id}:{user_id}:{shown}",
            )
        return True

    def send(self, job: Job) -> None:
        """Do a `send_scores` job."""
        history = self.scores()
        if not history.is_a_curve:
            return  # a pair was rejected meanwhile
        user_id = str(job.payload["user_id"])
        say = self.people.words(user_id)
        title = say("Answers that experts bettered, before they were learned")
        try:
            channel = self.calls.call("conversations_open", users=user_id)["channel"]["id"]
            self.calls.call(
                "files_upload_v2",
                channel=channel,
                file=io.BytesIO(draw_scores(history, say.retold_name)),
                filename="scores.png",
                title=title,
                alt_txt=title,
            )
        except SlackBusy as busy:
            raise TryLater(busy.seconds, str(busy)) from busy
