//! The few sentences that are the bridge's own: everything else that a person reads comes from Odoo.

use std::borrow::Cow;

/// What the bridge has to say by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Nothing fits what was said; the step is asked again after it (ST-7).
    NotUnderstood,
    /// The button belongs to a step that is gone.
    ButtonGone,
    /// The step that the person stood on is gone; the dialog begins again after it.
    Restarted,
    /// The bot has no dialog: it only notifies (NTF-18).
    Enrolled,
    /// Stands over buttons that have no words of their own.
    Choose,
    /// No operator is free, or none is there; the place in the queue (OP-2, X-11).
    Queued(u32),
    /// The person has left the queue.
    LeftQueue,
    /// An operator has been asked for while Odoo does not answer.
    OperatorLater,
    /// /end, and there is nothing to end.
    NoConsultation,
    /// Somebody writes to a desk where only users of Odoo are operators (B-SET-2).
    OdooUsersOnly,
}

impl Notice {
    /// Every notice, for tests and documents.
    pub const ALL: [Self; 10] = [
        Self::NotUnderstood,
        Self::ButtonGone,
        Self::Restarted,
        Self::Enrolled,
        Self::Choose,
        Self::Queued(3),
        Self::LeftQueue,
        Self::OperatorLater,
        Self::NoConsultation,
        Self::OdooUsersOnly,
    ];

    /// The sentence, for a reader with this language (`uk`, `uk_UA`, `en-GB`); English where we have no other.
    pub fn sentence(self, language: &str) -> Cow<'static, str> {
        let sentence = in_language(language, self.both());
        match self {
            Self::Queued(place) => sentence.replace("{place}", &place.to_string()).into(),
            _ => sentence.into(),
        }
    }

    fn both(self) -> (&'static str, &'static str) {
        match self {
            Self::NotUnderstood => ("Sorry, I did not understand that.", "Вибачте, не вдалося це зрозуміти."),
            Self::ButtonGone => ("This button is no longer in use.", "Ця кнопка вже не діє."),
            Self::Restarted => ("This dialog has been updated. Let us start again.", "Цей діалог оновлено. Почнімо спочатку."),
            Self::Enrolled => ("You will receive messages from this bot here.", "Тут ви отримуватимете повідомлення від цього бота."),
            Self::Choose => ("Please choose:", "Оберіть, будь ласка:"),
            Self::Queued(_) => (
                "An operator will answer you as soon as possible. Your place in the queue: {place}. To leave the queue press: /end",
                "Оператор відповість, щойно зможе. Ваше місце в черзі: {place}. Щоб вийти з черги, натисніть: /end",
            ),
            Self::LeftQueue => ("You are no longer waiting for an operator.", "Ви більше не очікуєте на оператора."),
            Self::OperatorLater => (
                "It will take a little longer until an operator answers. You can already write here. To leave press: /end",
                "Оператор відповість трохи пізніше. Писати сюди можна вже зараз. Щоб не чекати, натисніть: /end",
            ),
            Self::NoConsultation => ("There is no consultation to end now.", "Зараз немає консультації, яку можна завершити."),
            Self::OdooUsersOnly => ("Only users of Odoo are operators here.", "Операторами тут можуть бути лише користувачі Odoo."),
        }
    }
}

/// Who an operator is where names are not told (B-SET-5).
pub fn operator(language: &str) -> &'static str {
    in_language(language, ("Operator", "Оператор"))
}

/// That an operator is here now (B-SET-17), in words that fit any name.
pub fn joined(name: &str, language: &str) -> String {
    in_language(language, ("{name} joined the chat", "{name} приєднується до чату")).replace("{name}", name)
}

fn in_language(language: &str, (english, ukrainian): (&'static str, &'static str)) -> &'static str {
    if language.to_ascii_lowercase().starts_with("uk") { ukrainian } else { english }
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn every_notice_has_a_sentence_in_both_languages() {
        for notice in Notice::ALL {
            let (english, ukrainian) = notice.both();
            assert!(english.is_ascii() && english.len() > 5, "{notice:?}");
            assert!(ukrainian.chars().any(|c| ('а'..='ї').contains(&c)), "{notice:?}");
        }
    }

    #[test]
    fn a_reader_of_ukrainian_gets_ukrainian() {
        assert_eq!(Notice::Choose.sentence("uk"), Notice::Choose.sentence("uk_UA"));
        assert_ne!(Notice::Choose.sentence("uk"), Notice::Choose.sentence("de"));
    }

    /// OP-2
    #[test]
    fn the_place_in_the_queue_is_told_in_both_languages() {
        for language in ["en", "uk"] {
            let sentence = Notice::Queued(12).sentence(language);
            assert!(sentence.contains(": 12.") && !sentence.contains('{') && sentence.contains("/end"), "{sentence}");
            // Said also where nobody is there at all.
            assert!(!["busy", "зайняті"].iter().any(|word| sentence.contains(word)), "{sentence}");
        }
    }

    /// B-SET-17
    #[test]
    fn an_operator_is_called_by_name_or_by_the_word() {
        assert_eq!(joined("Julia", "en_US"), "Julia joined the chat");
        assert_eq!(joined("Юлія", "uk_UA"), "Юлія приєднується до чату");
        assert_eq!((operator("en"), operator("uk")), ("Operator", "Оператор"));
    }
}
