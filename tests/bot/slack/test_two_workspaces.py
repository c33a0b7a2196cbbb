"""One bot, installed by OAuth in two workspaces whose people and channels have the same ids."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.app import Skredder
from bot.demo.stage import MANIFEST
from bot.home import Home
from bot.settings import load
from bot.slack import home_facts
from bot.slack.calls import new_client
from bot.slack.http_server import HttpSecrets
from bot.teams import team_in
from bot.workspace.payloads import event_callback
from bot.workspace.server import WorkspaceServer
from bot.workspace.shared_address import SharedAddress, SignedRequests
from bot.workspace.workspace import Workspace
from storage import by_workspace, pairs
from storage.overview import overview
from storage.pairs import Pair
from storage.tables import PairRow
from tests.bot.slack.conftest import LEAVE, SETTINGS, Bot
from training.base_model import BaseModel

SECRETS = HttpSecrets("0123456789abcdef0123456789abcdef", "1.2", "client-secret")

VIDDA_LEAVE = """# Leave

## Annual leave

Everyone at Vidda gets 31 days of paid annual leave each year. Book it in Kiwi.
"""

LEAVE_QUESTION = "How many days of annual leave do I get?"

Reply = tuple[int, Message, str]


@dataclass
class Towns:
    """Two workspaces, and the one bot."""

    home: Bot
    away: Bot
    skredder: Skredder
    slack: SharedAddress

    @property
    def port(self) -> int:
        """Where the bot listens."""
        side: Any = self.skredder._slack
        return int(side.port)

    def get(self, path: str, cookie: str = "") -> Reply:
        """Open a page of the bot as a browser does."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Cookie": cookie} if cookie else {}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def begin(self) -> tuple[str, str]:
        """Begin to install, and return the state and the cookie."""
        _, headers, page = self.get("/slack/install")
        state = page.partition("state=")[2].partition("&")[0]
        return state, str(headers["Set-Cookie"]).partition(";")[0]

    def install(self, bot: Bot) -> int:
        """Install the bot in a workspace, and return how the last page answered."""
        state, cookie = self.begin()
        code = self.slack.agree(bot.workspace.team_id)
        return self.get(f"/slack/oauth_redirect?code={code}&state={state}", cookie)[0]

    def pair(self, holds: Callable[[PairRow], bool]) -> Pair:
        """Wait for the newest pair of which something holds."""

        def found() -> list[int]:
            with self.skredder.database.read() as session:
                rows = session.scalars(select(PairRow).order_by(PairRow.id.desc())).all()
                return [row.id for row in rows if holds(row)]

        pair_id = self.home.wait(found, "the pair")[0]
        with self.skredder.database.read() as session:
            return pairs.get(session, pair_id)


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory, base_model: BaseModel) -> Iterator[Towns]:
    """Start a bot in HTTP mode and install it in both workspaces, the home one first."""
    folder = tmp_path_factory.mktemp("towns")
    for name, page in (("home", LEAVE), ("away", VIDDA_LEAVE)):
        (folder / name).mkdir()
        (folder / name / "leave.md").write_text(page, encoding="utf-8")
    home, away = Workspace(), Workspace(team="Vidda")
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    with ExitStack() as stack:
        served = {}
        for workspace in (home, away):
            workspace.install(manifest)
            served[workspace.team_id] = (workspace, stack.enter_context(WorkspaceServer(workspace)))
        slack = stack.enter_context(SharedAddress(served, "1.2", "client-secret"))
        people = {name: home.person(name).id for name in ("Sindre", "Ingrid", "Tom")}
        text = SETTINGS.format(
            admin=people["Sindre"], expert=people["Ingrid"], payroll=people["Tom"]
        )
        far = f"{away.team_id}/{people['Tom']}"
        text = text.replace('"]\nexperts', f'", "{far}"]\nexperts', 1)
        text = text.replace("[slack]", '[slack]\nmode = "http"\nport = 0')
        file = folder / "skredder.toml"
        file.write_text(text, encoding="utf-8")
        skredder = stack.enter_context(
            Skredder(
                Home(folder / "state", shared_models=Path(base_model.folder).parent),
                load(file, {}),
            )
        )
        for name, audience in (("home", "everyone"), ("away", away.team_id)):
            path = str(folder / name)
            skredder.operations.perform("ingest", {"path": path, "audience": audience})
        skredder.connect(new_client("", slack.base_url), http=SECRETS)
        found = Towns(Bot(home, skredder, folder), Bot(away, skredder, folder), skredder, slack)
        signed = SignedRequests(
            f"http://127.0.0.1:{found.port}/slack/events", SECRETS.signing_secret
        )
        stack.callback(signed.close)
        for bot in (found.home, found.away):
            assert found.install(bot) == 200
            bot.workspace.sockets.send = signed.send  # type: ignore[method-assign]
        yield found


