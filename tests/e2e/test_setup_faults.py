"""What is wrong with a set-up is said in one clear line, with what to do, and an exit code; never a traceback."""

import os
import socket
import tempfile
from pathlib import Path

from company import PASSWORD
from world import Process, binary, free_port, http, until

MENU = "What would you like to know?"


def complaint(bridge, code: int) -> str:
    """The last line that a bridge says before it ends with this code."""
    bridge.launch()
    assert bridge.process.wait(60) == code, bridge.process.log
    lines = [line for line in bridge.process.log.splitlines() if "ERROR" in line]
    assert len(lines) == 1, bridge.process.log
    return lines[0]


def test_a_wrong_password(make_bridge, company):
    """Names the login, not the password."""
    line = complaint(make_bridge(password="wrong-password"), 69)
    assert "password" in line and "chatbridge" in line and "wrong-password" not in line


def test_another_user_than_the_bridges(make_bridge, company):
    """The administrator is not the bridge."""
    line = complaint(make_bridge(password="admin", CHATBRIDGE_ODOO_LOGIN="admin"), 69)
    assert "Bridge" in line


def test_a_database_that_is_not_there(make_bridge, company):
    """Says that there is no such database."""
    line = complaint(make_bridge(CHATBRIDGE_ODOO_DATABASE="nowhere"), 69)
    assert "nowhere" in line


def test_a_database_without_the_addon(series, installation, make_bridge, company, sandbox):
    """Says which addon to install."""
    from lab_odoo import OdooServer

    database = installation.clone(installation.base())
    with OdooServer(installation, database) as bare:
        line = complaint(make_bridge(odoo_url=bare.url, CHATBRIDGE_ODOO_DATABASE=database, CHATBRIDGE_ODOO_LOGIN="admin", password="admin"), 69)
    installation.drop(database)
    assert "addon" in line and "chatbridge" in line


def test_an_addon_of_another_protocol(series, installation, addons, make_bridge, tmp_path, sandbox):
    """An addon that speaks another protocol: the line says which side to update."""
    import shutil

    from lab_odoo import OdooServer

    from company import Company

    other = tmp_path / "addons"
    shutil.copytree(addons, other)
    changed = 0
    for file in other.rglob("*.py"):
        text = file.read_text()
        if "PROTOCOL = 2" in text:
            file.write_text(text.replace("PROTOCOL = 2", "PROTOCOL = 3"))
            changed += 1
    assert changed == 1
    database = installation.clone(installation.template([addons], "chatbridge"))
    with OdooServer(installation, database, [other]) as newer:
        Company(newer)
        line = complaint(make_bridge(odoo_url=newer.url, CHATBRIDGE_ODOO_DATABASE=database), 69)
    installation.drop(database)
    assert "protocol" in line.lower() and "update" in line.lower()


def test_a_server_that_is_not_odoo(make_bridge, sandbox, company):
    """The address of something else."""
    line = complaint(make_bridge(odoo_url=sandbox.url), 69)
    assert "Odoo" in line and "CHATBRIDGE_ODOO_URL" in line


def test_a_port_in_use(make_bridge, company):
    """Names the port and the setting."""
    bridge = make_bridge()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", bridge.port))
        taken.listen()
        line = complaint(bridge, 69)
    assert str(bridge.port) in line and "CHATBRIDGE_LISTEN" in line


def test_a_data_folder_that_cannot_be_written(make_bridge, company):
    """A read-only place: /proc is one for everybody."""
    line = complaint(make_bridge(folder="/proc/chatbridge"), 69)
    assert "/proc/chatbridge" in line


def test_a_data_folder_in_use(bridge, make_bridge):
    """Two bridges on one folder."""
    line = complaint(make_bridge(folder=bridge.folder), 69)
    assert str(bridge.folder) in line


def test_all_faults_of_the_settings_at_once():
    """Exit code 64, one line each."""
    process = Process("bridge", [binary(), "run", "--listen", "nonsense"], {"CHATBRIDGE_LOG_FORMAT": "text", "NO_COLOR": "1"})
    assert process.wait() == 64
    lines = [line for line in process.log.splitlines() if "ERROR" in line]
    assert len(lines) == 3, process.log


