from datetime import timedelta

from odoo import SUPERUSER_ID, _, api, fields, models, tools
from odoo.exceptions import AccessError

from .. import compat
from ..rpc.contacts import prefix
from .chatbridge_conversation import SHOWN_ON_FORM
from .discuss_channel import OURS

#: How long people stay members of an ended consultation's channel, where they have read it and where not: opening
#: Discuss costs for each membership.
READ_DAYS, UNREAD_DAYS = 1, 7
#: How much of a message is repeated where it is said that it was not delivered.
QUOTED = 80


class ChatbridgeConsultation(models.Model):
    """How a consultation stands in Discuss: one live chat channel for each (docs/discuss.md)."""

    _inherit = "chatbridge.consultation"

    def _for_discuss(self):
        """Return the consultation as nobody's: what its operator's own user posts would count as read by them.

        The language is that of the operator, who reads it.
        """
        self.ensure_one()
        service = self.with_user(SUPERUSER_ID)
        user = service.user_id
        return service.with_context(**{OURS: True, "lang": user.lang, "tz": user.tz})

    # Beginning

    def _discuss_open(self):
        """Make the channel of an assigned consultation, with the conversation so far in one message."""
        consultation = self._for_discuss()
        channel = consultation._discuss_make_channel()
        rows = consultation._discuss_rows([])
        consultation.write({"discuss_channel_id": channel.id, "posted_sequence": rows[-1:].sequence})
        # A client opens a window only where it has heard of the channel before the first message.
        channel._broadcast(consultation.user_id.partner_id.ids)
        consultation._discuss_say(consultation._discuss_so_far(rows))

    def _discuss_make_channel(self):
        """Create the channel in its operator's name: Odoo makes whoever creates one a member of it."""
        sender, operator = self.conversation_id.sender_id, self.user_id.partner_id
        name = prefix(self.env) + sender.name
        values = compat.livechat_values(operator, name, anonymous=not sender.partner_id)
        values[compat.DISCUSS_MEMBERS_FIELD] = compat.livechat_members(operator, sender.partner_id)
        livechat = self.env["im_livechat.channel"]._of_chatbridge_bot(self.bot_id)
        values.update(chatbridge_bot_id=self.bot_id.id, livechat_channel_id=livechat.id)
        as_operator = self.env[compat.DISCUSS_CHANNEL_MODEL].with_user(self.user_id).sudo()
        channel = as_operator.create(values).with_env(self.env)
        if not sender.partner_id and compat.HAS_GUESTS:
            compat.add_guest(channel, name)
        return channel

    def _discuss_rows(self, domain):
        """Return messages of the conversation in their order."""
        domain = [("conversation_id", "=", self.conversation_id.id)] + domain
        return self.env["chatbridge.message"].search(domain, order="sequence")

    def _discuss_so_far(self, rows):
        """Return the conversation so far as one text, both sides with their names and times."""
        parts = ["<b>%s</b>" % tools.html_escape(_("The conversation so far"))]
        if not rows:
            parts.append(tools.html_escape(_("Nothing has been said yet.")))
        if len(rows) > SHOWN_ON_FORM:
            parts.append(tools.html_escape(_("What was said earlier stands in the conversation.")))
        parts += [self._discuss_line_so_far(row) for row in rows[-SHOWN_ON_FORM:]]
        return "".join("<div>%s</div>" % part for part in parts)

    def _discuss_line_so_far(self, row):
        """Return one message with who wrote it and when."""
        names = {
            "customer": row.conversation_id.sender_id.name,
            "bot": row.conversation_id.bot_id.name,
            "operator": row.consultation_id.user_id.name or _("Operator"),
        }
        at = tools.format_time(self.env, fields.Datetime.context_timestamp(self, row.at).time(), time_format="short")
        # Paragraphs inside of a line would tear it apart.
        body = str(row.body or "").replace("<p>", "").replace("</p>", "<br>")
        return "<b>%s</b> %s<br>%s" % (tools.html_escape(names[row.author]), at, body)

    # The customer's lines

    def _discuss_relay(self):
        """Post what the customer has written since the last line here, each in a message of its own."""
        consultation = self._for_discuss()
        channel = consultation.discuss_channel_id
        if not channel:
            return
        rows = consultation._discuss_rows(
            [("author", "=", "customer"), ("sequence", ">", consultation.posted_sequence)]
        )
        if not rows:
            return
        # Whoever had hidden it, or had closed it after its end, has it before them again.
        compat.set_pinned(consultation._discuss_membership(), True)
        for row in rows:
            consultation._discuss_post_customer(row.body)
        consultation.posted_sequence = rows[-1].sequence

    def _discuss_post_customer(self, body):
        """Post a line as the customer."""
        channel, sender = self.discuss_channel_id, self.conversation_id.sender_id
        guest = compat.channel_guest(channel)
        if guest:
            return self._discuss_post(compat.post_as_guest(channel, guest), body)
        # Odoo wants an address of an author without one; any name will do where no e-mail is sent.
        return self._discuss_post(
            channel, body, author_id=sender.partner_id.id, email_from=prefix(self.env) + sender.name
        )

    def _discuss_post(self, channel, body, message_type="comment", **values):
        """Post a message whose HTML is safe already."""
        return channel.message_post(
            body=compat.html(body or ""), message_type=message_type, subtype_xmlid="mail.mt_comment", **values
        )

    def _discuss_say(self, body, message_type="comment"):
        """Post something in nobody's name: Odoo's own."""
        author = self.env.ref("base.partner_root").id
        return self._discuss_post(self.discuss_channel_id, body, message_type, author_id=author)

    def _discuss_notice(self, text):
        """Post a line about the chat itself."""
        body = '<div class="o_mail_notification o_hide_author">%s</div>' % tools.html_escape(text)
        return self._discuss_say(body, "notification")

    # Handing over and ending

    def _discuss_membership(self):
        """Return the operator's membership of the channel."""
        return self.discuss_channel_id[compat.DISCUSS_MEMBERS_FIELD].filtered(
            lambda member: member.partner_id == self.user_id.partner_id
        )

    def _discuss_hand_over(self, old_user):
        """Bring the channel to the operator who has the consultation now, and take it from the one who had it."""
        consultation = self._for_discuss()
        channel, operator = consultation.discuss_channel_id, consultation.user_id.partner_id
        if not channel:
            return
        if not consultation._discuss_membership():
            self.env[compat.DISCUSS_MEMBER_MODEL].with_env(consultation.env).create(
                {"channel_id": channel.id, "partner_id": operator.id}
            )
        compat.set_pinned(consultation._discuss_membership(), True)
        channel.livechat_operator_id = operator
        channel._broadcast(operator.ids)
        names = {"old": old_user.sudo().name, "new": consultation.user_id.name}
        consultation._discuss_notice(_("%(old)s has handed the chat over to %(new)s.") % names)
        if old_user.partner_id != operator:
            compat.leave(channel, old_user.sudo().partner_id)

    def _discuss_close(self, reason):
        """Say in the channel who has ended the consultation, and mark it as over."""
        consultation = self._for_discuss()
        channel, member = consultation.discuss_channel_id, consultation._discuss_membership()
        if not channel:
            return
        last = channel._chatbridge_last_message()
        customer = consultation.conversation_id.sender_id.name
        by = consultation.user_id if self.env.uid == SUPERUSER_ID or self.env.user.share else self.env.user
        # Whom a colleague's end took it from may have read nothing.
        ended_it = reason == "operator" and by == consultation.user_id
        has_read = ended_it or member.seen_message_id.id >= last.id
        texts = {
            "operator": _("%s has ended the consultation.") % by.sudo().name,
            "customer": _("%s has ended the consultation.") % customer,
            "restart": _("%s has begun anew: the consultation is over.") % customer,
            "blocked": _("%s has blocked the bot: the consultation is over.") % customer,
            "refused": _("Nobody has come: the customer has been told so, the consultation is over."),
            "silence": _("Nobody has said anything for long: the consultation is over."),
        }
        compat.close_livechat(channel)
        consultation._discuss_notice(texts[reason])
        # What has been read is gone when the client is loaded next; the open window stays, with its last line.
        compat.set_pinned(member, not has_read)

    @api.autovacuum
    def _gc_discuss_members(self):
        """Take people out of the channels of what ended long ago; who may read it still finds it."""
        members = self.env[compat.DISCUSS_MEMBER_MODEL].sudo()
        self.env.cr.execute(
            "SELECT m.id, c.ended_at FROM chatbridge_consultation c JOIN %s m ON m.channel_id = c.discuss_channel_id"
            "  JOIN res_users u ON u.partner_id = m.partner_id"
            " WHERE c.state = 'ended' AND c.ended_at < %%s" % members._table,
            (fields.Datetime.now() - timedelta(days=READ_DAYS),),
        )
        ended_at = dict(self.env.cr.fetchall())
        unread = fields.Datetime.now() - timedelta(days=UNREAD_DAYS)
        members = members.browse(ended_at).filtered(lambda member: ended_at[member.id] < unread or not member.is_pinned)
        # In pieces: 19.0 compares all that it deletes with each other.
        for ids in tools.split_every(100, members.ids):
            members.browse(ids).with_context(**{OURS: True}).unlink()

    # The operator's messages

    @api.model
    def _discuss_delivery(self, discuss_message_ids, state, reason=None):
        """Tell the operator what became of their messages: each that was not delivered gets a line that says why.

        Odoo has a state of its own for each receiver of a message; why it is of no use here stands in docs/discuss.md.
        """
        if state != "failed":
            return
        for message in self.env["mail.message"].sudo().browse(discuss_message_ids).exists():
            domain = [("discuss_channel_id", "=", message.res_id)]
            known = message.model == compat.DISCUSS_CHANNEL_MODEL and self.sudo().search(domain, limit=1)
            if known:
                known._for_discuss()._discuss_say_failed(tools.html2plaintext(message.body or ""), reason)

    def _discuss_files_stay(self, message):
        """Tell the operator that the files of a message are not delivered."""
        files = ", ".join(message.sudo().attachment_ids.mapped("name"))
        words = tools.html2plaintext(message.body or "").strip()
        reason = _("Files can't be sent yet; the words were.") if words else _("Files can't be sent yet.")
        self._for_discuss()._discuss_say_failed(files, reason)

    def _discuss_say_failed(self, words, reason):
        """Post that something was not delivered."""
        words = " ".join(words.split())
        quote = words if len(words) <= QUOTED else words[:QUOTED].rstrip() + "…"
        text = _("Not delivered: “%s”") % quote
        body = "<b>%s</b><br>%s" % (tools.html_escape(text), tools.html_escape(reason or ""))
        self._discuss_say(body)

    # What people press

    def action_end(self):
        """End the consultation as its operator: the customer's dialog goes on."""
        for consultation in self:
            consultation._check_may_answer()
            consultation.sudo()._end("operator")

    def _check_may_answer(self):
        """Refuse whoever is neither an operator of the chat nor an administrator."""
        self.ensure_one()
        # The record rules: what is another company's is not theirs to end.
        self.read(["state"])
        user = self.env.user
        operators = self.sudo().bot_id.operator_ids.user_id | self.sudo().user_id
        if user not in operators and not user.has_group("chatbridge.group_administrator"):
            raise AccessError(_("Only operators of the chat %s may do that.") % self.sudo().bot_id.name)

    def _discuss_action(self):
        """Return the action that opens the channel in Discuss, for whoever calls."""
        self.ensure_one()
        self._check_may_answer()
        channel = self.sudo().discuss_channel_id
        members = channel[compat.DISCUSS_MEMBERS_FIELD]
        mine = members.filtered(lambda member: member.partner_id == self.env.user.partner_id)
        if not mine and not compat.OPENS_FOR_READERS:
            mine = members.create({"channel_id": channel.id, "partner_id": self.env.user.partner_id.id})
        compat.set_pinned(mine, True)
        channel.with_user(self.env.user)._broadcast(self.env.user.partner_id.ids)
        action = self.env["ir.actions.actions"]._for_xml_id("mail.action_discuss")
        thread = "%s_%d" % (compat.DISCUSS_CHANNEL_MODEL, channel.id)
        action.update(context={"active_id": thread}, params={"default_active_id": thread})
        return action
