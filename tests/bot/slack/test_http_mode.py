"""HTTP mode: only what Slack has signed is let in; several workspaces, whose data never mix."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.oauth.installation_store import Bot as InstalledBot
from sqlalchemy import func, select

from bot.app import Skredder
from bot.audiences import Audiences
from bot.home import Home
from bot.settings import load
from bot.slack.calls import new_client
from bot.slack.http_server import HttpSecrets
from bot.slack.installations import Installations
from bot.workspace.payloads import event_callback, mention_event
from bot.workspace.server import WorkspaceServer
from bot.workspace.workspace import Workspace
from storage.tables import InboxRow
from tests.bot.slack.conftest import LEAVE, SETTINGS, Bot
from training.base_model import BaseModel

SECRETS = HttpSecrets("0123456789abcdef0123456789abcdef", "1.2", "client-secret")
OTHER_TEAM = "T0OTHER"


@pytest.fixture(scope="module")
def http_bot(tmp_path_factory: pytest.TempPathFactory, base_model: BaseModel) -> Iterator[Bot]:
    """Start a bot in HTTP mode that is installed in the local workspace by OAuth."""
    folder = tmp_path_factory.mktemp("http")
    pages = folder / "pages"
    pages.mkdir()
    (pages / "leave.md").write_text(LEAVE, encoding="utf-8")
    workspace = Workspace()
    with WorkspaceServer(workspace) as server:
        people = {name: workspace.person(name).id for name in ("Sindre", "Ingrid", "Tom")}
        text = SETTINGS.format(
            admin=people["Sindre"], expert=people["Ingrid"], payroll=people["Tom"]
        )
        file = folder / "skredder.toml"
        file.write_text(
            text.replace("[slack]", '[slack]\nmode = "http"\nport = 0'), encoding="utf-8"
        )
        home = Home(folder / "home", shared_models=Path(base_model.folder).parent)
        url = f"sqlite:///{home.make().database}"
        with Skredder(home, load(file, {})) as skredder:
            store = Installations(url, SECRETS, ["chat:write"])
            store._store.save_bot(
                InstalledBot(
                    app_id=workspace.state.app_id,
                    team_id=workspace.team_id,
                    team_name="Fjellro",
                    bot_token=server.bot_token,
                    bot_id=workspace.state.bot_id,
                    bot_user_id=workspace.bot_user_id,
                    bot_scopes=["chat:write"],
                    installed_at=time.time(),
                )
            )
            store.close()
            skredder.operations.perform("ingest", {"path": str(pages), "audience": "everyone"})
            skredder.connect(new_client("", server.base_url), http=SECRETS)
            yield Bot(workspace, skredder, folder)


def _post(bot: Bot, body: bytes, headers: dict[str, str], path: str = "/slack/events") -> int:
    side: Any = bot.skredder._slack
    request = urllib.request.Request(
        f"http://127.0.0.1:{side.port}{path}", data=body, headers=headers, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def _signed(body: bytes, kind: str = "application/json", at: float | None = None) -> dict[str, str]:
    moment = str(int(time.time() if at is None else at))
    digest = hmac.new(
        SECRETS.signing_secret.encode(), f"v0:{moment}:".encode() + body, hashlib.sha256
    ).hexdigest()
    return {
        "Content-Type": kind,
        "X-Slack-Request-Timestamp": moment,
        "X-Slack-Signature": f"v0={digest}",
    }


def _mention(bot: Bot, text: str) -> tuple[str, bytes]:
    """Let Kari mention the bot, and return the message's ts with the event that tells of it."""
    ts = bot.workspace.person("Kari").mention("general", text)
    with bot.workspace.lock:
        message = bot.workspace.state.messages[ts]
        event = mention_event(bot.workspace.state, message, bot.workspace.channel("general"))
        return ts, json.dumps(event_callback(bot.workspace.state, event)).encode()


def _inbox_rows(bot: Bot) -> int:
    with bot.skredder.database.read() as session:
        return int(session.scalars(select(func.count()).select_from(InboxRow)).one())


def test_a_signed_question_is_answered_with_the_installed_token(http_bot: Bot) -> None:
    ts, body = _mention(http_bot, "How many days of annual leave do I get?")
    assert _post(http_bot, body, _signed(body)) == 200
    assert "27" in http_bot.answer_to(ts)["text"]