def _home_of(bot: Bot, who: str) -> str:
    return str(bot.workspace.person(who).open_home(20)["blocks"])


def test_the_ids_of_people_and_channels_are_the_same_in_both(towns: Towns) -> None:
    for name in ("Kari", "Tom", "Ingrid", "Sindre"):
        assert towns.home.workspace.person(name).id == towns.away.workspace.person(name).id
    assert towns.home.workspace.channel("general").id == towns.away.workspace.channel("general").id
    assert towns.home.workspace.team_id != towns.away.workspace.team_id


def test_each_is_answered_from_its_own_documents(towns: Towns) -> None:
    at_home, away = towns.home.ask(LEAVE_QUESTION), towns.away.ask(LEAVE_QUESTION)
    assert "27" in str(at_home["blocks"])
    assert "31" not in at_home["text"]
    assert "31" in str(away["blocks"])
    assert "27" not in away["text"]


def test_a_correction_of_an_answer_without_sources_stays_in_its_workspace(towns: Towns) -> None:
    asked = "Which colour is the door of the boathouse?"
    answer = towns.away.ask(asked, "Kari")
    ts = answer["thread_ts"]
    towns.away.workspace.person("Tom").post("general", "correction: The boathouse is ochre.", ts)
    pair = towns.pair(lambda row: "ochre" in row.output)
    assert (pair.audience, pair.state) == (towns.away.workspace.team_id, "approved")
    assert pair.author == f"{towns.away.workspace.team_id}/{towns.away.workspace.person('Tom').id}"
    towns.away.wait(lambda: "ochre" in towns.away.ask(asked, "Sindre")["text"], "it", 60)
    assert "ochre" not in str(towns.home.ask(asked, "Sindre"))


def test_an_experts_tick_in_another_workspace_counts_there_only(towns: Towns) -> None:
    away = towns.away.workspace
    asked = "Where do we keep the spare paddles?"
    root = away.person("Kari").post("general", asked)
    reply = away.person("Ingrid").post("general", "Under the pier, on the left.", root)
    away.person("Tom").react(reply, "white_check_mark")
    pair = towns.pair(lambda row: "pier" in row.output)
    assert pair.audience == away.team_id
    assert pair.author == f"{away.team_id}/{away.person('Ingrid').id}"
    assert "pier" not in str(towns.home.ask(asked))


def test_an_id_that_is_an_experts_at_home_is_nobodys_elsewhere(towns: Towns) -> None:
    answer = towns.away.ask("How many days ahead do I book leave?")
    who = towns.away.workspace.person("Ingrid")
    who.post("general", "correction: Book it a fortnight ahead, in Kiwi.", answer["thread_ts"])
    pair = towns.pair(lambda row: "fortnight" in row.output)
    assert (pair.state, pair.audience) == ("proposed", towns.away.workspace.team_id)
    refused = towns.away.workspace.person("Sindre").slash("/retrain status")
    assert "Only admins" in refused.text
    assert towns.home.workspace.person("Sindre").id not in refused.text
    assert "Only admins" not in towns.home.workspace.person("Sindre").slash("/retrain status").text


def test_the_review_queue_shows_only_what_comes_from_ones_own_workspace(towns: Towns) -> None:
    towns.pair(lambda row: "fortnight" in row.output)
    assert "fortnight" in _home_of(towns.away, "Tom")
    for who in ("Ingrid", "Sindre"):
        shown = _home_of(towns.home, who)
        assert "fortnight" not in shown
        assert "ochre" not in shown


def test_a_button_for_another_workspaces_pair_does_nothing(towns: Towns) -> None:
    pair = towns.pair(lambda row: "fortnight" in row.output)
    for action in ("pair_approve", "pair_reject", "pair_edit"):
        body = {
            "type": "block_actions",
            "user": {"id": towns.home.workspace.person("Ingrid").id},
            "team": {"id": towns.home.workspace.team_id},
            "api_app_id": towns.home.workspace.state.app_id,
            "trigger_id": f"crossed-{action}",
            "container": {"type": "view", "view_id": "V1"},
            "actions": [{"action_id": action, "type": "button", "value": str(pair.id)}],
        }
        towns.home.workspace.sockets.send("interactive", body).result(20)
    with towns.skredder.database.read() as session:
        assert pairs.get(session, pair.id).state == "proposed"
    assert towns.home.workspace.views_of("Ingrid") == []


