"""The workspaces that have installed the app, with the bot's token in each: slack_sdk's stores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from slack_bolt import BoltContext, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.authorize import Authorize
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


@dataclass(frozen=True)
class InstalledBot:
    """The bot in one workspace, as its token speaks for it; everything is empty if it is none."""

    token: str = ""
    user_id: str = ""
    bot_id: str = ""


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
        self._known: dict[str, tuple[float, InstalledBot]] = {}
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

        made = OAuthSettings(
            client_id=self._secrets.client_id,
            client_secret=self._secrets.client_secret,
            scopes=self._scopes,
            installation_store=self._store,
            installation_store_bot_only=True,
            state_store=self._states,
            callback_options=CallbackOptions(success=succeeded, failure=failed),
        )
        made.authorize = _FromTheStore(self)
        return made

    def token_of(self, team_id: str) -> str | None:
        """Return the bot's token in a workspace, or None where it is not installed."""
        return self.bot(team_id).token or None

    def bot_user_id(self, team_id: str) -> str:
        """Return who the bot is in a workspace; empty where it is not installed."""
        return self.bot(team_id).user_id

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

    def bot(self, team_id: str) -> InstalledBot:
        """Return the bot in a workspace; one without a token where it is not installed."""
        now = time.monotonic()
        with self._lock:
            known = self._known.get(team_id)
        if known is not None and now < known[0]:
            return known[1]
        found = self._store.find_bot(enterprise_id=None, team_id=team_id) if team_id else None
        bot = InstalledBot()
        if found is not None:
            bot = InstalledBot(str(found.bot_token), str(found.bot_user_id), str(found.bot_id))
        with self._lock:
            self._known[team_id] = (now + REMEMBERED, bot)
        return bot


class _FromTheStore(Authorize):
    """Lets in what comes from a workspace whose token is stored.

    Bolt's own asks Slack each time (`auth.test`), and when Slack is busy it answers 200 to what it
    has not taken: the question, or the correction, would be lost.
    """

    def __init__(self, installations: Installations) -> None:
        """Take what is stored."""
        self._installations = installations

    def __call__(
        self,
        *,
        context: BoltContext,  # noqa: ARG002
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        actor_enterprise_id: str | None = None,  # noqa: ARG002
        actor_team_id: str | None = None,  # noqa: ARG002
        actor_user_id: str | None = None,  # noqa: ARG002
    ) -> AuthorizeResult | None:
        """Return who the bot is in a workspace, or None where it is not installed."""
        bot = self._installations.bot(team_id or "")
        if not bot.token:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=bot.token,
            bot_user_id=bot.user_id,
            bot_id=bot.bot_id,
            user_id=user_id,
        )
