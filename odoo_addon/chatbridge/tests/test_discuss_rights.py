from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import compat
from .discuss import DiscussCase


@tagged("post_install", "-at_install")
class TestDiscussRights(DiscussCase):
    """Who sees a consultation in Discuss: operators those of their own chats, and nobody by Odoo's live chat rights."""

    def setUp(self):
        super().setUp()
        self.consulted = self.opened().discuss_channel_id

    def assert_open(self, user, channel=None):
        """Somebody finds, reads and hears."""
        channel = channel or self.consulted
        self.assertIn(channel, self.found(user, channel))
        self.assertTrue(channel.with_user(user).read(["name"]))
        self.assertTrue(self.messages(channel)[0].with_user(user).read(["body"]))

    def found(self, user, channel):
        return self.env[channel._name].with_user(user).search([("id", "=", channel.id)])

    @mute_logger(
        "odoo.addons.base.models.ir_model",
        "odoo.addons.base.models.ir_rule",
        "odoo.addons.mail.models.mail_message",
        "odoo.models",
    )
    def assert_closed(self, user, channel=None):
        """Somebody neither finds nor reads nor writes, neither the channel nor what is in it nor who."""
        channel = channel or self.consulted
        self.assertFalse(self.found(user, channel))
        mine = self.env["mail.message"].with_user(user)
        self.assertFalse(mine.search([("model", "=", channel._name), ("res_id", "=", channel.id)]))
        members = self.env[compat.DISCUSS_MEMBER_MODEL].with_user(user)
        self.assertFalse(members.search([("channel_id", "=", channel.id)]))
        for work in (
            lambda: channel.with_user(user).read(["name", "uuid"]),
            lambda: self.messages(channel)[0].with_user(user).read(["body"]),
            lambda: self.write_as(user, channel, "I was here"),
            lambda: self.write_as(user, channel, "/end"),
            lambda: members.create({"channel_id": channel.id, "partner_id": user.partner_id.id}),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                work()
                self.flush()
        channel.with_user(user)._execute_command_end()
        self.assertEqual(len(self.texts(channel)), 1)
        self.assertFalse(self.ended)

    def test_operator_of_the_chat(self):
        # The lowest rights: our group, none of Odoo's live chat.
        self.assertFalse(self.julia.has_group("im_livechat.im_livechat_group_user"))
        self.assert_open(self.julia)
        self.assertTrue(self.pinned(self.consulted, self.julia))

    def test_colleague_at_the_same_chat_reads(self):
        oleh = self.internal("oleh", "chatbridge.group_operator")
        self.assert_closed(oleh)
        operator = self.join(oleh)
        self.assert_open(oleh)
        self.assertFalse(self.pinned(self.consulted, oleh))
        operator.unlink()
        self.assert_closed(oleh)

    def test_administrator_reads(self):
        self.assert_open(self.user("administrator"))

    def test_administrator_of_another_company(self):
        company = self.env["res.company"].create({"name": "Other company"})
        user = self.user("administrator")
        user.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        self.assert_closed(user)

    def test_administrator_of_another_company_presses_nothing(self):
        company = self.env["res.company"].create({"name": "Other company"})
        user = self.user("administrator")
        user.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        consultation = self.env["chatbridge.consultation"].search([("discuss_channel_id", "=", self.consulted.id)])
        for press in (consultation.with_user(user).action_end, consultation.with_user(user).action_discuss):
            with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
                press()
        self.assertFalse(self.ended)
        self.assertFalse(self.membership(self.consulted, user))

    def test_operator_of_another_chat(self):
        other = self.env["chatbridge.bot"].create({"name": "Other", "kind": "operator"})
        user = self.internal("oleh", "chatbridge.group_operator")
        self.env["chatbridge.operator"].create({"bot_id": other.id, "user_id": user.id})
        self.assert_closed(user)

    def test_odoos_live_chat_user(self):
        self.assert_closed(self.internal("web", "base.group_user,im_livechat.im_livechat_group_user"))

    def test_odoos_live_chat_administrator(self):
        self.assert_closed(self.internal("webadmin", "base.group_user,im_livechat.im_livechat_group_manager"))

    def test_settings_administrator(self):
        self.assert_closed(self.internal("system", "base.group_system"))

    def test_plain_internal_user(self):
        self.assert_closed(self.internal("plain"))

    def test_portal_user(self):
        self.assert_closed(self.internal("portal", "base.group_portal"))

    def test_visitors_of_the_website(self):
        # Whoever reads the channel's uuid reads and writes in it by Odoo's own pages of live chat.
        stranger = self.opened(customer=self.make_sender("Stranger", contact=False)).discuss_channel_id
        for user in (self.env.ref("base.public_user"), self.internal("portal", "base.group_portal")):
            for channel in (self.consulted, stranger):
                self.assert_closed(user, channel)
        self.assertNotIn(
            self.env.ref("base.public_partner"), stranger[compat.DISCUSS_MEMBERS_FIELD].mapped("partner_id")
        )

    def test_customer_who_is_a_portal_user(self):
        # They talk in the messenger: what stands in Discuss is the operator's.
        user = self.internal("portal", "base.group_portal")
        self.customer.partner_id = user.partner_id
        channel = self.opened().discuss_channel_id
        self.assertTrue(self.membership(channel, user))
        self.assertFalse(self.found(user, channel))
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            channel.with_user(user).read(["uuid"])
        members = self.env[compat.DISCUSS_MEMBER_MODEL].with_user(user)
        self.assertFalse(members.search([("channel_id", "=", channel.id)]))
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            self.write_as(user, channel, "I was here")

    def test_invited_colleague(self):
        # OP-12: whoever a member brings in sees it as a member.
        user = self.internal("plain")
        members = self.env[compat.DISCUSS_MEMBER_MODEL].with_user(self.julia)
        members.create({"channel_id": self.consulted.id, "partner_id": user.partner_id.id})
        self.assert_open(user)

    def test_other_channels_are_as_before(self):
        model = self.env[compat.DISCUSS_CHANNEL_MODEL]
        livechat = self.env["im_livechat.channel"].create({"name": "Website"})
        values = compat.livechat_values(self.julia.partner_id, "Visitor", False)
        visit = model.create(dict(values, livechat_channel_id=livechat.id))
        visit.message_post(body="Hello", message_type="comment", subtype_xmlid="mail.mt_comment")
        self.assert_open(self.internal("webadmin", "base.group_user,im_livechat.im_livechat_group_manager"), visit)
        public = model.create({"name": "everybody"})
        public.message_post(body="Hello", message_type="comment", subtype_xmlid="mail.mt_comment")
        self.assert_open(self.internal("plain"), public)
        plain = self.env["res.users"].search([("login", "=", "plain")])
        self.assertFalse(self.found(plain, visit))
