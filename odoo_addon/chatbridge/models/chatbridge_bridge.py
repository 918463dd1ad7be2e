import logging

import psycopg2

from odoo import _, api, fields, models, release
from odoo.exceptions import AccessError, UserError, ValidationError

from .. import compat
from ..exceptions import TryAgain
from ..rpc import findings, quiet, schema, snapshot
from ..rpc.batch import Batch
from ..rpc.instant import instant
from .chatbridge_bridge_status import LEASE_SECONDS

_logger = logging.getLogger(__name__)

#: The protocol of docs/protocol.md; raised when either side could misunderstand the other.
PROTOCOL = 2

#: The largest batch of ``apply`` and the most events of one answer.
MOST = 500

#: What may become the refusal of one operation, kept under its key. Everything else makes the call fail and leaves
#: nothing behind: a full disk, a cancelled query, no memory, an error in somebody's code may be gone at the next try.
REFUSABLE = (UserError, psycopg2.IntegrityError, psycopg2.DataError)


class ChatbridgeBridge(models.AbstractModel):
    """The RPC surface: seven methods, for the group *Bridge* only (docs/protocol.md)."""

    _name = "chatbridge.bridge"
    _description = "What the bridge may call"

    @api.model
    def handshake(self, hello):
        """Register the caller, or tell it to wait."""
        self._check_caller()
        probe = isinstance(hello, dict) and hello.get("probe") is True
        if not probe:
            self._check_series()
        if isinstance(hello, dict):
            self._check_protocol(hello.get("protocol"))
        hello = self._checked(schema.HELLO, hello)
        status_model = self.env["chatbridge.bridge.status"].sudo()
        status, sentence = status_model._probe(hello) if probe else status_model._shake(hello)
        row = status_model._row() if probe else status_model._get()
        module = (
            self.env["ir.module.module"].sudo().search([("name", "=like", "chatbridge%"), ("state", "=", "installed")])
        )
        own = module.filtered(lambda record: record.name == "chatbridge")
        answer = {
            "status": status,
            "sentence": sentence,
            "protocol": PROTOCOL,
            "addon_version": own.latest_version or "",
            "series": release.series,
            "features": sorted((module - own).mapped("name")),
            "database_uuid": status_model._database_uuid(),
            "nonce": (row.nonce if status == "ready" and not probe else "") or "",
            "epoch": (row.epoch if status == "ready" else "") or "",
            "generation": row.generation,
            "lease_seconds": LEASE_SECONDS,
            "clock": instant(fields.Datetime.now()),
            "languages": [code for code, _name in self.env["res.lang"].get_installed()],
            "base_url": self.env["ir.config_parameter"].sudo().get_param("web.base.url") or "",
        }
        return dict(answer, findings=findings.found(self.env(su=True))) if probe else answer

    @api.model
    def heartbeat(self, claim, status):
        """Note that the bridge lives, and what it says of itself and its channels."""
        self._check_claim(claim)
        status = self._checked(schema.STATUS, status)
        answer = self.env["chatbridge.bridge.status"].sudo()._beat(status)
        self.env["chatbridge.channel"].sudo()._write_statuses(status["channels"])
        self.env["chatbridge.consultation"].sudo()._assign_waiting()
        return {"status": answer, "clock": instant(fields.Datetime.now())}

    @api.model
    def configuration(self, claim, known):
        """Return the bots whose configuration differs from what the bridge knows.

        Without a claim too: to read does no harm while another bridge works.
        """
        if claim is None:
            self._check_caller()
        else:
            self._check_claim(claim)
        known = self._checked(schema.mapping, known)
        bots = self.env["chatbridge.bot"].sudo().search([], order="id")
        found = snapshot.bots(bots)
        return {"bot_ids": bots.ids, "bots": [bot for bot in found if known.get(str(bot["id"])) != bot["hash"]]}

    @api.model
    def apply(self, claim, operations):
        """Carry out a batch of operations; each key is carried out once, for good."""
        self._check_claim(claim)
        if not isinstance(operations, list) or len(operations) > MOST:
            raise ValidationError(_("A batch is a list of at most %d operations.") % MOST)
        keys = [self._key_of(operation) for operation in operations]
        book = self.env["chatbridge.operation"].sudo()
        fresh = book._claim({key: self._type_of(operation) for key, operation in zip(keys, operations)})
        todo = {}
        for key, operation in zip(keys, operations):
            if key in fresh:
                todo.setdefault(key, operation)
        outcomes = self._carry_out(list(todo.values()))
        answers = {key: dict(outcome, key=key) for key, outcome in zip(todo, outcomes)}
        book._keep(answers)
        answers.update(book._answers(set(keys) - fresh))
        return [dict(answers[key]) for key in keys]

    @api.model
    def ask(self, claim, questions):
        """Answer questions; nothing is changed."""
        self._check_claim(claim)
        return [self._answer(question) for question in self._checked(schema.list_of(schema.mapping), questions)]

    @api.model
    def events(self, claim, limit, kinds=None):
        """Return what the bridge has not acknowledged yet."""
        self._check_claim(claim)
        limit = self._checked(schema.integer, limit)
        kinds = self._checked(schema.nullable(schema.list_of(schema.text)), kinds)
        return self.env["chatbridge.event"].sudo()._waiting(limit, kinds)

    @api.model
    def done(self, claim, ids):
        """Forget events that the bridge has acted upon."""
        self._check_claim(claim)
        self.env["chatbridge.event"].sudo()._done(self._checked(schema.list_of(schema.integer), ids))
        return True

    # Who calls, and with what

    @api.model
    def _check_caller(self):
        """Refuse everybody but the bridge: not even an administrator may speak in its name."""
        if not self.env.user.has_group("chatbridge.group_bridge"):
            raise AccessError(_("Only the bridge may call this."))

    @api.model
    def _check_claim(self, claim):
        self._check_caller()
        self.env["chatbridge.bridge.status"].sudo()._check_claim(self._checked(schema.CLAIM, claim))

    @api.model
    def _check_series(self):
        """Refuse to work where the addon was built for another series: what differs would fail here and there."""
        if compat.BUILT_FOR.split(".")[0] != str(compat.SERIES):
            raise UserError(
                _(
                    "The Odoo module «Chatbot» was built for Odoo %(built)s, but this is Odoo %(ours)s: build it with"
                    " “odoo_addon/build.py %(number)s.0”, and put that in its place."
                )
                % {"built": compat.BUILT_FOR, "ours": release.series, "number": compat.SERIES}
            )

    @api.model
    def _check_protocol(self, protocol):
        if protocol != PROTOCOL:
            older = (
                _("the bridge") if isinstance(protocol, int) and protocol < PROTOCOL else _("the Odoo module «Chatbot»")
            )
            raise UserError(
                _("The bridge speaks protocol %(theirs)s and this Odoo %(ours)s: update %(older)s.")
                % {"theirs": protocol, "ours": PROTOCOL, "older": older}
            )

    @api.model
    def _checked(self, shape, value):
        """Return a checked value; refuse the call where it has not the shape that the protocol gives it."""
        try:
            return shape(value)
        except ValueError as error:
            raise ValidationError(_("The bridge sent something that the protocol does not know: %s") % error) from error

    @api.model
    def _key_of(self, operation):
        """Return an operation's key; without one there is nothing to answer to."""
        key = operation.get("key") if isinstance(operation, dict) else None
        return self._checked(schema.text, key)

    @api.model
    def _type_of(self, operation):
        """Return an operation's type as it is noted; one that the protocol does not know may hold anything."""
        type_ = operation.get("type")
        return type_ if isinstance(type_, str) and type_ in schema.OPERATIONS else "?"

    # Carrying out

    @api.model
    def _carry_out(self, operations):
        """Return an outcome for each operation: all at once, or one by one where that fails."""
        outcomes, checked = {}, {}
        for place, operation in enumerate(operations):
            try:
                shape = schema.OPERATIONS.get(self._type_of(operation))
                if not shape:
                    raise ValueError("unknown type %r" % (operation.get("type"),))
                checked[place] = shape(operation)
            except ValueError as error:
                outcomes[place] = {
                    "refused": _("The operation has not the form that the protocol gives it: %s") % error
                }
        outcomes.update(zip(checked, self._in_bulk(list(checked.values()))))
        return [outcomes[place] for place in range(len(operations))]

    @api.model
    def _in_bulk(self, operations):
        """Carry out checked operations under one savepoint; where it fails, each under its own."""
        try:
            with self.env.cr.savepoint():
                return Batch(self.env(su=True)).run(operations)
        except compat.PASSING_EXCEPTIONS:
            raise
        except REFUSABLE as error:
            self._raise_if_raced(error)
            if len(operations) == 1:
                return [{"refused": self._sentence(error)}]
        return [self._in_bulk([operation])[0] for operation in operations]

    @api.model
    def _raise_if_raced(self, error):
        """Raise what another try of the whole call mends: somebody has just written or deleted what we refer to."""
        # This transaction's snapshot does not show it, so it is not the operation's fault.
        raced = (psycopg2.errors.UniqueViolation, psycopg2.errors.ForeignKeyViolation)
        if isinstance(error, raced) and (error.diag.table_name or "").startswith("chatbridge_"):
            raise TryAgain("A concurrent call was faster.") from error

    @api.model
    def _sentence(self, error):
        """Return an error as a sentence for people: Odoo's own where there is one."""
        if isinstance(error, UserError) and error.args:
            return str(error.args[0])
        quiet.log(_logger, "An operation of the bridge failed", error)
        return _("Odoo could not save this (%s).") % type(error).__name__

    # Answers

    @api.model
    def _answer(self, question):
        """Return the answer to one question."""
        try:
            shape = schema.QUESTIONS.get(question.get("type"))
            if not shape:
                raise ValueError("unknown type %r" % question.get("type"))
            question = shape(question)
        except ValueError as error:
            return {
                "id": question.get("id"),
                "refused": _("The question has not the form that the protocol gives it: %s") % error,
            }
        return {"id": question["id"], "answer": getattr(self.sudo(), "_ask_" + question["type"])(question)}

    @api.model
    def _ask_conversation(self, question):
        return snapshot.open_conversation(self.env, question["channel"], question["user"])
