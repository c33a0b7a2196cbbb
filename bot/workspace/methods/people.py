"""users.*, usergroups.*, bots.info, team.info, auth.test: who is here."""

from __future__ import annotations

from bot.workspace.errors import SlackError
from bot.workspace.methods.paging import page
from bot.workspace.methods.places import somebody
from bot.workspace.objects import user_json
from bot.workspace.records import Json
from bot.workspace.site import Site


def auth_test(site: Site, _: Json) -> Json:
    """Serve auth.test."""
    state = site.state
    return {
        "url": f"{state.origin}/",
        "team": state.team_name,
        "user": state.users[state.bot_user_id].handle,
        "team_id": state.team_id,
        "user_id": state.bot_user_id,
        "bot_id": state.bot_id,
        "is_enterprise_install": False,
    }


def user_info(site: Site, arguments: Json) -> Json:
    """Serve users.info."""
    user = somebody(site, arguments["user"])
    with_locale = bool(arguments.get("include_locale"))
    return {"user": user_json(site.state, user, with_locale=with_locale)}


def user_list(site: Site, arguments: Json) -> Json:
    """Serve users.list."""
    found, more = page(list(site.state.users.values()), arguments)
    members = [user_json(site.state, user) for user in found]
    return {"members": members, "cache_ts": int(site.timing.clock()), **more}


def usergroup_list(site: Site, arguments: Json) -> Json:
    """Serve usergroups.list."""
    groups = []
    for group in site.state.usergroups.values():
        shown = {key: value for key, value in group.items() if key != "users"}
        if arguments.get("include_users"):
            shown["users"] = group["users"]
        if arguments.get("include_count"):
            shown["user_count"] = len(group["users"])
        groups.append(shown)
    return {"usergroups": groups}


def usergroup_users(site: Site, arguments: Json) -> Json:
    """Serve usergroups.users.list."""
    group = site.state.usergroups.get(arguments["usergroup"])
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": group["users"]}


def bot_info(site: Site, arguments: Json) -> Json:
    """Serve bots.info."""
    state = site.state
    if arguments.get("bot", state.bot_id) != state.bot_id:
        raise SlackError("bot_not_found")
    return {
        "bot": {
            "id": state.bot_id,
            "deleted": False,
            "name": state.users[state.bot_user_id].name,
            "updated": 0,
            "app_id": state.app_id,
            "user_id": state.bot_user_id,
            "icons": {},
        }
    }


def team_info(site: Site, arguments: Json) -> Json:
    """Serve team.info."""
    state = site.state
    if arguments.get("team", state.team_id) != state.team_id:
        raise SlackError("team_not_found")
    return {
        "team": {
            "id": state.team_id,
            "name": state.team_name,
            "domain": state.team_name.lower(),
            "url": f"{state.origin}/",
            "email_domain": "",
            "icon": {"image_default": True},
        }
    }