def test_the_same_signed_request_fifty_times_is_one_question(http_bot: Bot) -> None:
    ts, body = _mention(http_bot, "How many weeks is parental leave?")
    before = _inbox_rows(http_bot)
    headers = _signed(body)
    assert {_post(http_bot, body, headers) for _ in range(50)} == {200}
    http_bot.answer_to(ts)
    assert _inbox_rows(http_bot) == before + 1
    assert len(http_bot.replies(ts)) == 1


def test_a_signed_command_is_answered(http_bot: Bot) -> None:
    form = {
        "command": "/retrain",
        "text": "status",
        "user_id": http_bot.workspace.person("Sindre").id,
        "team_id": http_bot.workspace.team_id,
        "trigger_id": "1.1",
        "channel_id": http_bot.workspace.channel("general").id,
        "api_app_id": http_bot.workspace.state.app_id,
    }
    body = urlencode(form).encode()
    kind = "application/x-www-form-urlencoded"
    assert _post(http_bot, body, _signed(body, kind)) == 200


@pytest.mark.parametrize("seconds", [-301, 301, -86_400])
def test_an_old_or_early_signature_is_refused(http_bot: Bot, seconds: int) -> None:
    body = b'{"type": "event_callback"}'
    assert _post(http_bot, body, _signed(body, at=time.time() + seconds)) == 401


def test_a_body_that_is_too_large_is_refused(http_bot: Bot) -> None:
    body = b"x" * 1_000_001
    assert _post(http_bot, body, _signed(body)) == 413


@given(
    body=st.binary(max_size=200),
    timestamp=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
    signature=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80),
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_unsigned_gets_in(
    http_bot: Bot, body: bytes, timestamp: str, signature: str
) -> None:
    before = _inbox_rows(http_bot)
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": timestamp.strip(),
        "X-Slack-Signature": signature.strip(),
    }
    # Headers that are no HTTP are refused with 400 before anybody looks at the signature.
    assert _post(http_bot, body, headers) in (400, 401)
    assert _inbox_rows(http_bot) == before


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"{", b"\xff\xfe", b"a=b&c"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_what_is_signed_but_malformed_is_no_fault_of_ours(
    http_bot: Bot, body: bytes, kind: str
) -> None:
    assert _post(http_bot, body, _signed(body, kind)) == 400


def test_a_workspace_without_the_app_is_not_answered(http_bot: Bot) -> None:
    ts, body = _mention(http_bot, "How many days of annual leave do I get?")
    foreign = json.loads(body)
    foreign["team_id"] = foreign["context_team_id"] = OTHER_TEAM
    foreign["authorizations"] = []
    foreign["event"]["team"] = OTHER_TEAM
    changed = json.dumps(foreign).encode()
    before = _inbox_rows(http_bot)
    _post(http_bot, changed, _signed(changed))
    assert _inbox_rows(http_bot) == before
    assert http_bot.replies(ts) == []


def test_people_are_sent_to_slack_to_install(http_bot: Bot) -> None:
    side: Any = http_bot.skredder._slack
    with urllib.request.urlopen(
        f"http://127.0.0.1:{side.port}/slack/install", timeout=10
    ) as response:
        page = response.read().decode()
    assert "https://slack.com/oauth/v2/authorize?state=" in page
    assert "client_id=1.2" in page


def test_each_workspace_has_its_own_token(tmp_path: Path) -> None:
    opened = Installations(f"sqlite:///{tmp_path / 'db'}", SECRETS, ["chat:write"])
    for n, team in enumerate(("T1", "T2")):
        opened._store.save_bot(
            InstalledBot(
                app_id="A1",
                team_id=team,
                bot_token=f"xoxb-{team}",
                bot_id=f"B{n}",
                bot_user_id=f"U{n}",
                installed_at=time.time() + n,
            )
        )
    assert [opened.token_of(team) for team in ("T1", "T2", "T3")] == ["xoxb-T1", "xoxb-T2", None]
    assert [one.team_id for one in opened.listed()] == ["T1", "T2"]
    opened.close()


def test_everyone_in_another_workspace_is_another_audience() -> None:
    audiences = Audiences({}, lambda: "T1")
    assert audiences.of("C1", with_outsiders=False, is_private=False, team_id="T1") == {"everyone"}
    assert audiences.of("C9", with_outsiders=False, is_private=False, team_id="T2") == {"T2"}
    assert "everyone" not in audiences.of("C9", with_outsiders=False, team_id="T2")


@pytest.mark.parametrize("secret", ["", "short"])
def test_http_mode_does_not_start_without_a_signing_secret(secret: str) -> None:
    with pytest.raises(ValueError, match="SLACK_SIGNING_SECRET"):
        HttpSecrets(secret)
