"""views.*: modals and App Homes."""

from __future__ import annotations

from bot.workspace.errors import SlackError
from bot.workspace.modals import open_modal, publish_home, push_modal, update_view
from bot.workspace.objects import view_json
from bot.workspace.records import Json
from bot.workspace.site import Site


def open_view(site: Site, arguments: Json) -> Json:
    """Serve views.open."""
    view = open_modal(site, _trigger_id(arguments), arguments["view"])
    return {"view": view_json(site.state, view)}


def push(site: Site, arguments: Json) -> Json:
    """Serve views.push."""
    view = push_modal(site, _trigger_id(arguments), arguments["view"])
    return {"view": view_json(site.state, view)}


def update(site: Site, arguments: Json) -> Json:
    """Serve views.update."""
    view_id, external_id = arguments.get("view_id"), arguments.get("external_id")
    if view_id is None and external_id is None:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: view_id"])
    view = update_view(
        site,
        arguments["view"],
        view_id=view_id,
        external_id=external_id,
        hash_=arguments.get("hash"),
    )
    return {"view": view_json(site.state, view)}


def publish(site: Site, arguments: Json) -> Json:
    """Serve views.publish."""
    view = publish_home(site, arguments["user_id"], arguments["view"], arguments.get("hash"))
    return {"view": view_json(site.state, view)}


def _trigger_id(arguments: Json) -> str:
    trigger_id = arguments.get("trigger_id") or arguments.get("interactivity_pointer")
    if not trigger_id:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: trigger_id"])
    return str(trigger_id)
