"""A company's Odoo, as its admin sees it through RPC."""

from dataclasses import dataclass

from world import until

#: The password that the tests give to the bridge's user.
PASSWORD = "bridge-password"


@dataclass
class Shop:
    """A client chat and its channel."""

    bot: int
    channel: int
    token: str
    username: str
    steps: dict


class Company:
    """What an admin does and looks at."""

    def __init__(self, odoo, activate: bool = True):
        self.odoo = odoo
        self.admin = odoo.rpc()
        user = self.call("res.users", "search", [("login", "=", "chatbridge")])
        self.call("res.users", "write", user, {"password": PASSWORD})
        if activate:
            self.activate_telegram()

    def activate_telegram(self):
        """Switch Telegram on."""
        telegram = self.call("chatbridge.messenger", "search", [("code", "=", "telegram")])
        self.call("chatbridge.messenger", "action_activate", telegram)

    def call(self, model, method, *args, **kw):
        """Call a method as the admin."""
        return self.admin.call(model, method, *args, **kw)

    def create(self, model, **values) -> int:
        """Create one record."""
        made = self.call(model, "create", values)
        return made[0] if isinstance(made, list) else made

    def write(self, model, record, **values):
        """Change one record."""
        return self.call(model, "write", [record], values)

    def read(self, model, domain, fields, order="id") -> list:
        """Search and read."""
        return self.call(model, "search_read", domain, fields, order=order)

    def accept(self, bridge):
        """Start a bridge with a new data folder; as the admin, confirm it where Odoo asks for that."""
        bridge.launch()

        def working():
            code, line = bridge.state()
            if code == 503 and "confirm" in line:
                waiting = self.read("chatbridge.bridge.status", [("waiting_store_id", "!=", False)], ["id"])
                if waiting:
                    self.call("chatbridge.bridge.status", "action_confirm", [record["id"] for record in waiting])
            return code == 200

        until(working, "the bridge works")
        return bridge

    def live(self):
        """Wait until the bridge has read and acknowledged everything that was saved."""
        count = "SELECT count(*) FROM chatbridge_event"
        until(lambda: self.odoo.installation.postgres.sql(count, self.odoo.database) == [["0"]], "the bridge has read what was saved")

    def make_shop(self, number: int) -> Shop:
        """A bot with: Welcome → What would you like? [Prices] [Hours] → answers."""
        bot = self.create("chatbridge.bot", name=f"Shop {number}", kind="client")
        step = lambda kind, text, **more: self.create("chatbridge.step", bot_id=bot, kind=kind, text=f"<p>{text}</p>", **more)  # noqa: E731
        menu = step("buttons", "What would you like to know?")
        prices = step("text", "Everything costs <b>5 €</b>.")
        hours = step("text", "9 to 18")
        start = step("text", "Welcome, {{ partner.name }}!", next_step_id=menu)
        self.create("chatbridge.step.alias", step_id=start, code="/start")
        self.create("chatbridge.step.answer", step_id=menu, name="Prices", next_step_id=prices)
        self.create("chatbridge.step.answer", step_id=menu, name="Hours", next_step_id=hours)
        self.create("chatbridge.step.inline.button", step_id=hours, name="Back", next_step_id=menu)
        token, username = f"{number}:AAtoken{number:030d}", f"shop{number}_bot"
        telegram = self.read("chatbridge.messenger", [("code", "=", "telegram")], ["id"])[0]["id"]
        channel = self.create("chatbridge.channel", name=username, bot_id=bot, messenger_id=telegram, token=token)
        return Shop(bot, channel, token, username, {"start": start, "menu": menu, "prices": prices, "hours": hours})

    def conversations(self, shop: Shop, user: int) -> list:
        """The conversations of a customer, oldest first."""
        domain = [("channel_id", "=", shop.channel), ("sender_id.user_ref", "=", str(user))]
        return self.read("chatbridge.conversation", domain, ["code", "state", "ended_reason", "step_id", "sender_id", "partner_id"])

    def messages(self, shop: Shop, user: int) -> list:
        """All lines of a customer's conversations, in order: (author, text without tags)."""
        conversations = [conversation["id"] for conversation in self.conversations(shop, user)]
        fields = ["author", "body", "sequence", "conversation_id"]
        rows = self.read("chatbridge.message", [("conversation_id", "in", conversations)], fields)
        rows.sort(key=lambda row: (row["conversation_id"][0], row["sequence"]))
        return [(row["author"], plain(row["body"])) for row in rows]

    def has_messages(self, shop: Shop, user: int, *lines) -> list:
        """Wait until exactly these lines are in Odoo, in this order."""
        wanted = list(lines)
        try:
            return until(lambda: self.messages(shop, user) == wanted, "the lines are in Odoo") and wanted
        except AssertionError:
            raise AssertionError(f"Odoo should hold\n{wanted}\nholds\n{self.messages(shop, user)}") from None


def plain(html) -> str:
    """HTML without its tags."""
    import html as library
    import re

    return library.unescape(re.sub(r"<[^>]*>", "", html or "")).strip()
