//! A consultation desk's own bot: who writes there wants to be an operator, and is answered by people.

use super::turn::Turn;
use crate::domain::{ConversationKey, Markup};
use crate::text::Notice;

impl Turn<'_> {
    /// Keeps what was written, and says what becomes of it: where nobody can be an operator from here, each time (B-SET-2); else when the talk begins
    /// (B-SET-8). `before`: the conversation that was open.
    pub fn answer_at_desk(&mut self, before: Option<ConversationKey>) {
        let begins = before != Some(self.conversation().key) || self.is_start();
        self.hear();
        if self.script.odoo_operators_only {
            self.notice(Notice::OdooUsersOnly);
        } else if begins {
            let html = self.own_text(&self.script.texts.moderation);
            self.say(&html, Markup::Nothing);
        }
    }
}
