"""The methods of the Web API that this workspace serves, by Slack's names for them."""

from __future__ import annotations

from collections.abc import Callable

from bot.workspace.methods import (
    assistant,
    chat,
    conversations,
    files,
    people,
    reactions,
    streams,
    views,
)
from bot.workspace.records import Json
from bot.workspace.site import Site

#: What serves a method: called with the lock held and checked arguments, it gives the answer
#: without `ok`, or raises SlackError.
Method = Callable[[Site, Json], Json]

METHODS: dict[str, Method] = {
    "agents.sessions.rename": assistant.rename_session,
    "agents.sessions.setStatus": assistant.set_session,
    "assistant.threads.setStatus": assistant.set_status,
    "assistant.threads.setSuggestedPrompts": assistant.set_suggested_prompts,
    "assistant.threads.setTitle": assistant.set_title,
    "auth.test": people.auth_test,
    "bots.info": people.bot_info,
    "chat.appendStream": streams.append,
    "chat.delete": chat.delete_message,
    "chat.getPermalink": chat.get_permalink,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.postMessage": chat.post_message,
    "chat.startStream": streams.start,
    "chat.stopStream": streams.stop,
    "chat.update": chat.update,
    "conversations.history": conversations.history,
    "conversations.info": conversations.info,
    "conversations.join": conversations.join,
    "conversations.list": conversations.list_all,
    "conversations.members": conversations.members,
    "conversations.open": conversations.open_direct,
    "conversations.replies": conversations.replies,
    "files.completeUploadExternal": files.complete_upload,
    "files.getUploadURLExternal": files.get_upload_url,
    "files.info": files.info,
    "reactions.add": reactions.add,
    "reactions.get": reactions.get,
    "reactions.remove": reactions.remove,
    "team.info": people.team_info,
    "usergroups.list": people.usergroup_list,
    "usergroups.users.list": people.usergroup_users,
    "users.conversations": conversations.list_of_user,
    "users.info": people.user_info,
    "users.list": people.user_list,
    "views.open": views.open_view,
    "views.publish": views.publish,
    "views.push": views.push,
    "views.update": views.update,
}
