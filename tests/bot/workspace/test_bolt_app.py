"""A real, unmodified Bolt app in the workspace, gesture by gesture."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, Respond, Say, SetStatus, SetSuggestedPrompts
from slack_bolt.context.say_stream.say_stream import SayStream
from slack_sdk import WebClient

from bot.workspace import Person, Workspace
from tests.bot.workspace.samples import actions, button, feedback, modal, option, plain, section

Connect = Callable[[App], Any]


def test_a_mention_is_answered_in_its_thread_and_the_answer_edited(
    app: App, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    @app.event("app_mention")
    def answer(event: dict[str, Any], say: Say, client: WebClient) -> None:
        posted = say(text="One moment", thread_ts=event["ts"])
        client.chat_update(channel=event["channel"], ts=posted["ts"], text="25 days")

    @app.event("message")
    def ignore() -> None: ...

    connect(app)
    ts = kari.mention("#ask-fjellro", "how many days of leave do I get?")
    root, reply = workspace.wait_for(
        lambda: (m := workspace.messages("#ask-fjellro", ts)) and m[-1]["text"] == "25 days" and m
    )
    assert root["reply_count"] == 1
    assert reply["user"] == workspace.bot_user_id
    assert reply["edited"]["user"] == workspace.bot_user_id
    assert [call.error for call in workspace.ledger.refused()] == []


def test_one_message_arrives_as_a_mention_and_as_a_message_with_different_ids(
    app: App, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    bodies: list[dict[str, Any]] = []

    @app.middleware
    def keep(body: dict[str, Any], next: Callable[[], None]) -> None:
        bodies.append(body)
        next()

    @app.event("app_mention")
    def mention() -> None: ...

    @app.event("message")
    def message() -> None: ...

    connect(app)
    ts = kari.mention("#ask-fjellro", "hello")
    workspace.wait_for(lambda: len(bodies) == 2)
    by_type = {body["event"]["type"]: body for body in bodies}
    assert by_type["app_mention"]["event"]["ts"] == by_type["message"]["event"]["ts"] == ts
    assert by_type["app_mention"]["event_id"] != by_type["message"]["event_id"]
    assert by_type["message"]["event"]["channel_type"] == "channel"
    assert by_type["message"]["event"]["text"] == f"<@{workspace.bot_user_id}> hello"


def test_an_answer_is_streamed_with_a_status_before_and_buttons_after(
    app: App, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    seen: list[str] = []

    @app.event("app_mention")
    def answer(event: dict[str, Any], set_status: SetStatus, say_stream: SayStream) -> None:
        set_status("is reading the handbook…")
        seen.append(workspace.status_of("ask-fjellro", event["ts"]))
        stream = say_stream(buffer_size=1)
        stream.append(markdown_text="You get ")
        seen.append(workspace.status_of("ask-fjellro", event["ts"]))
        stream.append(markdown_text="**25** days [1]")
        stream.stop(blocks=[feedback()])

    @app.event("message")
    def ignore() -> None: ...

    connect(app)
    ts = kari.mention("#ask-fjellro", "how many days?")
    answered = workspace.wait_for(
        lambda: [
            m
            for m in workspace.messages("#ask-fjellro", ts)
            if m.get("streaming_state") == "completed"
        ]
    )
    assert answered[0]["text"] == "You get **25** days [1]"
    assert [b["type"] for b in answered[0]["blocks"]] == ["markdown", "context_actions"]
    assert seen == ["is reading the handbook…", ""]
    assert len(workspace.ledger.calls("chat.appendStream")) == 1


def test_a_bad_answer_is_corrected_in_a_form_that_says_what_is_wrong(
    app: App, connect: Connect, client: WebClient, workspace: Workspace, ask: str
) -> None:
    saved: list[dict[str, Any]] = []

    @app.action("feedback")
    def vote(ack: Ack, body: dict[str, Any], action: dict[str, Any], client: WebClient) -> None:
        ack()
        if action["value"].startswith("down"):
            client.views_open(trigger_id=body["trigger_id"], view=modal())

    @app.view("correction")
    def save(ack: Ack, view: dict[str, Any]) -> None:
        text = view["state"]["values"]["better"]["text"]["value"]
        if len(text) < 10:
            ack(response_action="errors", errors={"better": "Please write a whole sentence."})
            return
        saved.append(view)
        ack()

    connect(app)
    ingrid = workspace.person("Ingrid")
    ts = client.chat_postMessage(channel=ask, text="No idea", blocks=[feedback()])["ts"]
    assert ingrid.press(ts, "feedback", "positive").is_ok
    assert ingrid.press(ts, "feedback", "negative").is_ok
    view = workspace.wait_for(lambda: workspace.views_of("Ingrid"))[-1]
    assert not workspace.views_of("Kari")

    assert ingrid.submit(view).errors == {"better": "Please complete this required field."}
    refused = ingrid.submit(view, {"better": "Short"})
    assert refused.errors == {"better": "Please write a whole sentence."}
    assert workspace.views_of("Ingrid")
    assert ingrid.submit(view, {"better": {"text": "You get 25 days."}}).is_accepted
    assert workspace.views_of("Ingrid") == []
    assert saved[0]["private_metadata"] == ""
    assert saved[0]["state"]["values"]["better"]["text"]["value"] == "You get 25 days."


def test_a_form_can_lead_to_a_second_one_and_close_everything(
    app: App, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    closed: list[dict[str, Any]] = []

    @app.shortcut("ask_private")
    def open_first(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=modal(callback_id="first"))

    @app.view("first")
    def second(ack: Ack) -> None:
        ack(response_action="push", view=modal(callback_id="second", notify_on_close=True))

    @app.view("second")
    def end(ack: Ack) -> None:
        ack(response_action="clear")

    @app.view_closed("second")
    def note(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        closed.append(body)

    connect(app)
    kari.global_shortcut("ask_private")
    workspace.wait_for(lambda: workspace.views_of("Kari"))
    kari.submit(values={"better": "one"})
    assert [v["callback_id"] for v in workspace.views_of("Kari")] == ["first", "second"]
    kari.close()
    workspace.wait_for(lambda: closed)
    assert [v["callback_id"] for v in workspace.views_of("Kari")] == ["first"]
    kari.submit(values={"better": "one"})
    kari.submit(values={"better": "two"})
    assert workspace.views_of("Kari") == []


def test_a_slash_command_is_answered_to_its_sender_only(
    app: App, connect: Connect, workspace: Workspace
) -> None:
    @app.command("/retrain")
    def retrain(ack: Ack, command: dict[str, Any], respond: Respond) -> None:
        ack(f"*{command['text']}* for <@{command['user_id']}>")
        respond("And one more thing.")

    connect(app)
    sindre = workspace.person("Sindre")
    reply = sindre.slash("/retrain status", "#board")
    assert reply.text == f"*status* for <@{sindre.id}>"
    whispered = workspace.wait_for(
        lambda: len(workspace.ephemerals_of("Sindre")) == 2 and workspace.ephemerals_of("Sindre")
    )
    assert {m["text"] for m in whispered} == {reply.text, "And one more thing."}
    assert workspace.messages("#board") == []
    assert workspace.ephemerals_of("Ingrid") == []


def test_app_home_is_published_when_it_is_opened_and_its_buttons_work(
    app: App, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    pressed: list[dict[str, Any]] = []

    @app.event("app_home_opened")
    def publish(event: dict[str, Any], client: WebClient) -> None:
        if event["tab"] != "home":
            return
        menu = {
            "type": "static_select",
            "action_id": "menu",
            "options": [option("day"), option("week")],
        }
        view = {"type": "home", "blocks": [section("Welcome"), actions(button(), menu)]}
        client.views_publish(user_id=event["user"], view=view)

    @app.action("menu")
    def choose(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        pressed.append(body)

    connect(app)
    home = kari.open_home()
    assert home["blocks"][0]["text"]["text"] == "Welcome"
    assert kari.press(home, "menu", "week").is_ok
    body = workspace.wait_for(lambda: pressed)[0]
    assert body["actions"][0]["selected_option"]["value"] == "week"
    assert body["container"] == {"type": "view", "view_id": home["id"]}
    assert body["user"]["id"] == kari.id
    assert workspace.home_of("Tom") is None


def test_a_direct_message_gets_prompts_and_an_answer(
    app: App, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    @app.event("app_home_opened")
    def suggest(event: dict[str, Any], set_suggested_prompts: SetSuggestedPrompts) -> None:
        set_suggested_prompts(prompts=["How many days of leave?"], title="Try")

    @app.event("message")
    def answer(event: dict[str, Any], say: Say) -> None:
        assert event["channel_type"] == "im"
        say(text="25 days", thread_ts=event["ts"])

    connect(app)
    kari.open_messages()
    workspace.wait_for(lambda: workspace.ledger.calls("assistant.threads.setSuggestedPrompts"))
    ts = kari.dm("How many days of leave?")
    thread = workspace.wait_for(
        lambda: (
            len(workspace.messages(kari.dm_channel, ts)) == 2
            and workspace.messages(kari.dm_channel, ts)
        )
    )
    assert thread[1]["text"] == "25 days"
    assert [call.error for call in workspace.ledger.refused()] == []


def test_a_message_shortcut_carries_the_message(
    app: App, connect: Connect, client: WebClient, workspace: Workspace, ask: str
) -> None:
    kari = workspace.person("Kari")
    bodies: list[dict[str, Any]] = []

    @app.shortcut("correct_answer")
    def correct(ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        ack()
        bodies.append(body)
        respond("Thank you", replace_original=False)

    connect(app)
    ts = client.chat_postMessage(channel=ask, text="25 days")["ts"]
    assert kari.shortcut(ts, "correct_answer").is_ok
    body = workspace.wait_for(lambda: bodies)[0]
    assert body["message"]["text"] == "25 days"
    assert body["message_ts"] == ts
    assert body["channel"] == {"id": ask, "name": "ask-fjellro"}
    workspace.wait_for(lambda: workspace.ephemerals_of("Kari"))


def test_the_app_hears_of_reactions_joins_and_the_stop_button_but_not_of_itself(
    app: App, connect: Connect, client: WebClient, workspace: Workspace, ask: str
) -> None:
    heard: list[dict[str, Any]] = []
    listening = threading.Lock()

    @app.event("reaction_added")
    @app.event("reaction_removed")
    @app.event("member_joined_channel")
    @app.event("agent_session_stopped")
    @app.event("message")
    def listen(event: dict[str, Any]) -> None:
        with listening:
            heard.append(event)

    connect(app)
    kari, tom = workspace.person("Kari"), workspace.person("Tom")
    ts = client.chat_postMessage(channel=ask, text="mine")["ts"]
    client.chat_update(channel=ask, ts=ts, text="mine still")
    kari.react(ts, "eyes")
    kari.unreact(ts, "eyes")
    workspace.channel("people").members.remove(tom.id)
    tom.join("#people")
    kari.stop_session(ask, ts)
    workspace.wait_for(lambda: len(heard) >= 4)
    assert sorted(event["type"] for event in heard) == [
        "agent_session_stopped",
        "member_joined_channel",
        "reaction_added",
        "reaction_removed",
    ]
    added = next(event for event in heard if event["type"] == "reaction_added")
    assert added["item"] == {"type": "message", "channel": ask, "ts": ts}
    assert all(attempt.is_acknowledged for attempt in workspace.sockets.attempts)


def test_the_answer_to_a_press_can_replace_the_message(
    app: App, connect: Connect, client: WebClient, workspace: Workspace, ask: str
) -> None:
    kari = workspace.person("Kari")

    @app.action("go")
    def go(ack: Ack, respond: Respond) -> None:
        ack()
        respond(text="Done", replace_original=True)

    connect(app)
    ts = client.chat_postMessage(
        channel=ask, text="Sure?", blocks=[section("Sure?"), actions(button())]
    )["ts"]
    kari.press(ts, "go")
    workspace.wait_for(lambda: workspace.message(ts)["text"] == "Done")
    assert workspace.message(ts)["blocks"] == []


def test_an_app_that_does_not_answer_a_command_is_complained_about(
    app: App, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    @app.command("/retrain")
    def silent(ack: Ack) -> None: ...

    connect(app)
    assert kari.slash("/retrain status").error == "operation_timeout"
    assert "operation_timeout" in workspace.ephemerals_of("Kari")[-1]["text"]
    assert workspace.complaints == ["the command /retrain: operation_timeout"]


def test_a_form_answered_with_nonsense_stays_open(
    app: App, connect: Connect, workspace: Workspace, kari: Person
) -> None:
    @app.shortcut("ask_private")
    def open_it(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=modal())

    @app.view("correction")
    def nonsense(ack: Ack) -> None:
        ack(
            response_action="update", view={"type": "modal", "title": plain("x" * 25), "blocks": []}
        )

    connect(app)
    kari.global_shortcut("ask_private")
    workspace.wait_for(lambda: workspace.views_of("Kari"))
    result = kari.submit(values={"better": "text"})
    assert not result.is_accepted
    assert result.trouble.startswith("We had some trouble")
    assert len(workspace.views_of("Kari")) == 1
    assert "view.title: more than 24" in workspace.complaints[0]