def test_odoo_comes_later(make_bridge, company, sandbox):
    """An Odoo that can't be reached yet is waited for, and said so."""
    bridge = make_bridge(odoo_url=f"http://127.0.0.1:{free_port()}").launch()
    until(lambda: "Odoo cannot be reached" in bridge.process.log, "the log says so")
    assert bridge.process.alive()
    assert bridge.stop() == 0


def test_a_restored_database_is_not_written_to(series, installation, addons, make_bridge, sandbox, tmp_path):
    """SET-5: a database from a backup: nothing is sent until an administrator confirms, then it goes on."""
    from lab_odoo import OdooServer

    from company import Company

    original = installation.clone(installation.template([addons], "chatbridge"))
    server = OdooServer(installation, original, [addons]).start()
    company = Company(server)
    shop = company.make_shop(300_000 + int(series))
    sandbox.add_bot(shop.token, shop.username)
    bridge = make_bridge(odoo_url=server.url, folder=tmp_path, CHATBRIDGE_ODOO_DATABASE=original).start()
    server.stop()
    backup = installation.clone(original)
    server.start()
    early = sandbox.customer(shop.username, 6_000_001, "Anna", last_name="Koval")
    early.say("/start")
    early.hears("Welcome, Anna Koval!", MENU)
    # Else the bridge would take it along to the backup.
    company.has_messages(shop, early.user, ("customer", "/start"), ("bot", "Welcome, Anna Koval!"), ("bot", MENU))
    for _ in range(2):
        # Each connection gives the bridge a new token of the database; the backup does not know the last ones.
        bridge.kill()
        bridge.start()
    bridge.kill()
    server.close()
    restored = OdooServer(installation, backup, [addons]).start()
    bridge.environment.update(CHATBRIDGE_ODOO_URL=restored.url, CHATBRIDGE_ODOO_DATABASE=backup)
    bridge.launch()
    until(lambda: bridge.state()[0] == 503 and "confirm" in bridge.state()[1], "the bridge waits for an administrator")
    restored.stop()
    early.press("Prices")
    until(lambda: "Odoo cannot be reached" in bridge.state()[1], "Odoo is away, too")
    assert bridge.state()[0] == 503
    restored.start()
    until(lambda: "confirm" in bridge.state()[1], "an outage of Odoo does not lift the waiting")
    assert bridge.metric("updates_total") == 0
    company = Company(restored)
    status = company.read("chatbridge.bridge.status", [], ["connection", "waiting_reason"])[0]
    assert status["connection"] == "confirm" and status["waiting_reason"]
    assert early.heard()[-1] == MENU
    company.call("chatbridge.bridge.status", "action_confirm", [status["id"]])
    # The backup knows nothing of this conversation: the talk goes on where it was, in a new one.
    early.hears(MENU, "Everything costs 5 €.")
    company.has_messages(shop, early.user, ("customer", "Prices"), ("bot", "Everything costs 5 €."))
    bridge.kill()
    restored.close()
    for database in (original, backup):
        installation.drop(database)


def test_the_passwords_place(make_bridge, company, tmp_path):
    """A file holds the password as well as the environment."""
    file = Path(tmp_path) / "password"
    file.write_text(PASSWORD + "\n")
    os.chmod(file, 0o600)
    bridge = make_bridge(CHATBRIDGE_ODOO_PASSWORD_FILE=str(file))
    del bridge.environment["CHATBRIDGE_ODOO_PASSWORD"]
    bridge.folder = tempfile.mkdtemp()
    company.accept(bridge)
    assert bridge.stop() == 0


# `chatbridge check` says the same before a bridge is started, and more; it changes nothing.


def check(bridge, **more) -> tuple:
    """Run a check with a bridge's settings; its exit code and what is wrong."""
    process = Process("check", [binary(), "check"], {**bridge.environment, "CHATBRIDGE_LOG": "off", **more})
    code = process.wait()
    lines = process.log.splitlines()
    assert lines and all(line[:2] in ("✓ ", "✗ ") for line in lines), process.log
    return code, [line for line in lines if line.startswith("✗")]


def only_fault(bridge, **more) -> str:
    """The one thing that a check finds wrong."""
    code, faults = check(bridge, **more)
    assert (code, len(faults)) == (1, 1), faults
    return faults[0]


