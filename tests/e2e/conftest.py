"""What the end-to-end tests stand on: both series of Odoo, each test file with a database of its own."""

import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "lab"))
sys.path.insert(0, str(HERE))

from browser import Browser  # noqa: E402
from company import Company  # noqa: E402
from lab_odoo import Installation, OdooServer  # noqa: E402
from proxy import Proxy  # noqa: E402
from world import Bridge, Sandbox  # noqa: E402

REPOSITORY = HERE.parent.parent
SERIES = os.environ.get("CHATBRIDGE_SERIES", "14 19").split()


def pytest_generate_tests(metafunc):
    """X-6: each test that touches Odoo runs on each series."""
    if "series" in metafunc.fixturenames:
        metafunc.parametrize("series", SERIES, scope="session", ids=lambda number: f"odoo{number}")


@pytest.fixture(scope="session")
def addons(series, tmp_path_factory):
    """The addons, built for the series."""
    out = tmp_path_factory.mktemp(f"addons{series}")
    subprocess.run([sys.executable, str(REPOSITORY / "odoo_addon" / "build.py"), f"{series}.0", str(out)], check=True)
    return out


@pytest.fixture(scope="session")
def installation(series):
    """The series' Odoo on this machine."""
    return Installation(series)


@pytest.fixture(scope="module")
def private_installation(series, addons):
    """The series' Odoo with a PostgreSQL of the file's own, to restart: a file names it `installation`."""
    shared = Installation(series)
    shared.template([addons], "chatbridge")
    with_own_postgres = shared.private()
    yield with_own_postgres
    with_own_postgres.postgres.stop()


@pytest.fixture(scope="session")
def sandbox():
    """Telegram's stand-in, one for all: each test has bots of its own."""
    sandbox = Sandbox()
    yield sandbox
    sandbox.kill()


@pytest.fixture(scope="module")
def odoo(series, installation, addons):
    """A fresh company database with a running Odoo."""
    database = installation.clone(installation.template([addons], "chatbridge"))
    server = OdooServer(installation, database, [addons])
    with server:
        yield server
    installation.drop(database)


@pytest.fixture(scope="module")
def company(odoo):
    """The company's Odoo as its admin works with it."""
    return Company(odoo)


_numbers = itertools.count(100_001)


@pytest.fixture
def shop(company, sandbox):
    """A client chat with the flow of `Company.make_shop` and a Telegram bot of its own."""
    number = next(_numbers)
    shop = company.make_shop(number)
    sandbox.add_bot(shop.token, shop.username)
    return shop


_users = itertools.count(5_000_001)


@pytest.fixture
def customer(shop, sandbox):
    """A new customer of the shop."""
    return sandbox.customer(shop.username, next(_users), "Anna", last_name="Koval", language_code="en")


@pytest.fixture
def make_customer(shop, sandbox):
    """Makes further customers."""
    return lambda name="Petro", **more: sandbox.customer(shop.username, next(_users), name, **more)


@pytest.fixture(scope="module")
def data_folder(odoo):
    """The data folder that belongs to the database; another one would have to be confirmed by an admin."""
    return Path(tempfile.mkdtemp(prefix="chatbridge-data-"))


@pytest.fixture
def make_bridge(odoo, sandbox, company, data_folder):
    """Makes bridges, one after another on the same data folder unless told otherwise."""
    made = []

    def make(odoo_url=None, folder=None, **more):
        bridge = Bridge(odoo_url or odoo.url, sandbox, folder or data_folder, odoo.database, **more)
        made.append(bridge)
        return bridge

    yield make
    for bridge in made:
        if bridge.process:
            bridge.kill()
    sandbox.no_faults()
    for bridge in made:
        check_log(bridge.all_logs())
    # Odoo shows tracebacks of its own in its log; secrets and customers' words it must not.
    check_log(odoo.log.read_text(errors="replace"), ())


@pytest.fixture
def bridge(make_bridge, company):
    """A bridge that works."""
    return company.accept(make_bridge())


@pytest.fixture
def proxy(odoo):
    """Between the bridge and Odoo."""
    proxy = Proxy(odoo.port)
    yield proxy
    proxy.close()


@pytest.fixture
def proxied(make_bridge, proxy, company):
    """A bridge that reaches Odoo through the proxy."""
    return company.accept(make_bridge(odoo_url=proxy.url))


@pytest.fixture(scope="module")
def browser(odoo):
    """Chromium. Odoo is killed when it ends: a stop would wait for the long polls of closed windows."""
    with Browser() as browser:
        yield browser
    odoo.kill()


def check_log(log, failures=("panicked at", "Traceback")):
    """No traceback, token, password, name or words of a customer in a log."""
    for secret in (*failures, "AAtoken", "bridge-password", "SECRETWORD", "Everything costs", "Koval", "Zoryana"):
        assert secret not in log, f"{secret!r} in the log: {log[max(0, log.find(secret) - 300):][:500]}"
