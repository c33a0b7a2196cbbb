"""assistant.threads.* and agents.sessions.*: what the app says about its own work."""

from __future__ import annotations

from bot.workspace.errors import SlackError
from bot.workspace.methods.places import joined, root_of, somebody
from bot.workspace.records import AssistantStatus, Json, Prompts, Session
from bot.workspace.site import Site

#: What Slack allows at most.
LOADING_MESSAGES = 10
PROMPTS = 4
TITLE = 200


def set_status(site: Site, arguments: Json) -> Json:
    """Serve assistant.threads.setStatus. An empty status clears the line."""
    channel = joined(site, arguments["channel_id"])
    root = root_of(site, channel, arguments["thread_ts"])
    loading = arguments.get("loading_messages", [])
    if len(loading) > LOADING_MESSAGES:
        raise SlackError("invalid_arguments", ["[ERROR] loading_messages: at most 10"])
    key = f"{channel.id}:{root}"
    if arguments["status"]:
        site.state.statuses[key] = AssistantStatus(
            channel.id, str(root), arguments["status"], loading, site.timing.clock()
        )
    else:
        site.state.statuses.pop(key, None)
    site.touch()
    return {}


def set_suggested_prompts(site: Site, arguments: Json) -> Json:
    """Serve assistant.threads.setSuggestedPrompts, in a direct message."""
    channel = joined(site, arguments["channel_id"])
    if channel.kind != "im":
        raise SlackError("channel_type_not_supported")
    prompts = arguments["prompts"]
    if not 1 <= len(prompts) <= PROMPTS:
        raise SlackError("invalid_arguments", ["[ERROR] prompts: between 1 and 4"])
    title = arguments.get("title", "")
    site.state.prompts[channel.id] = Prompts(channel.id, title, prompts)
    site.touch()
    return {}


def set_title(site: Site, arguments: Json) -> Json:
    """Serve assistant.threads.setTitle."""
    channel = joined(site, arguments["channel_id"])
    root = root_of(site, channel, arguments["thread_ts"])
    _session(site, channel.id, str(root)).title = arguments["title"]
    site.touch()
    return {}


def set_session(site: Site, arguments: Json) -> Json:
    """Serve agents.sessions.setStatus."""
    channel = joined(site, arguments["channel_id"])
    root = root_of(site, channel, arguments.get("thread_ts"))
    if root is None:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: thread_ts"])
    if len(arguments.get("title", "")) > TITLE:
        raise SlackError("invalid_arguments", ["[ERROR] title: at most 200 characters"])
    if "initiator_user_id" in arguments:
        somebody(site, arguments["initiator_user_id"])
    session = set_session_status(site, channel.id, root, arguments["status"], arguments)
    return {"agent_status": session.status, "status": session.status, "title": session.title}


def rename_session(site: Site, arguments: Json) -> Json:
    """Serve agents.sessions.rename."""
    channel = joined(site, arguments["channel_id"])
    root = root_of(site, channel, arguments.get("thread_ts"))
    session = site.state.sessions.get(f"{channel.id}:{root}")
    if session is None:
        raise SlackError("session_not_found")
    session.title = arguments["title"][:TITLE]
    site.touch()
    return {"title": session.title}


def set_session_status(
    site: Site, channel: str, root: str, status: str, arguments: Json
) -> Session:
    """Set an agent session's status, and make the session if there is none."""
    if status not in ("active", "processing", "suspended", "closed"):
        raise SlackError("invalid_arguments", [f"[ERROR] session status: {status}"])
    is_new = f"{channel}:{root}" not in site.state.sessions
    session = _session(site, channel, root)
    session.status = status
    if is_new:
        session.title = arguments.get("title", "")
        session.initiator = arguments.get("initiator_user_id")
    site.touch()
    return session


def _session(site: Site, channel: str, root: str) -> Session:
    return site.state.sessions.setdefault(f"{channel}:{root}", Session(channel, root))