def test_check_finds_a_running_bridge_right(bridge, company, shop):
    """SET-6: with its channel; and a chat whose token is wrong."""
    company.live()
    assert check(bridge) == (0, [])
    company.write("chatbridge.channel", shop.channel, token=shop.token + "X")
    until(lambda: company.read("chatbridge.channel", [("id", "=", shop.channel), ("state", "=", "refused")], ["id"]), "Odoo knows")
    code, faults = check(bridge)
    # Telegram's word, and what the bridge has told Odoo.
    assert code == 1 and len(faults) == 2 and all("BotFather" in fault for fault in faults), faults
    company.write("chatbridge.channel", shop.channel, token=shop.token)
    until(lambda: company.read("chatbridge.channel", [("id", "=", shop.channel), ("state", "=", "polling")], ["id"]), "it is right again")
    assert check(bridge) == (0, [])


def test_check_of_each_mistake(make_bridge, company, shop, sandbox):
    """Each in one line that says what to do."""
    bridge = company.accept(make_bridge())
    bridge.stop()
    silent = "No bridge has been heard of"
    for more, words in (
        ({"CHATBRIDGE_ODOO_PASSWORD": "wrong-password"}, "wrong password"),
        ({"CHATBRIDGE_ODOO_LOGIN": "admin", "CHATBRIDGE_ODOO_PASSWORD": "admin"}, "group Chatbot / Bridge"),
        ({"CHATBRIDGE_ODOO_DATABASE": "nowhere"}, "nowhere"),
        ({"CHATBRIDGE_ODOO_URL": sandbox.url}, "CHATBRIDGE_ODOO_URL"),
        ({"CHATBRIDGE_ODOO_URL": f"http://127.0.0.1:{free_port()}"}, "CHATBRIDGE_ODOO_URL"),
    ):
        fault = only_fault(bridge, **more)
        assert words in fault, fault
    for more, words in (
        ({"CHATBRIDGE_TELEGRAM_URL": f"http://127.0.0.1:{free_port()}"}, "Telegram can't be reached"),
        ({"CHATBRIDGE_DATA": "/proc/chatbridge"}, "/proc"),
    ):
        faults = [fault for fault in check(bridge, **more)[1] if silent not in fault]
        assert len([fault for fault in faults if words in fault]) == 1, faults


def test_check_of_a_new_data_folder(make_bridge, company, bridge, tmp_path):
    """A store that the database does not know: what an administrator will have to do; and nothing is registered by asking."""
    bridge.stop()
    before = company.read("chatbridge.bridge.status", [], ["waiting_store_id", "store_id"])
    # The lease of the bridge that has just stopped runs out within half a minute.
    until(lambda: any("Confirm" in fault for fault in check(bridge, CHATBRIDGE_DATA=str(tmp_path / "new"))[1]), "the check says it")
    assert company.read("chatbridge.bridge.status", [], ["waiting_store_id", "store_id"]) == before
    assert not (tmp_path / "new").exists()


def test_check_of_a_webhook_that_is_not_configured(make_bridge, company, shop, sandbox):
    """SET-4: somebody else has set one; whose it is is said without its secret path."""
    bridge = company.accept(make_bridge())
    company.live()
    bridge.stop()
    http("POST", f"{sandbox.url}/bot{shop.token}/setWebhook", {"url": "https://elsewhere.example/secret-path"})
    faults = [fault for fault in check(bridge)[1] if shop.username in fault]
    assert len(faults) == 1 and "https://elsewhere.example" in faults[0] and "secret-path" not in faults[0], faults
    http("POST", f"{sandbox.url}/bot{shop.token}/deleteWebhook", {})


def test_check_without_the_addon(installation, make_bridge, sandbox):
    """Says which addon to install."""
    from lab_odoo import OdooServer

    database = installation.clone(installation.base())
    with OdooServer(installation, database) as bare:
        bridge = make_bridge(odoo_url=bare.url, CHATBRIDGE_ODOO_DATABASE=database, CHATBRIDGE_ODOO_LOGIN="admin", password="admin")
        fault = only_fault(bridge)
    installation.drop(database)
    assert "install the addon chatbridge" in fault
