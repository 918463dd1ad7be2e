"""`make demo`: the whole product for a person. Real Odoo with a ready bot, the bridge, and a chat page; no token, no internet.

Runs until Ctrl-C, then ends everything that it started and drops its database.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
sys.path[:0] = [str(HERE.parent / "lab"), str(HERE.parent / "e2e")]

from company import PASSWORD, Company  # noqa: E402
from lab_odoo import Installation, LabError, OdooServer  # noqa: E402
from world import Bridge, Sandbox  # noqa: E402

TOKEN, USERNAME = "700001:demo-token-that-only-the-sandbox-knows", "demo_shop_bot"


def say(text: str = "") -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)


def port(wanted: int) -> int:
    """The usual port if nobody has it, else any."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def furnish(company: Company) -> None:
    """Give the ready-made client chat a small flow, as an admin would."""
    bot = company.read("chatbridge.bot", [("kind", "=", "client")], ["id"])[0]["id"]
    company.write("chatbridge.bot", bot, not_started_message="Press /start to talk.")
    start = company.read("chatbridge.step", [("bot_id", "=", bot)], ["id"])[0]["id"]

    def step(kind, text, **more):
        return company.create("chatbridge.step", bot_id=bot, kind=kind, text=text, **more)

    menu = step("buttons", "<p>What would you like to know?</p>")
    prices = step("text", "<p>A small one costs <b>5 €</b>, a large one <b>9 €</b>.</p>", next_step_id=menu)
    hours = step("text", "<p>We are open from <b>9 to 18</b>, Monday to Saturday.</p>", next_step_id=menu)
    where = step("buttons", "<p>Khreshchatyk 1, Kyiv</p>")
    company.write("chatbridge.step", start, text="<p>Hello, <b>{{ partner.name }}</b>! 👋</p><p>This is the demo shop.</p>", next_step_id=menu)
    desk = company.read("chatbridge.bot", [("kind", "=", "operator")], ["id"])[0]["id"]
    company.call("chatbridge.bot", "action_join", [desk])
    person = step("operator", "<p>One moment, we are looking for somebody who can help.</p>", operator_bot_id=desk, next_step_id=menu)
    for name, target in (("Prices", prices), ("Opening hours", hours), ("Where are you?", where), ("Talk to a person", person)):
        company.create("chatbridge.step.answer", step_id=menu, name=name, next_step_id=target)
    company.create("chatbridge.step.inline.button", step_id=where, name="Show on the map", url="https://www.openstreetmap.org/#map=17/50.4475/30.5225")
    company.create("chatbridge.step.inline.button", step_id=where, name="Back", next_step_id=menu, row=2)
    telegram = company.read("chatbridge.messenger", [("code", "=", "telegram")], ["id"])[0]["id"]
    company.create("chatbridge.channel", name="Demo shop", bot_id=bot, messenger_id=telegram, token=TOKEN)


def build(series: str, out: Path) -> Path:
    """Write the addons for the series."""
    subprocess.run([sys.executable, str(REPOSITORY / "odoo_addon" / "build.py"), f"{series}.0", str(out)], check=True, stdout=subprocess.DEVNULL)
    return out


def run(series: str) -> None:
    """Bring everything up, tell where it is, wait for Ctrl-C."""
    say(f"Bringing up Odoo {series} (the first time some minutes, later seconds) …")
    folder = Path(tempfile.mkdtemp(prefix="chatbridge-demo-"))
    addons = build(series, folder / "addons")
    there = Installation(series)
    database = there.clone(there.template([addons], "chatbridge"))
    sandbox = bridge = None
    try:
        with OdooServer(there, database, [addons], port=port(8069), max_cron_threads=1) as odoo:
            company = Company(odoo)
            furnish(company)
            sandbox = Sandbox(port(8081))
            sandbox.add_bot(TOKEN, USERNAME, "Demo shop")
            bridge = Bridge(odoo.url, sandbox, folder / "data", database, PASSWORD).start()
            welcome(odoo, sandbox, bridge)
            while odoo.is_running() and sandbox.alive() and bridge.process.alive():
                time.sleep(0.3)
            raise LabError("something ended by itself; see the logs named above")
    finally:
        for process in (bridge and bridge.process, sandbox):
            if process:
                process.stop()
        there.drop(database)
        shutil.rmtree(folder, ignore_errors=True)


def welcome(odoo, sandbox, bridge) -> None:
    """Say where everything is."""
    say()
    say("Everything runs. Talk to the bot, then look at it in Odoo:")
    say()
    say(f"  the chat page   {sandbox.url}/")
    say(f"  Odoo            {odoo.url}/web    login admin, password admin, app «Chatbot»")
    say(f"  the bridge      {bridge.url}/readyz  ·  {bridge.url}/metrics")
    say()
    say(f"  logs            {odoo.log}")
    say(f"                  {bridge.process.log_file}")
    say()
    say("Be the operator, too: stay logged in to Odoo, press «Talk to a person» on the chat page, and answer in the window that pops up.")
    say("Change a step's text in Odoo (Chatbot, Bots, Client Chat) and say /start again: it is live. Ctrl-C ends everything.")


def main() -> int:
    """The exit code."""
    # Who starts this in the background of a script hands Ctrl-C down ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    series = os.environ.get("SERIES", "19").split()[-1]
    try:
        run(series)
    except KeyboardInterrupt:
        say("\nEnding everything …")
        return 0
    except (LabError, AssertionError, OSError) as problem:
        say(f"demo: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
