"""Prints the figures of a release build: size, start time, and from a button's tap to the answer leaving the bridge, with Odoo attached.

`make figures` (SERIES=14 or 19). Latency is measured by the sandbox's own clock: from handing out the update until the call of sendMessage arrives.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "lab"), str(HERE)]

from company import Company  # noqa: E402
from lab_odoo import Installation, OdooServer  # noqa: E402
from world import Bridge, Sandbox, binary, until  # noqa: E402

CUSTOMERS, TAPS = 50, 20


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


def main() -> None:
    """Measure and print."""
    series = os.environ.get("SERIES", "19").split()[-1]
    print(f"release binary: {Path(binary()).stat().st_size / 1e6:.1f} MB")
    import subprocess

    addons = Path(tempfile.mkdtemp())
    subprocess.run([sys.executable, str(HERE.parent.parent / "odoo_addon" / "build.py"), f"{series}.0", str(addons)], check=True, stdout=subprocess.DEVNULL)
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


if __name__ == "__main__":
    main()
