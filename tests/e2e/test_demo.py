"""`make demo`, as a person starts it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from world import Customer, Sandbox, http, until

DEMO = Path(__file__).parent.parent / "demo" / "demo.py"


@pytest.fixture
def demo(series, tmp_path):
    """The running demo: the process and what it has printed."""
    out = tmp_path / "out"
    with open(out, "wb") as sink:
        process = subprocess.Popen([sys.executable, str(DEMO)], stdout=sink, stderr=sink, env={**os.environ, "SERIES": series}, start_new_session=True)
    yield process, out
    if process.poll() is None:
        process.kill()
        process.wait()


def test_the_demo_ends_with_a_bot_to_talk_to(demo):
    """It says where the chat page and Odoo are; both are there; Ctrl-C ends everything that it started."""
    process, out = demo
    printed = lambda: out.read_text()  # noqa: E731
    until(lambda: "Everything runs" in printed() and "Ctrl-C" in printed() or process.poll() is not None, "the demo is up", 300)
    assert process.poll() is None, printed()
    chat, odoo = (re.search(f"{what} +(http\\S+)", printed())[1] for what in ("the chat page", "Odoo"))
    assert "<html" in http("GET", chat)
    assert "login" in http("GET", odoo + "/login")
    sandbox = Sandbox.__new__(Sandbox)
    sandbox.url = chat.rstrip("/")
    customer = sandbox.customer("demo_shop_bot", 42, "Olha")
    customer.say("/start")
    customer.hears("Hello, Olha! 👋\nThis is the demo shop.", "What would you like to know?")
    customer.press("Prices")
    customer.hears("A small one costs 5 €, a large one 9 €.", "What would you like to know?")
    assert isinstance(customer, Customer)
    children = descendants(process.pid)
    assert len(children) >= 3
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, printed()
    until(lambda: not [pid for pid in children if lives(pid)], "nothing is left running")


def descendants(pid: int) -> list:
    """The processes that a process has started, and theirs."""
    found = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, tasks.read_text().split()):
            found += [child, *descendants(child)]
    return found


def lives(pid: int) -> bool:
    """Tell whether a process still runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
