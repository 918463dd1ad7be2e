//! Lengths as Telegram counts them, and cutting what is too long.

use crate::domain::{Entity, Formatted};

/// The length in UTF-16 units.
pub fn utf16_len(text: &str) -> u32 {
    let units: usize = text.chars().map(char::len_utf16).sum();
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// Cuts a text into pieces of at most `limit` UTF-16 units: at a line break, else at a space, else within a word, never within a character. Formatting goes on in
/// the next piece.
pub fn split(whole: Formatted, limit: u32) -> Vec<Formatted> {
    if utf16_len(&whole.text) <= limit {
        return vec![whole];
    }
    let mut pieces = Vec::new();
    let mut rest = whole.text.as_str();
    let mut offset = 0;
    while !rest.is_empty() {
        let end = cut(rest, limit);
        let piece = &rest[..end];
        pieces.push(excerpt(piece, offset, &whole.entities));
        offset += utf16_len(piece);
        rest = &rest[end..];
    }
    pieces.retain(|piece| !piece.text.trim().is_empty());
    pieces
}

/// The byte at which to cut.
fn cut(text: &str, limit: u32) -> usize {
    let mut units = 0;
    let Some((end, _)) = text.char_indices().find(|(_, c)| {
        units += u32::try_from(c.len_utf16()).unwrap_or(2);
        units > limit
    }) else {
        return text.len();
    };
    let head = &text[..end];
    let break_after = |c: char| head.rfind(c).map(|at| at + c.len_utf8()).filter(|&at| at > head.len() / 2);
    break_after('\n').or_else(|| break_after(' ')).unwrap_or(end)
}

/// The piece that begins at `offset`, with its share of the formatting.
fn excerpt(piece: &str, offset: u32, entities: &[Entity]) -> Formatted {
    let end = offset + utf16_len(piece);
    let entities = entities
        .iter()
        .filter(|entity| entity.offset < end && entity.offset + entity.length > offset)
        .map(|entity| {
            let from = entity.offset.max(offset);
            let to = (entity.offset + entity.length).min(end);
            Entity { offset: from - offset, length: to - from, style: entity.style.clone() }
        })
        .collect();
    Formatted { text: piece.to_owned(), entities }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Style;

    #[test]
    fn a_long_text_is_cut_at_a_space_and_its_formatting_goes_on() {
        let text = "aaaa bbbb cccc".to_owned();
        let bold = Entity { offset: 0, length: 14, style: Style::Bold };
        let pieces = split(Formatted { text, entities: vec![bold] }, 10);
        let shown: Vec<_> = pieces.iter().map(|piece| (piece.text.as_str(), piece.entities[0].length)).collect();
        assert_eq!(shown, [("aaaa bbbb ", 10), ("cccc", 4)]);
    }

    proptest::proptest! {
        #[test]
        fn no_piece_is_too_long_and_no_word_is_lost(text in "[a-zа-я👋 \n]{1,300}", limit in 4u32..50) {
            let pieces = split(Formatted { text: text.clone(), entities: vec![] }, limit);
            for piece in &pieces {
                proptest::prop_assert!(utf16_len(&piece.text) <= limit);
            }
            let words = |text: &str| text.split_whitespace().collect::<String>();
            let joined: String = pieces.iter().map(|piece| words(&piece.text)).collect();
            proptest::prop_assert_eq!(joined, words(&text));
        }
    }
}
