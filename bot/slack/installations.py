"""The workspaces that have installed the app, with the bot's token in each: slack_sdk's stores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from slack_bolt import BoltResponse
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs, SuccessArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore
from sqlalchemy import create_engine, select

from bot.slack.http_server import HttpSecrets

#: How long a token is remembered, in seconds; a workspace that uninstalls is gone after that.
REMEMBERED = 60.0

#: How long somebody has to say yes at Slack, in seconds.
STATE_SECONDS = 600


@dataclass(frozen=True)
class Installed:
    """A workspace in which the app is installed, and who the bot is there."""

    team_id: str
    name: str
    bot_user_id: str


class Installations:
    """Keeps installations in SQL and gives each workspace's token."""

    def __init__(self, database_url: str, secrets: HttpSecrets, scopes: list[str]) -> None:
        """Open the tables, and make them if they are not there.

        Args:
            database_url: A SQLAlchemy URL.
            secrets: The app's client id and secret.
            scopes: What the app asks for, as its manifest says.
        """
        self._engine = create_engine(database_url)
        self._secrets = secrets
        self._scopes = scopes
        self._store = SQLAlchemyInstallationStore(secrets.client_id, self._engine)
        self._states = SQLAlchemyOAuthStateStore(STATE_SECONDS, self._engine)
        self._store.metadata.create_all(self._engine)
        self._states.metadata.create_all(self._engine)
        self._known: dict[str, tuple[float, str, str]] = {}
        self._lock = threading.Lock()

    def settings(self, on_installed: Callable[[Installed], None]) -> OAuthSettings:
        """Return what Bolt needs; `on_installed` is called when a workspace has installed."""

        def succeeded(arguments: SuccessArgs) -> BoltResponse:
            made = arguments.installation
            with self._lock:
                self._known.pop(str(made.team_id), None)
            on_installed(Installed(str(made.team_id), made.team_name or "", str(made.bot_user_id)))
            return arguments.default.success(arguments)

        def failed(arguments: FailureArgs) -> BoltResponse:
            return arguments.default.failure(arguments)

        return OAuthSettings(
            client_id=self._secrets.client_id,
            client_secret=self._secrets.client_secret,
            scopes=self._scopes,
            installation_store=self._store,
            installation_store_bot_only=True,
            state_store=self._states,
            callback_options=CallbackOptions(success=succeeded, failure=failed),
        )

    def token_of(self, team_id: str) -> str | None:
        """Return the bot's token in a workspace, or None where it is not installed."""
        return self._bot(team_id)[0] or None

    def bot_user_id(self, team_id: str) -> str:
        """Return who the bot is in a workspace; empty where it is not installed."""
        return self._bot(team_id)[1]

    def listed(self) -> tuple[Installed, ...]:
        """Return every workspace in which the app is installed, oldest first."""
        bots = self._store.bots
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(bots.c.team_id, bots.c.team_name, bots.c.bot_user_id)
                .where(bots.c.client_id == self._secrets.client_id)
                .order_by(bots.c.installed_at)
            ).all()
        newest = {str(team): (str(name or ""), str(user)) for team, name, user in rows}
        return tuple(Installed(team, name, user) for team, (name, user) in newest.items())

    def forget(self, team_id: str) -> None:
        """Delete the tokens of a workspace that has removed the app."""
        self._store.delete_all(enterprise_id=None, team_id=team_id)
        with self._lock:
            self._known.pop(team_id, None)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _bot(self, team_id: str) -> tuple[str, str]:
        now = time.monotonic()
        with self._lock:
            known = self._known.get(team_id)
        if known is not None and now < known[0]:
            return known[1], known[2]
        found = self._store.find_bot(enterprise_id=None, team_id=team_id) if team_id else None
        token = str(found.bot_token) if found is not None else ""
        user_id = str(found.bot_user_id) if found is not None else ""
        with self._lock:
            self._known[team_id] = (now + REMEMBERED, token, user_id)
        return token, user_id
