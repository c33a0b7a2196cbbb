"""Messages: whose they are, what is hidden, and how they are read page by page."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.workspace import Person, Workspace
from tests.bot.workspace.samples import section


def code(client: WebClient, method: str, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        client.api_call(method, json=arguments)
    return str(caught.value.response["error"])


def test_only_the_apps_own_messages_can_be_changed(
    client: WebClient, kari: Person, ask: str
) -> None:
    ts = kari.post(ask, "mine")
    assert code(client, "chat.update", channel=ask, ts=ts, text="yours") == "cant_update_message"
    assert code(client, "chat.delete", channel=ask, ts=ts) == "cant_delete_message"
    assert code(client, "chat.update", channel=ask, ts="1.0", text="a") == "message_not_found"


def test_a_deleted_message_is_gone(client: WebClient, workspace: Workspace, ask: str) -> None:
    ts = client.chat_postMessage(channel=ask, text="a")["ts"]
    client.chat_delete(channel=ask, ts=ts)
    assert workspace.messages("ask-fjellro") == []
    assert code(client, "chat.delete", channel=ask, ts=ts) == "message_not_found"


def test_an_update_keeps_the_blocks_unless_it_brings_some(
    client: WebClient, workspace: Workspace, ask: str
) -> None:
    ts = client.chat_postMessage(channel=ask, text="a", blocks=[section("old")])["ts"]
    client.chat_update(channel=ask, ts=ts, text="b")
    assert workspace.message(ts)["blocks"][0]["text"]["text"] == "old"
    client.chat_update(channel=ask, ts=ts, text="c", blocks=[section("new")])
    assert workspace.message(ts)["blocks"][0]["text"]["text"] == "new"
    client.chat_update(channel=ask, ts=ts, text="d", blocks=[])
    assert workspace.message(ts)["blocks"] == []
    client.chat_update(channel=ask, ts=ts, markdown_text="**e**")
    client.chat_update(channel=ask, ts=ts, text="f")
    assert (workspace.message(ts)["text"], workspace.message(ts)["blocks"]) == ("f", [])


def test_metadata_is_shown_only_to_who_asks_for_it(
    client: WebClient, workspace: Workspace, ask: str
) -> None:
    metadata = {"event_type": "answer", "event_payload": {"job": "7"}}
    root = client.chat_postMessage(channel=ask, text="a", metadata=metadata)["ts"]
    client.chat_postMessage(channel=ask, text="b", thread_ts=root, metadata=metadata)
    client.chat_update(channel=ask, ts=root, text="c")
    hidden = client.conversations_replies(channel=ask, ts=root)["messages"]
    assert not any("metadata" in message for message in hidden)
    shown = client.conversations_replies(channel=ask, ts=root, include_all_metadata=True)
    assert [message["metadata"] for message in shown["messages"]] == [metadata, metadata]
    history = client.conversations_history(channel=ask, include_all_metadata=True)["messages"]
    assert [message["metadata"] for message in history] == [metadata]


def test_history_is_newest_first_without_replies_and_comes_in_pages(
    client: WebClient, kari: Person, ask: str
) -> None:
    sent = [kari.post(ask, f"message {n}") for n in range(5)]
    kari.post(ask, "a reply", thread_ts=sent[0])
    seen, cursor, pages = [], None, 0
    while cursor != "":
        page = client.conversations_history(channel=ask, limit=2, cursor=cursor)
        seen += [message["ts"] for message in page["messages"]]
        cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
        assert page["has_more"] == bool(cursor)
        pages += 1
    assert (seen, pages) == (sent[::-1], 3)
    between = client.conversations_history(channel=ask, oldest=sent[1], latest=sent[3])
    assert [m["ts"] for m in between["messages"]] == [sent[2]]
    inclusive = client.conversations_history(
        channel=ask, oldest=sent[1], latest=sent[3], inclusive=True
    )
    assert [m["ts"] for m in inclusive["messages"]] == sent[3:0:-1]
    assert code(client, "conversations.history", channel=ask, cursor="?") == "invalid_cursor"
    assert code(client, "conversations.history", channel=ask, limit=5_000) == "invalid_limit"


def test_a_thread_begins_with_its_root(client: WebClient, kari: Person, ask: str) -> None:
    root = kari.post(ask, "question")
    first = client.chat_postMessage(channel=ask, text="answer", thread_ts=root)["ts"]
    second = kari.post(ask, "thanks", thread_ts=first)
    replies = client.conversations_replies(channel=ask, ts=root)["messages"]
    assert [m["ts"] for m in replies] == [root, first, second]
    assert replies[0]["reply_users"] == [client.auth_test()["user_id"], kari.id]
    assert replies[2]["thread_ts"] == root
    later = client.conversations_replies(channel=ask, ts=root, oldest=first)["messages"]
    assert [m["ts"] for m in later] == [root, second]
    assert code(client, "conversations.replies", channel=ask, ts="1.0") == "thread_not_found"
    assert (
        code(client, "chat.postMessage", channel=ask, text="a", thread_ts="1.0")
        == "thread_not_found"
    )


def test_the_app_sees_only_channels_it_is_in(
    client: WebClient, workspace: Workspace, kari: Person
) -> None:
    board, people = workspace.channel("board"), workspace.channel("people")
    board.members.remove(workspace.bot_user_id)
    people.members.remove(workspace.bot_user_id)
    assert code(client, "chat.postMessage", channel=board.id, text="a") == "channel_not_found"
    assert code(client, "conversations.info", channel=board.id) == "channel_not_found"
    assert code(client, "chat.postMessage", channel=people.id, text="a") == "not_in_channel"
    assert client.conversations_info(channel=people.id)["channel"]["is_member"] is False
    client.conversations_join(channel=people.id)
    assert client.chat_postMessage(channel=people.id, text="a")["ok"]
    kinds = "public_channel,private_channel"
    listed = [c["name"] for c in client.conversations_list(types=kinds)["channels"]]
    assert listed == ["general", "ask-fjellro", "people"]
    before = len(workspace.state.undelivered)
    workspace.person("Ingrid").post("#board", "not for the app")
    assert len(workspace.state.undelivered) == before


def test_people_post_only_where_they_are(kari: Person) -> None:
    with pytest.raises(PermissionError):
        kari.post("#board", "hello?")


def test_a_user_id_addresses_the_direct_message(
    client: WebClient, workspace: Workspace, kari: Person
) -> None:
    opened = client.conversations_open(users=kari.id)["channel"]["id"]
    posted = client.chat_postMessage(channel=kari.id, text="psst")
    assert posted["channel"] == opened == kari.dm_channel
    assert client.conversations_info(channel=opened)["channel"]["user"] == kari.id
    both = [kari.id, workspace.person("Tom").id]
    group = client.conversations_open(users=both)["channel"]["id"]
    assert client.conversations_open(users=both[::-1])["channel"]["id"] == group
    assert client.conversations_info(channel=group)["channel"]["is_mpim"] is True
    assert code(client, "conversations.open", users="U_NOBODY") == "user_not_found"


def test_an_ephemeral_message_is_seen_by_one_person_and_by_no_history(
    client: WebClient, workspace: Workspace, kari: Person, ask: str
) -> None:
    ts = client.chat_postEphemeral(channel=ask, user=kari.id, text="psst")["message_ts"]
    assert [m["text"] for m in workspace.ephemerals_of("Kari")] == ["psst"]
    assert workspace.ephemerals_of("Tom") == []
    assert client.conversations_history(channel=ask)["messages"] == []
    assert code(client, "chat.update", channel=ask, ts=ts, text="a") == "message_not_found"
    board = workspace.channel("board").id
    arguments = {"channel": board, "user": kari.id, "text": "a"}
    assert code(client, "chat.postEphemeral", **arguments) == "user_not_in_channel"


def test_reactions_are_added_once_and_taken_away_once(
    client: WebClient, workspace: Workspace, kari: Person, ask: str
) -> None:
    ts = kari.post(ask, "a")
    item = {"channel": ask, "timestamp": ts, "name": "eyes"}
    client.reactions_add(**item)
    kari.react(ts, "eyes")
    assert code(client, "reactions.add", **item) == "already_reacted"
    users = client.reactions_get(channel=ask, timestamp=ts)["message"]["reactions"][0]["users"]
    assert users == [workspace.bot_user_id, kari.id]
    client.reactions_remove(**item)
    assert code(client, "reactions.remove", **item) == "no_reaction"
    assert code(client, "reactions.add", **{**item, "name": "Oh no"}) == "invalid_name"


def test_typed_text_is_stored_as_slack_stores_it(
    workspace: Workspace, kari: Person, ask: str
) -> None:
    tom = workspace.person("Tom")
    ts = kari.post(ask, "@Tom see #people: 1 < 2 & https://example.com/a?b=c.")
    people = workspace.channel("people").id
    message = workspace.message(ts)
    assert message["text"] == (
        f"<@{tom.id}> see <#{people}|people>: 1 &lt; 2 &amp; <https://example.com/a?b=c>."
    )
    kinds = [e["type"] for e in message["blocks"][0]["elements"][0]["elements"]]
    assert kinds == ["user", "text", "channel", "text", "link", "text"]


def test_people_groups_and_links_can_be_looked_up(
    client: WebClient, workspace: Workspace, kari: Person, ask: str
) -> None:
    group = workspace.add_usergroup("experts", ["Ingrid"])
    assert client.usergroups_list(include_users=True)["usergroups"][0]["handle"] == "experts"
    ingrid = workspace.person("Ingrid").id
    assert client.usergroups_users_list(usergroup=group)["users"] == [ingrid]
    assert client.users_info(user=kari.id)["user"]["real_name"] == "Kari"
    assert client.users_info(user=workspace.person("Sindre").id)["user"]["is_admin"]
    assert len(client.users_list()["members"]) == 5
    assert client.bots_info()["bot"]["name"] == "Skredder"
    assert client.team_info()["team"]["name"] == "Fjellro"
    ts = kari.post(ask, "a")
    link = client.chat_getPermalink(channel=ask, message_ts=ts)["permalink"]
    assert link.endswith(f"/archives/{ask}/p{ts.replace('.', '')}")
    members = client.conversations_members(channel=workspace.channel("board").id)["members"]
    assert set(members) == {workspace.bot_user_id, ingrid, workspace.person("Sindre").id}


def test_rate_limits_hold_when_they_are_enforced(
    client: WebClient, workspace: Workspace, ask: str
) -> None:
    now = 1_000.0
    workspace.timing.clock = lambda: now
    workspace.rates.is_enforced = True
    ts = client.chat_postMessage(channel=ask, text="a")["ts"]
    assert code(client, "chat.postMessage", channel=ask, text="b") == "ratelimited"
    client.chat_postMessage(channel=workspace.channel("people").id, text="elsewhere")
    now += 1.0
    client.chat_postMessage(channel=ask, text="b")
    for n in range(50):
        client.chat_update(channel=ask, ts=ts, text=f"{n}")
    assert code(client, "chat.update", channel=ask, ts=ts, text="51") == "ratelimited"
    assert workspace.ledger.calls()[-1].status == 429
    now += 60.0
    client.chat_update(channel=ask, ts=ts, text="52")


def test_an_archived_channel_and_a_deactivated_account_cannot_be_written_to(
    workspace: Workspace, client: WebClient
) -> None:
    workspace.archive("people")
    workspace.deactivate("Tom")
    for channel, code in (
        (workspace.channel("people").id, "is_archived"),
        (workspace.person("Tom").id, "cannot_dm_user"),
    ):
        with pytest.raises(SlackApiError) as refused:
            client.chat_postMessage(channel=channel, text="Hei")
        assert refused.value.response["error"] == code


def test_the_locale_of_a_person_is_told_to_who_asks_for_it(
    workspace: Workspace, client: WebClient
) -> None:
    kari = workspace.person("Kari").id
    assert "locale" not in client.users_info(user=kari)["user"]
    assert client.users_info(user=kari, include_locale=True)["user"]["locale"] == "en-US"
