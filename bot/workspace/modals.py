"""Views on people's screens: opening, pushing, updating, closing; and App Homes."""

from __future__ import annotations

import uuid
from typing import Any

from bot.workspace.arguments import check_view as check_view_types
from bot.workspace.errors import SlackError
from bot.workspace.inputs import initial_values
from bot.workspace.limits import MODALS, check_view
from bot.workspace.posting import with_ids
from bot.workspace.records import Json, View
from bot.workspace.site import Site


def open_modal(site: Site, trigger_id: str, body: Json) -> View:
    """Open a modal for whoever the trigger belongs to.

    Raises:
        SlackError: the trigger or the view is refused.
    """
    with site.lock:
        trigger = site.tickets.exchange(trigger_id)
        _must_be(body, "modal")
        view = _new_view(site, trigger.user, body)
        site.state.modals[trigger.user] = [view]
        site.touch()
        return view


def push_modal(site: Site, trigger_id: str, body: Json) -> View:
    """Put a modal on top of the one the trigger was made in.

    Raises:
        SlackError: the trigger or the view is refused, or three are stacked already.
    """
    with site.lock:
        trigger = site.tickets.exchange(trigger_id)
        _must_be(body, "modal")
        stack = site.state.modals.get(trigger.user, [])
        if not stack:
            raise SlackError("not_found", ["[ERROR] there is no open view to push on"])
        return push_on(site, stack, body)


def push_on(site: Site, stack: list[View], body: Json) -> View:
    """Put a modal on a stack.

    Raises:
        SlackError: `push_limit_reached`, or the view is refused.
    """
    if len(stack) >= MODALS:
        raise SlackError("push_limit_reached")
    view = _new_view(site, stack[-1].user, body)
    view.root_id, view.previous_id = stack[0].id, stack[-1].id
    stack.append(view)
    site.touch()
    return view


def update_view(
    site: Site, body: Json, *, view_id: str | None, external_id: str | None, hash_: str | None
) -> View:
    """Change what an open view shows; what was typed stays where the inputs stay.

    Raises:
        SlackError: `not_found`, `hash_conflict`, or the view is refused.
    """
    with site.lock:
        view = _find(site, view_id, external_id)
        if hash_ is not None and hash_ != view.hash:
            raise SlackError("hash_conflict")
        _must_be(body, view.body["type"])
        replace_body(site, view, body)
        return view


def replace_body(site: Site, view: View, body: Json) -> None:
    """Change what a view shows.

    Raises:
        SlackError: the view is refused.
    """
    check_view(body)
    typed = view.values
    view.body = {**body, "blocks": with_ids(body["blocks"])}
    view.hash = _new_hash(site)
    view.values = initial_values(view.body["blocks"])
    for block_id, actions in view.values.items():
        for action_id, fresh in actions.items():
            old = typed.get(block_id, {}).get(action_id)
            if old is not None and old["type"] == fresh["type"]:
                actions[action_id] = old
    site.touch()


def publish_home(site: Site, user_id: str, body: Json, hash_: str | None) -> View:
    """Show an App Home to somebody.

    Raises:
        SlackError: `user_not_found`, `hash_conflict`, or the view is refused.
    """
    with site.lock:
        if user_id not in site.state.users:
            raise SlackError("user_not_found")
        _must_be(body, "home")
        view = site.state.homes.get(user_id)
        if view is None:
            view = _new_view(site, user_id, body)
            site.state.homes[user_id] = view
            site.touch()
            return view
        if hash_ is not None and hash_ != view.hash:
            raise SlackError("hash_conflict")
        replace_body(site, view, body)
        return view


def close_views(site: Site, user: str, *, is_all: bool) -> list[View]:
    """Take the topmost view, or all, from somebody's screen. Returns what is gone."""
    with site.lock:
        stack = site.state.modals.get(user, [])
        gone = list(stack) if is_all else stack[-1:]
        left = [] if is_all else stack[:-1]
        if left:
            site.state.modals[user] = left
        else:
            site.state.modals.pop(user, None)
        site.touch()
        return gone


def apply_answer(site: Site, view: View, payload: Json) -> dict[str, str]:
    """Do what the app answered to a submission. Returns the form's errors by block id.

    Raises:
        SlackError: the answer is refused, as Slack would refuse it.
    """
    with site.lock:
        action = payload.get("response_action")
        if action == "errors":
            errors = payload.get("errors")
            known = {b["block_id"] for b in view.body["blocks"] if b["type"] == "input"}
            if not isinstance(errors, dict) or not errors or not set(errors) <= known:
                raise SlackError("invalid_arguments", [f"[ERROR] errors name {errors!r}"])
            return {str(block): str(text) for block, text in errors.items()}
        if action in ("update", "push"):
            body: Any = payload.get("view")
            check_view_types(body)
            check_view(body)
        if action == "update":
            replace_body(site, view, body)
        elif action == "push":
            push_on(site, site.state.modals[view.user], body)
        elif action == "clear":
            close_views(site, view.user, is_all=True)
        elif action is None:
            close_views(site, view.user, is_all=bool(view.body.get("clear_on_close")))
        else:
            raise SlackError("invalid_arguments", [f"[ERROR] response_action {action!r}"])
        return {}


def _new_view(site: Site, user: str, body: Json) -> View:
    check_view(body)
    external_id = body.get("external_id")
    if external_id and any(v.body.get("external_id") == external_id for v in _open(site)):
        raise SlackError("duplicate_external_id")
    view_id = site.state.new_id("V")
    blocks = with_ids(body["blocks"])
    return View(
        id=view_id,
        user=user,
        body={**body, "blocks": blocks},
        hash=_new_hash(site),
        root_id=view_id,
        values=initial_values(blocks),
    )


def _open(site: Site) -> list[View]:
    return list(site.state.all_views())


def _find(site: Site, view_id: str | None, external_id: str | None) -> View:
    for view in _open(site):
        if view.id == view_id or (external_id and view.body.get("external_id") == external_id):
            return view
    raise SlackError("not_found")


def _must_be(body: Json, kind: str) -> None:
    if body["type"] != kind:
        raise SlackError("invalid_arguments", [f"[ERROR] view.type: must be {kind}"])


def _new_hash(site: Site) -> str:
    return f"{int(site.timing.clock())}.{uuid.uuid4().hex[:8]}"