def test_what_is_not_answered_in_one_is_no_gap_of_the_other(towns: Towns) -> None:
    towns.away.ask("What is the password of the kayak shed?")
    towns.home.ask("Who has the key of the sauna?")
    admin = towns.home.workspace.person("Sindre")

    def shows_gap() -> bool:
        return "sauna" in str(admin.open_home(20)["blocks"])

    towns.home.wait(shows_gap, "the gap", 60)
    assert "kayak" not in _home_of(towns.home, "Sindre")


def test_votes_count_where_they_were_cast(towns: Towns) -> None:
    def down(bot: Bot) -> int:
        with towns.skredder.database.read() as session:
            seen = overview(session)
            return by_workspace.counted(session, seen, [bot.workspace.team_id]).votes_down

    before = down(towns.home), down(towns.away)
    answer = towns.away.ask(LEAVE_QUESTION)
    towns.away.workspace.person("Kari").press(answer["ts"], "answer_feedback", "negative")
    towns.away.wait(lambda: down(towns.away) == before[1] + 1, "the vote")
    assert down(towns.home) == before[0]
    towns.away.workspace.person("Kari").close(is_all=True)


def test_the_audit_in_app_home_tells_of_ones_own_workspace(towns: Towns) -> None:
    with towns.skredder.database.read() as session:
        at_home = home_facts.newest_audit(session, "", 100)
        away = home_facts.newest_audit(session, towns.away.workspace.team_id, 100)
    assert away
    people = [record.actor for record in away if record.actor.isupper()]
    assert people, "the rest was done by parts of the program"
    assert all(team_in(person) == towns.away.workspace.team_id for person in people)
    assert not any(towns.away.workspace.team_id in record.actor for record in at_home)


@pytest.mark.parametrize("state", ["", "made-up"])
def test_a_redirect_with_a_state_that_is_not_ours_installs_nothing(
    towns: Towns, state: str
) -> None:
    _, cookie = towns.begin()
    code = towns.slack.agree(towns.away.workspace.team_id)
    status, _, _ = towns.get(f"/slack/oauth_redirect?code={code}&state={state}", cookie)
    assert status >= 400


def test_a_redirect_in_another_browser_or_a_second_time_installs_nothing(towns: Towns) -> None:
    state, cookie = towns.begin()
    code = towns.slack.agree(towns.away.workspace.team_id)
    path = f"/slack/oauth_redirect?code={code}&state={state}"
    assert towns.get(path)[0] >= 400, "no cookie: another browser"
    state, cookie = towns.begin()
    path = f"/slack/oauth_redirect?code={code}&state={state}"
    assert towns.get(path, cookie)[0] == 200
    assert towns.get(path, cookie)[0] >= 400, "the state is used up"


def _tell(bot: Bot, event: dict[str, Any]) -> None:
    body = event_callback(bot.workspace.state, event)
    assert bot.workspace.sockets.send("events_api", body).result(20).is_ok


def test_when_a_persons_token_is_revoked_the_bot_stays(towns: Towns) -> None:
    _tell(towns.away, {"type": "tokens_revoked", "tokens": {"oauth": ["UX"]}})
    assert "31" in str(towns.away.ask(LEAVE_QUESTION)["blocks"])


@pytest.mark.parametrize(
    "event",
    [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["UB"]}}],
)
def test_a_workspace_that_removes_the_app_is_forgotten_and_the_home_one_stays_home(
    towns: Towns, event: dict[str, Any]
) -> None:
    side: Any = towns.skredder._slack
    gone, stays = towns.away.workspace.team_id, towns.home.workspace.team_id
    assert side._installations.token_of(gone)
    _tell(towns.away, event)
    assert side._installations.token_of(gone) is None
    assert [one.team_id for one in side._installations.listed()] == [stays]
    ts = towns.away.workspace.person("Kari").mention("general", LEAVE_QUESTION)
    assert "27" in str(towns.home.ask(LEAVE_QUESTION)["blocks"])
    assert towns.away.replies(ts) == []
    assert towns.install(towns.away) == 200
    assert "31" in str(towns.away.ask(LEAVE_QUESTION)["blocks"])


def test_the_home_workspace_stays_home_when_it_removes_the_app(towns: Towns) -> None:
    side: Any = towns.skredder._slack
    _tell(towns.home, {"type": "app_uninstalled"})
    assert side.home_team() == towns.home.workspace.team_id
    answer = towns.away.ask("How many weeks is parental leave with full pay?")
    assert "49" not in str(answer["blocks"])
    assert towns.install(towns.home) == 200
    assert "27" in str(towns.home.ask(LEAVE_QUESTION)["blocks"])
