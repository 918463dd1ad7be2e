"""A database in which an operator has many consultations: a few that run, and thousands that have ended.

The first of each kind are made by the addon; the thousands are copies of an ended one, row by row, for making them would take an hour.
"""

from lab_odoo.run import Run

#: What the addon makes, run in Odoo's shell: `{running}` consultations that run, and one that was read and ended.
MADE = """
from odoo import fields
from odoo.addons.chatbridge import compat
from odoo.addons.chatbridge.rpc import ulid
desk, bot = env.ref("chatbridge.bot_operator"), env.ref("chatbridge.bot_client")
telegram = env.ref("chatbridge.messenger_telegram")
user = env["res.users"].with_context(no_reset_password=True).create({{
    "login": "{login}", "name": "{login}", "password": "{login}", "email": "{login}@example.com",
    compat.GROUPS_FIELD: [(6, 0, env.ref("chatbridge.group_operator").ids)]}})
operator = env["chatbridge.operator"].create({{"bot_id": desk.id, "user_id": user.id}})
chat = env["chatbridge.channel"].search([("bot_id", "=", bot.id)], limit=1) or env["chatbridge.channel"].create(
    {{"name": "Shop", "bot_id": bot.id, "messenger_id": telegram.id, "token": "900001:AAtoken000000000000000000000000000000"}})
def consult(number):
    name = "{login} %d" % number
    partner = env["res.partner"].create({{"name": "Telegram:" + name}})
    sender = env["chatbridge.sender"].create({{"name": name, "user_ref": ulid.draw(), "messenger_id": telegram.id,
        "partner_id": partner.id, "person_id": partner.id}})
    conversation = env["chatbridge.conversation"].create({{"key": ulid.draw(), "channel_id": chat.id, "bot_id": bot.id,
        "sender_id": sender.id, "chat_ref": ulid.draw()}})
    consultation = env["chatbridge.consultation"].create({{"key": ulid.draw(), "conversation_id": conversation.id,
        "bot_id": desk.id, "operator_id": operator.id, "user_id": user.id, "state": "assigned",
        "requested_at": fields.Datetime.now(), "assigned_at": fields.Datetime.now()}})
    lines = lambda first, last: [env["chatbridge.message"].create({{"conversation_id": conversation.id, "sequence": sequence,
        "author": "customer", "kind": "text", "body": "Line %d" % sequence, "at": fields.Datetime.now()}})
        for sequence in range(first, last)]
    lines(1, 4)
    consultation._discuss_open()
    lines(4, 7)
    consultation._discuss_relay()
    return consultation
for number in range({running}):
    consult(number)
over = consult({running})
over.write({{"state": "ended", "ended_reason": "operator", "ended_at": fields.Datetime.now()}})
over.conversation_id.state = "ended"
over._discuss_close("operator")
print("ENDED", over.id)
env.cr.commit()
"""

VACUUM = """
env["chatbridge.consultation"]._gc_discuss_members()
env.cr.commit()
"""


class Crowd:
    """What is in a database's Discuss."""

    def __init__(self, installation, database: str, addons: list):
        self.installation, self.database, self.addons = installation, database, addons

    def add_operator(self, login: str, running: int, ended: int, old: int):
        """Make an operator (password as the login) with running consultations and ended ones, `old` of these eight days ago."""
        output = self._shell(MADE.format(login=login, running=running))
        over = int(output.rsplit("ENDED ", 1)[1].split()[0])
        if ended > 1:
            self._copy(over, ended - 1)
        mine = "(SELECT id FROM res_users WHERE login = '%s')" % login
        self._sql(
            f"UPDATE chatbridge_consultation SET ended_at = now() - interval '8 days' WHERE id IN "
            f"(SELECT id FROM chatbridge_consultation WHERE user_id = {mine} AND state = 'ended' ORDER BY id LIMIT {old})"
        )
        self._sql("ANALYZE")

    def vacuum(self):
        """Have the addon tidy up, as it does each night."""
        self._shell(VACUUM)

    def _copy(self, over: int, count: int):
        """Copy an ended consultation with all its rows, its channel with its members and messages."""
        modern = bool(self._sql("SELECT to_regclass('discuss_channel')")[0][0])
        channels, members = ("discuss_channel", "discuss_channel_member") if modern else ("mail_channel", "mail_channel_partner")
        conversation, channel = self._sql(f"SELECT conversation_id, discuss_channel_id FROM chatbridge_consultation WHERE id = {over}")[0]
        start = {table: int(self._sql(f"SELECT max(id) FROM {table}")[0][0]) for table in (channels, "chatbridge_conversation")}
        new_channel, new_conversation = (f"{start[table]} + n" for table in (channels, "chatbridge_conversation"))
        key = "substr(md5(random()::text), 1, 26)"
        many = f"generate_series(1, {count}) n"
        self._insert(channels, f"t.id = {channel}", many, id=new_channel, uuid=key)
        self._insert(members, f"t.channel_id = {channel}", many, channel_id=new_channel)
        self._insert("chatbridge_conversation", f"t.id = {conversation}", many, id=new_conversation, key=key, chat_ref=key)
        self._insert("chatbridge_message", f"t.conversation_id = {conversation}", many, conversation_id=new_conversation)
        changed = dict(conversation_id=new_conversation, discuss_channel_id=new_channel, key=key)
        self._insert("chatbridge_consultation", f"t.id = {over}", many, **changed)
        posted = f"t.res_id = {channel} AND t.model = '{channels.replace('_', '.')}'"
        if modern:
            self._insert("mail_message", posted, many, res_id=new_channel)
            return
        self._insert("mail_message", posted, many, res_id=new_channel)
        self._sql(
            "INSERT INTO mail_message_mail_channel_rel (mail_message_id, mail_channel_id) SELECT id, res_id FROM mail_message"
            f" WHERE model = 'mail.channel' AND res_id > {start[channels]}"
        )

    def _insert(self, table: str, which: str, many: str, **changed):
        """Insert copies of rows with some columns changed; ids go on by themselves where none is given."""
        rows = self._sql(f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' AND is_generated = 'NEVER'")
        names = [row[0] for row in rows if row[0] != "id" or "id" in changed]
        values = ", ".join(changed.get(name, f't."{name}"') for name in names)
        columns = ", ".join(f'"{name}"' for name in names)
        self._sql(f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} t, {many} WHERE {which}")
        if "id" in changed:
            self._sql(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")

    def _sql(self, query: str) -> list:
        return self.installation.postgres.sql(query, self.database)

    def _shell(self, code: str) -> str:
        """Run code in Odoo's shell; return what it printed."""
        run = Run(self.installation.chroot, self.installation.postgres, self.database, self.addons)
        try:
            if run.execute("shell", "--no-http", "--log-level=warn", script=f"exec({code!r})\n") or "Traceback" in run.log.read_text():
                raise RuntimeError(run.log.read_text()[-3000:])
            return run.log.read_text()
        finally:
            run.remove()
