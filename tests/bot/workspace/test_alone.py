"""`python -m bot.workspace`: the workspace alone."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen


def test_it_serves_the_page_and_keeps_what_it_is_told_to_keep(tmp_path: Path) -> None:
    state = tmp_path / "workspace.json"
    command = [sys.executable, "-m", "bot.workspace", "--port", "0", "--state", str(state)]
    process = subprocess.Popen([*command, "--show-tokens"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address is not None
        with urlopen(address.group()) as page:
            assert "page-token" in page.read().decode()
        assert process.stdout.readline().split() == ["base_url", f"{address.group()}api/"]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        process.stdout.close()
    assert json.loads(state.read_text("utf-8"))["team_name"] == "Fjellro"
