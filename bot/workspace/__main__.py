"""`python -m bot.workspace`: the workspace alone, without an app, to try the page."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from bot.workspace.server import WorkspaceServer
from bot.workspace.workspace import Workspace


def main() -> int:
    """Serve a workspace until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m bot.workspace", description=__doc__)
    parser.add_argument("--port", type=int, default=8765, help="where to serve the page")
    parser.add_argument("--state", type=Path, help="a file that keeps everything")
    parser.add_argument("--manifest", type=Path, help="hold the app to this manifest (JSON)")
    parser.add_argument(
        "--show-tokens", action="store_true", help="print what a Bolt app needs to connect"
    )
    options = parser.parse_args()
    workspace = Workspace(state_file=options.state)
    if options.manifest is not None:
        workspace.install(json.loads(options.manifest.read_text("utf-8")))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # ends as Ctrl-C does: saved
    server = WorkspaceServer(workspace, port=options.port)
    try:
        server.start()
    except OSError as error:
        sys.stderr.write(f"Port {options.port} cannot be had: {error.strerror}\n")
        return 1
    with server:
        sys.stdout.write(f"The workspace is open at {server.page_url} (Ctrl-C ends it)\n")
        if options.show_tokens:
            sys.stdout.write(
                f"base_url   {server.base_url}\n"
                f"bot token  {server.bot_token}\n"
                f"app token  {server.app_token}\n"
            )
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
