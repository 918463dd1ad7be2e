//! The few sentences that are the bridge's own: everything else that a person reads comes from Odoo.

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
}

impl Notice {
    /// Every notice, for tests and documents.
    pub const ALL: [Self; 5] = [Self::NotUnderstood, Self::ButtonGone, Self::Restarted, Self::Enrolled, Self::Choose];

    /// The sentence, for a reader with this language (`uk`, `uk_UA`, `en-GB`); English where we have no other.
    pub fn sentence(self, language: &str) -> &'static str {
        let (english, ukrainian) = self.both();
        if language.to_ascii_lowercase().starts_with("uk") { ukrainian } else { english }
    }

    fn both(self) -> (&'static str, &'static str) {
        match self {
            Self::NotUnderstood => ("Sorry, I did not understand that.", "Вибачте, не вдалося це зрозуміти."),
            Self::ButtonGone => ("This button is no longer in use.", "Ця кнопка вже не діє."),
            Self::Restarted => ("This dialog has been updated. Let us start again.", "Цей діалог оновлено. Почнімо спочатку."),
            Self::Enrolled => ("You will receive messages from this bot here.", "Тут ви отримуватимете повідомлення від цього бота."),
            Self::Choose => ("Please choose:", "Оберіть, будь ласка:"),
        }
    }
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
}
