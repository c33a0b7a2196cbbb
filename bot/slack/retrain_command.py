"""`/retrain status|run|rollback`, for admins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, App

from bot.permissions import NotAllowed, Permissions
from bot.retraining import Retrainings, RetrainRefused

USAGE = (
    "Use `/retrain status` to see where things stand, `/retrain run` to start a run, or "
    "`/retrain rollback [why]` to let the version before answer again."
)


@dataclass(frozen=True)
class RetrainCommand:
    """Answers the slash command."""

    permissions: Permissions
    retrainings: Retrainings

    def register(self, app: App) -> None:
        """Tell Bolt which deliveries are ours."""
        app.command("/retrain")(self.handle)

    def handle(self, ack: Ack, command: dict[str, Any]) -> None:
        """Answer with one clear text, seen only by the one who typed."""
        ack(text=self.reply(command["user_id"], command.get("text") or "", command["trigger_id"]))

    def reply(self, user_id: str, text: str, key: str) -> str:
        """Do what the command says and return what to answer.

        Args:
            user_id: Who typed it, as Slack vouches for it.
            text: What stands behind `/retrain`.
            key: The same in every delivery of this command.
        """
        verb, _, rest = text.strip().partition(" ")
        try:
            match verb.lower():
                case "status" | "":
                    self.permissions.require(user_id, "see training")
                    status = self.retrainings.status()
                    return (
                        f"*Answering now:* {status.serving}\n{status.readiness}\n{status.last_run}"
                    )
                case "run":
                    self.permissions.require(user_id, "retrain")
                    run = self.retrainings.request(user_id, f"command:{key}")
                    return f"Run {run.id} is on its way. I'll post its progress to the admins."
                case "rollback":
                    self.permissions.require(user_id, "roll back")
                    version = self.retrainings.roll_back(user_id, rest.strip() or "by /retrain")
                    return f"Back to *{version}*: it answers within seconds."
                case _:
                    return f"I don't know `{verb[:40]}`. {USAGE}"
        except (NotAllowed, RetrainRefused) as refused:
            return str(refused)
