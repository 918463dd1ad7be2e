"""Prints the figures of a release build: size, start time, and from a button's tap to the answer leaving the bridge, with Odoo attached.

`make figures` (SERIES=14 or 19). Latency is measured by the sandbox's own clock: from handing out the update until the call of sendMessage arrives.
Then: what opening Discuss costs operators with few and many consultations (`figures.py discuss` prints that alone).
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "lab"), str(HERE)]

from company import Company  # noqa: E402
from crowd import Crowd  # noqa: E402
from lab_odoo import Installation, OdooServer  # noqa: E402
from world import Bridge, Sandbox, binary, until  # noqa: E402

CUSTOMERS, TAPS = 50, 20
#: Consultations that an operator has behind them, and how many of them ended today: of those people are still members.
BEHIND, TODAY = 10_000, 60
#: What the web client asks when it is loaded and Discuss is opened.
OPENING = {
    "14": [("/mail/init_messaging", {})],
    "19": [
        ("/mail/data", {"fetch_params": ["failures", "systray_get_activities", "init_messaging"]}),
        ("/mail/data", {"fetch_params": ["channels_as_member"]}),
    ],
}


def build(series: str) -> Path:
    """Build the addons for a series."""
    addons = Path(tempfile.mkdtemp())
    subprocess.run([sys.executable, str(HERE.parent.parent / "odoo_addon" / "build.py"), f"{series}.0", str(addons)], check=True, stdout=subprocess.DEVNULL)
    return addons


def percentile(values: list, share: float) -> float:
    """The value below which this share lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def tap_latencies(sandbox, shop, customers) -> list:
    """Milliseconds of each tap, one at a time over all chats."""
    taken, seen = [], 0
    calls = lambda wait: sandbox.get("calls", bot=shop.username, method="sendMessage", after=seen, wait=wait)  # noqa: E731
    for turn in range(TAPS):
        for customer in customers:
            seen = calls(0)["seq"]
            # Taps of the keyboard and a command in turn: the command brings the keyboard back.
            act = customer.press("Prices") if turn % 2 else customer.say("/start")
            answer = until(lambda: [call for call in calls(5)["calls"] if call["at_us"] >= act["at_us"]], "an answer")[0]  # noqa: B023
            taken.append((answer["at_us"] - act["at_us"]) / 1000)
            until(lambda: bool(customer.screen()["keyboard"]) != bool(turn % 2), "the whole answer")  # noqa: B023
    return taken


def opening(odoo, login: str) -> float:
    """Milliseconds of what the web client asks when an operator opens Discuss: the least of thirty, for whatever else runs on the machine adds to the others."""
    client = odoo.rpc(login, login)
    taken = []
    for _turn in range(31):
        begin = time.monotonic()
        for path, parameters in OPENING[odoo.installation.series.number]:
            client.post(path, parameters)
        taken.append((time.monotonic() - begin) * 1000)
    return min(taken[1:])


def discuss(there, addons: list) -> None:
    """Print what opening Discuss costs, with nothing behind the operator and with thousands of ended consultations."""
    database = there.clone(there.template(addons, "chatbridge"))
    try:
        crowd = Crowd(there, database, addons)
        crowd.add_operator("ten", running=10, ended=1, old=0)
        crowd.add_operator("twenty", running=20, ended=1, old=0)
        with OdooServer(there, database, addons) as odoo:
            print(f"Odoo {there.series.number}, opening Discuss, nothing behind: 10 running {opening(odoo, 'ten'):.0f} ms, 20 running {opening(odoo, 'twenty'):.0f} ms")
            old = BEHIND - TODAY
            crowd.add_operator("busy_ten", running=10, ended=BEHIND, old=old)
            crowd.add_operator("busy_twenty", running=20, ended=BEHIND, old=old)
            crowd.vacuum()
            print(f"  {BEHIND} ended behind each of two others ({TODAY} today), tidied up: 10 running {opening(odoo, 'busy_ten'):.0f} ms, 20 running {opening(odoo, 'busy_twenty'):.0f} ms")
            print(f"  the first two beside them: {opening(odoo, 'ten'):.0f} ms, {opening(odoo, 'twenty'):.0f} ms")
    finally:
        there.drop(database)


def main() -> None:
    """Measure and print."""
    series = os.environ.get("SERIES", "19").split()[-1]
    if sys.argv[1:] == ["discuss"]:
        return discuss(Installation(series), [build(series)])
    print(f"release binary: {Path(binary()).stat().st_size / 1e6:.1f} MB")
    addons = build(series)
    there = Installation(series)
    database = there.clone(there.template([addons], "chatbridge"))
    try:
        with OdooServer(there, database, [addons]) as odoo:
            company, sandbox = Company(odoo), Sandbox()
            shop = company.make_shop(900_001)
            sandbox.add_bot(shop.token, shop.username)
            bridge = Bridge(odoo.url, sandbox, Path(tempfile.mkdtemp()), database, CHATBRIDGE_LOG="warn").start()
            bridge.stop()
            begin = time.monotonic()
            bridge.start()
            print(f"start until ready, with Odoo {series}: {(time.monotonic() - begin) * 1000:.0f} ms")
            customers = [sandbox.customer(shop.username, 8_000_000 + number, f"Nr{number}") for number in range(CUSTOMERS)]
            for customer in customers:
                customer.say("/start")
            for customer in customers:
                until(lambda: customer.screen()["keyboard"], "the menu")  # noqa: B023
            taken = tap_latencies(sandbox, shop, customers)
            print(
                f"tap until the answer leaves, {len(taken)} taps of {CUSTOMERS} customers, Odoo {series} attached: "
                f"p50 {statistics.median(taken):.2f} ms, p99 {percentile(taken, 0.99):.2f} ms, worst {max(taken):.1f} ms"
            )
            bridge.stop()
            sandbox.kill()
    finally:
        there.drop(database)
    discuss(there, [addons])


if __name__ == "__main__":
    main()
