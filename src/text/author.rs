//! Words with their author before them.

use super::length::utf16_len;
use crate::domain::{Entity, Formatted, Style};

/// The words after the bold name of who wrote them.
pub fn by(author: &str, words: Formatted) -> Formatted {
    let name = Entity { offset: 0, length: utf16_len(author), style: Style::Bold };
    let before = format!("{author}: ");
    let shift = utf16_len(&before);
    let moved = words.entities.into_iter().map(|entity| Entity { offset: entity.offset + shift, ..entity });
    let entities = (name.length > 0).then_some(name).into_iter().chain(moved).collect();
    Formatted { text: before + &words.text, entities }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatting_moves_with_the_words() {
        let words = Formatted { text: "so it is".to_owned(), entities: vec![Entity { offset: 3, length: 2, style: Style::Italic }] };
        let whole = by("Юля👋", words);
        assert_eq!(whole.text, "Юля👋: so it is");
        let places: Vec<_> = whole.entities.iter().map(|entity| (entity.offset, entity.length, entity.style.clone())).collect();
        assert_eq!(places, [(0, 5, Style::Bold), (10, 2, Style::Italic)]);
    }
}
