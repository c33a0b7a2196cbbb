"""Modals and App Homes: who may open them, how they change, how they stack."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.workspace import NoSuchElement, Person, Workspace
from tests.bot.workspace.samples import actions, button, modal, option, plain, section, text_input


def code(client: WebClient, method: str, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        client.api_call(method, json=arguments)
    return str(caught.value.response["error"])


def test_a_trigger_opens_one_view_and_only_for_three_seconds(
    client: WebClient, workspace: Workspace, kari: Person
) -> None:
    trigger = workspace.tickets.new_trigger(kari.id)
    client.views_open(trigger_id=trigger, view=modal())
    again = {"trigger_id": trigger, "view": modal()}
    assert code(client, "views.open", **again) == "exchanged_trigger_id"
    late = workspace.tickets.new_trigger(kari.id)
    now = workspace.timing.clock()
    workspace.timing.clock = lambda: now + 3.1
    assert code(client, "views.open", trigger_id=late, view=modal()) == "expired_trigger_id"
    assert code(client, "views.open", trigger_id="1.2.a", view=modal()) == "invalid_trigger_id"
    assert code(client, "views.open", view=modal()) == "invalid_arguments"


def test_an_update_keeps_what_was_typed_where_the_input_stays(
    client: WebClient, workspace: Workspace, kari: Person
) -> None:
    trigger = workspace.tickets.new_trigger(kari.id)
    view = client.views_open(trigger_id=trigger, view=modal())["view"]
    kari.fill(view["id"], {"better": "typed already"})
    changed = modal(section("New"), text_input(), text_input("other"))
    updated = client.views_update(view_id=view["id"], hash=view["hash"], view=changed)["view"]
    assert updated["state"]["values"]["better"]["text"]["value"] == "typed already"
    assert updated["state"]["values"]["other"]["text"]["value"] is None
    stale = {"view_id": view["id"], "hash": view["hash"], "view": modal()}
    assert code(client, "views.update", **stale) == "hash_conflict"
    assert code(client, "views.update", view_id="V0", view=modal()) == "not_found"


def test_three_views_stack_and_no_more(
    client: WebClient, workspace: Workspace, kari: Person
) -> None:
    first = client.views_open(trigger_id=workspace.tickets.new_trigger(kari.id), view=modal())
    for _ in range(2):
        pushed = client.views_push(trigger_id=workspace.tickets.new_trigger(kari.id), view=modal())
        assert pushed["view"]["root_view_id"] == first["view"]["id"]
    trigger = workspace.tickets.new_trigger(kari.id)
    assert code(client, "views.push", trigger_id=trigger, view=modal()) == "push_limit_reached"
    assert len(workspace.views_of("Kari")) == 3
    kari.close(is_all=True)
    assert workspace.views_of("Kari") == []


def test_an_external_id_names_one_view(
    client: WebClient, workspace: Workspace, kari: Person
) -> None:
    view = modal(external_id="form-7")
    client.views_open(trigger_id=workspace.tickets.new_trigger(kari.id), view=view)
    tom = workspace.tickets.new_trigger(workspace.person("Tom").id)
    assert code(client, "views.open", trigger_id=tom, view=view) == "duplicate_external_id"
    changed = {**view, "title": plain("Changed")}
    updated = client.views_update(external_id="form-7", view=changed)["view"]
    assert updated["title"]["text"] == "Changed"


def test_a_home_is_not_a_modal(client: WebClient, workspace: Workspace, kari: Person) -> None:
    home = {"type": "home", "blocks": [section("Welcome")]}
    trigger = workspace.tickets.new_trigger(kari.id)
    assert code(client, "views.open", trigger_id=trigger, view=home) == "invalid_arguments"
    assert code(client, "views.publish", user_id=kari.id, view=modal()) == "invalid_arguments"
    assert code(client, "views.publish", user_id="U0", view=home) == "user_not_found"
    first = client.views_publish(user_id=kari.id, view=home)["view"]
    second = client.views_publish(user_id=kari.id, view=home, hash=first["hash"])["view"]
    assert second["id"] == first["id"]
    stale = {"user_id": kari.id, "view": home, "hash": first["hash"]}
    assert code(client, "views.publish", **stale) == "hash_conflict"


def test_inputs_of_every_kind_are_filled_in_by_plain_values(
    client: WebClient, workspace: Workspace, kari: Person
) -> None:
    options = [option("a"), option("b")]

    def block(kind: str, **more: Any) -> dict[str, Any]:
        element = {"type": kind, "action_id": kind, **more}
        label = plain(kind)
        return {"type": "input", "block_id": kind, "label": label, "element": element}

    view = modal(
        block("plain_text_input", min_length=3),
        block("static_select", options=options),
        block("radio_buttons", options=options, initial_option=options[0]),
        block("checkboxes", options=options),
        block("users_select"),
        block("datepicker"),
    )
    client.views_open(trigger_id=workspace.tickets.new_trigger(kari.id), view=view)
    assert set(kari.submit().errors) == {
        "plain_text_input",
        "static_select",
        "checkboxes",
        "users_select",
        "datepicker",
    }
    kari.fill(
        None,
        {
            "plain_text_input": "hi",
            "static_select": "b",
            "checkboxes": ["a", "b"],
            "users_select": kari.id,
            "datepicker": "2026-11-23",
        },
    )
    values = workspace.views_of("Kari")[0]["state"]["values"]
    assert values["static_select"]["static_select"]["selected_option"] == options[1]
    assert values["radio_buttons"]["radio_buttons"]["selected_option"] == options[0]
    assert values["checkboxes"]["checkboxes"]["selected_options"] == options
    assert values["users_select"]["users_select"]["selected_user"] == kari.id
    assert kari.submit().errors == {"plain_text_input": "Must be at least 3 characters."}
    with pytest.raises(ValueError, match="has no option 'c'"):
        kari.fill(None, {"static_select": "c"})
    with pytest.raises(NoSuchElement, match="there is no input 'colour'"):
        kari.fill(None, {"colour": "red"})


def test_nobody_presses_what_they_do_not_see(
    client: WebClient, workspace: Workspace, kari: Person, ask: str
) -> None:
    ts = client.chat_postMessage(channel=ask, text="a", blocks=[actions(button())])["ts"]
    with pytest.raises(NoSuchElement, match="there are \\['go'\\]"):
        kari.press(ts, "stop")
    with pytest.raises(NoSuchElement, match="no message"):
        kari.shortcut("1.0", "correct")
    view = client.views_open(trigger_id=workspace.tickets.new_trigger(kari.id), view=modal())
    with pytest.raises(NoSuchElement, match="Tom sees no view"):
        workspace.person("Tom").press(view["view"]["id"], "text")
    with pytest.raises(NoSuchElement, match="no modal open"):
        workspace.person("Tom").submit(values={})


def test_a_response_url_works_five_times_in_half_an_hour(
    client: WebClient, workspace: Workspace, kari: Person, ask: str
) -> None:
    from slack_sdk.webhook import WebhookClient

    url = f"{workspace.state.origin}/respond/{workspace.tickets.new_response(kari.id, ask)}"
    hook = WebhookClient(url)
    assert hook.send(text="for everyone", response_type="in_channel").body == "ok"
    for n in range(4):
        assert hook.send(text=f"just for you {n}").status_code == 200
    sixth = hook.send(text="too much")
    assert (sixth.status_code, "used_url" in sixth.body) == (404, True)
    assert [m["text"] for m in workspace.messages("ask-fjellro")] == ["for everyone"]
    assert len(workspace.ephemerals_of("Kari")) == 4
    late = f"{workspace.state.origin}/respond/{workspace.tickets.new_response(kari.id, ask)}"
    now = workspace.timing.clock()
    workspace.timing.clock = lambda: now + 1_801
    assert "expired_url" in WebhookClient(late).send(text="too late").body
    assert [c.error for c in workspace.ledger.refused()] == ["used_url", "expired_url"]
