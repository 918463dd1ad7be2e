"""A consultation desk: an operator chat, its operators, and what they see and do in Odoo."""

import re

from company import plain
from lab_odoo.rpc import Client
from world import until

PASSWORD = "operator-password"


class Desk:
    """An operator chat of a company, and a client chat that leads to it."""

    def __init__(self, company, number: int, most: int = 0, **settings):
        self.company, self.number = company, number
        self.bot = company.create("chatbridge.bot", name=f"Desk {number}", kind="operator", most_parallel_chats=most, **settings)
        self.operators = []

    def open_shop(self, wait: bool = True, **settings):
        """A client chat whose menu leads to this desk: Menu [Prices] [Operator]; afterwards «What else?»."""
        shop = self.company.make_shop(self.number)
        step = lambda kind, text, **more: self.company.create("chatbridge.step", bot_id=shop.bot, kind=kind, text=text, **more)  # noqa: E731
        after = step("text", "<p>What else can we do?</p>")
        otherwise = False if wait else step("text", "<p>Leave us a note.</p>")
        to_operator = step(
            "operator", "<p>We are looking for somebody.</p>", operator_bot_id=self.bot, no_operator_step_id=otherwise, next_step_id=after
        )
        self.company.create("chatbridge.step.answer", step_id=shop.steps["menu"], name="Operator", next_step_id=to_operator)
        if settings:
            self.company.write("chatbridge.channel", shop.channel, **settings)
        shop.steps.update(operator=to_operator, after=after)
        return shop

    def hire(self, name: str, joins: bool = True) -> "Operator":
        """A new Odoo user, an operator of this desk, present in Odoo."""
        operator = Operator(self.company, f"{name.lower()}{self.number}", name)
        operator.present()
        if joins:
            operator.rpc.call("chatbridge.bot", "action_join", [self.bot])
        self.operators.append(operator)
        return operator


class Operator:
    """An internal user with the rights that everybody has, who answers customers in Discuss."""

    def __init__(self, company, login: str, name: str):
        self.company, self.login, self.name = company, login, name
        self.model = "discuss.channel" if company.odoo.installation.series.number != "14" else "mail.channel"
        self.user = company.create("res.users", name=name, login=login, password=PASSWORD)
        self.connect()

    def connect(self):
        """Log in; again after Odoo has been away."""
        self.rpc = Client(self.company.odoo.url, self.company.odoo.database, self.login, PASSWORD)

    def _sql(self, query: str):
        return self.company.odoo.installation.postgres.sql(query, self.company.odoo.database)

    def present(self, there: bool = True):
        """Sit at the screen, or be away: what a browser of theirs would have told Odoo."""
        modern = self.company.odoo.installation.series.number != "14"
        table = "mail_presence" if modern else "bus_presence"
        self._sql(f"DELETE FROM {table} WHERE user_id = {self.user}")
        if there:
            # Until this time at least, so that nobody has to be told of it again while a test runs.
            self._sql(
                f"INSERT INTO {table} (user_id, last_poll, last_presence, status)"
                f" VALUES ({self.user}, now() AT TIME ZONE 'UTC' + interval '1 hour', now() AT TIME ZONE 'UTC' + interval '1 hour', 'online')"
            )

    # What they see

    def consultations(self) -> list:
        """Their consultations, oldest first."""
        fields = ["state", "discuss_channel_id", "conversation_id", "ended_reason"]
        return self.rpc.call("chatbridge.consultation", "search_read", [("user_id", "=", self.user)], fields, order="id")

    def gets(self, customer_name: str) -> "Talk":
        """Wait until a running chat with this customer stands in Discuss."""

        def there():
            running = [c for c in self.consultations() if c["state"] == "assigned" and c["discuss_channel_id"]]
            return [c for c in running if customer_name in c["discuss_channel_id"][1]]

        return Talk(self, until(there, f"{self.name} gets the chat with {customer_name}")[-1]["discuss_channel_id"][0])

    def idle(self) -> bool:
        """Tell whether no chat of theirs runs."""
        return not [c for c in self.consultations() if c["state"] == "assigned"]


class Talk:
    """One Discuss channel as its operator sees it."""

    def __init__(self, operator: Operator, channel: int):
        self.operator, self.channel = operator, channel

    def name(self) -> str:
        """Its name."""
        return self.operator.rpc.call(self.operator.model, "read", [self.channel], ["name"])[0]["name"]

    def say(self, text: str) -> int:
        """Write, as the web client does."""
        return self.operator.rpc.call(
            self.operator.model, "message_post", [self.channel], body=text, message_type="comment", subtype_xmlid="mail.mt_comment"
        )

    def messages(self) -> list:
        """What stands there, oldest first: (author's name, words)."""
        domain = [("model", "=", self.operator.model), ("res_id", "=", self.channel), ("message_type", "!=", "notification")]
        rows = self.operator.rpc.call("mail.message", "search_read", domain, ["author_id", "body", "email_from"], order="id")
        return [(row["author_id"][1] if row["author_id"] else row["email_from"] or "", spaced(row["body"])) for row in rows]

    def words(self) -> list:
        """What stands there, without the conversation before it."""
        return [words for _author, words in self.messages()][1:]

    def before(self) -> str:
        """The conversation so far, as it was handed over."""
        return self.messages()[0][1]

    def shows(self, *texts: str):
        """Wait until exactly these words stand there, after the conversation so far."""
        wanted = list(texts)
        try:
            until(lambda: self.words() == wanted, "the words are in Discuss")
        except AssertionError:
            raise AssertionError(f"Discuss should hold\n{wanted}\nholds\n{self.messages()}") from None


def spaced(html: str) -> str:
    """HTML as words, with a space where a line ends."""
    return " ".join(plain(re.sub(r"</(p|div|li)>|<br */?>", " ", html or "")).split())
