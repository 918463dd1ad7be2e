//! HTML as Odoo's editor writes it, turned into words and formatting as a chat shows them.
//!
//! What a chat can show is kept (bold, italic, underline, strike, code, quotations, links); headings become bold, list items get a bullet or a
//! number, a paragraph is a line, an empty paragraph an empty line. Everything else keeps its words and loses its looks. Any input is
//! fine: the tokenizer is html5ever's, and there is nothing to fail.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use super::length::utf16_len;
use crate::domain::{Entity, Formatted, Style};

/// Reads HTML.
pub fn formatted(html: &str) -> Formatted {
    if !html.contains(['<', '&']) {
        return Formatted { text: html.trim().to_owned(), entities: Vec::new() };
    }
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(html));
    let tokenizer = Tokenizer::new(Sink(RefCell::new(Writer::default())), TokenizerOpts::default());
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    tokenizer.sink.0.into_inner().finish()
}

struct Sink(RefCell<Writer>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut writer = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => writer.words(&text),
            Token::TagToken(tag) => writer.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Builds the text while the tags go by.
#[derive(Default)]
struct Writer {
    text: String,
    units: u32,
    entities: Vec<Entity>,
    open: Vec<(String, Option<(u32, Style)>)>,
    lists: Vec<Option<u32>>,
    /// Line breaks owed before the next word.
    breaks: u32,
    /// A space owed before the next word.
    space: bool,
    /// Where the text ended after the last bullet: a block right behind it stays on its line.
    bullet_end: usize,
    hidden: u32,
    preformatted: u32,
}

impl Writer {
    fn words(&mut self, text: &str) {
        if self.hidden > 0 {
            return;
        }
        if self.preformatted > 0 {
            self.push(text);
            return;
        }
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| !is_blank(c)) {
            self.space |= start > 0;
            let end = rest[start..].find(is_blank).map_or(rest.len(), |n| start + n);
            self.push(&rest[start..end]);
            rest = &rest[end..];
        }
        self.space |= !rest.is_empty();
    }

    /// Writes words, after the line breaks or the space that are owed.
    fn push(&mut self, words: &str) {
        if words.is_empty() {
            return;
        }
        self.pay();
        self.text.push_str(words);
        self.units += utf16_len(words);
    }

    fn pay(&mut self) {
        if self.breaks > 0 {
            if !self.text.is_empty() {
                for _ in 0..self.breaks {
                    self.text.push('\n');
                }
                self.units += self.breaks;
            }
        } else if self.space && !self.text.is_empty() && !self.text.ends_with(is_blank) {
            self.text.push(' ');
            self.units += 1;
        }
        self.breaks = 0;
        self.space = false;
    }

    fn tag(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        match tag.kind {
            TagKind::StartTag => self.start(name, tag),
            TagKind::EndTag => self.end(name),
        }
    }

    fn start(&mut self, name: &str, tag: &Tag) {
        match name {
            "br" => self.line_break(),
            "script" | "style" | "head" | "title" => self.hidden += 1,
            "ul" => self.lists.push(None),
            "ol" => self.lists.push(Some(0)),
            "li" => self.item(),
            "td" | "th" => self.space = true,
            _ if is_block(name) => self.new_line(),
            _ => {}
        }
        if name == "pre" {
            self.preformatted += 1;
        }
        if let Some(style) = style_of(name, tag) {
            // What is owed is paid first, so that the formatting begins at its first word.
            self.pay();
            self.open.push((name.to_owned(), Some((self.units, style))));
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "script" | "style" | "head" | "title" => self.hidden = self.hidden.saturating_sub(1),
            "ul" | "ol" => {
                self.lists.pop();
                self.new_line();
            }
            _ => {}
        }
        if name == "pre" {
            self.preformatted = self.preformatted.saturating_sub(1);
        }
        self.close(name);
        if is_block(name) {
            self.end_block();
        }
    }

    fn close(&mut self, name: &str) {
        let Some(at) = self.open.iter().rposition(|(open, _)| open == name) else { return };
        if let (_, Some((offset, style))) = self.open.remove(at)
            && self.units > offset
        {
            self.entities.push(Entity { offset, length: self.units - offset, style });
        }
    }

    fn line_break(&mut self) {
        self.space = false;
        self.breaks += 1;
    }

    /// A block begins on a line of its own.
    fn new_line(&mut self) {
        self.space = false;
        let bullet_only = self.text.len() == self.bullet_end;
        if self.breaks == 0 && !self.text.is_empty() && !bullet_only {
            self.breaks = 1;
        }
    }

    /// A block ends its line. An empty paragraph (a lone `<br>` in the editor) is one empty line: its break is the one that ends it.
    fn end_block(&mut self) {
        self.space = false;
        self.breaks = self.breaks.max(1);
    }

    fn item(&mut self) {
        self.new_line();
        let bullet = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{number}. ")
            }
            _ => "• ".to_owned(),
        };
        self.push(&bullet);
        self.bullet_end = self.text.len();
    }

    fn finish(mut self) -> Formatted {
        while let Some((name, _)) = self.open.last() {
            let name = name.clone();
            self.close(&name);
        }
        trimmed(self.text, self.entities)
    }
}

/// Cuts white space from both ends, and the formatting with it.
fn trimmed(text: String, mut entities: Vec<Entity>) -> Formatted {
    let body = text.trim();
    let lead = utf16_len(&text[..text.len() - text.trim_start().len()]);
    let length = utf16_len(body);
    for entity in &mut entities {
        let end = (entity.offset + entity.length).saturating_sub(lead).min(length);
        entity.offset = entity.offset.saturating_sub(lead).min(end);
        entity.length = end - entity.offset;
    }
    entities.retain(|entity| entity.length > 0);
    entities.sort_by_key(|entity| (entity.offset, std::cmp::Reverse(entity.length)));
    Formatted { text: body.to_owned(), entities }
}

fn style_of(name: &str, tag: &Tag) -> Option<Style> {
    Some(match name {
        "b" | "strong" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "th" => Style::Bold,
        "i" | "em" => Style::Italic,
        "u" | "ins" => Style::Underline,
        "s" | "strike" | "del" => Style::Strikethrough,
        "code" | "kbd" | "tt" => Style::Code,
        "pre" => Style::Pre,
        "blockquote" => Style::Blockquote,
        "a" => Style::Link(link_of(tag)?),
        _ => return None,
    })
}

/// The address of a link, if it is of a kind that Telegram takes; others (mailto:, javascript:) would make it refuse the message.
fn link_of(tag: &Tag) -> Option<String> {
    let href = tag.attrs.iter().find(|attr| &*attr.name.local == "href")?;
    let known = ["http://", "https://", "tg://"];
    known.iter().any(|scheme| href.value.to_ascii_lowercase().starts_with(scheme)).then(|| href.value.to_string())
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "li"
            | "ul"
            | "ol"
            | "pre"
            | "blockquote"
            | "table"
            | "tr"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "hr"
    )
}

/// White space that HTML folds; a no-break space stays.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\r' | '\t' | '\u{c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(html: &str) -> String {
        let Formatted { text, entities } = formatted(html);
        let marks: Vec<String> = entities
            .iter()
            .map(|entity| {
                let units: Vec<u16> = text.encode_utf16().skip(entity.offset as usize).take(entity.length as usize).collect();
                format!(" | {:?}={}", entity.style, String::from_utf16(&units).expect("entities never cut a character"))
            })
            .collect();
        format!("{text}{}", marks.concat())
    }

    #[test]
    fn paragraphs_are_lines_and_an_empty_one_is_an_empty_line() {
        assert_eq!(shown("<p>One</p><p>Two</p>"), "One\nTwo");
        assert_eq!(shown("<p>One</p><p><br></p><p>Two</p>"), "One\n\nTwo");
        assert_eq!(shown("<p>One<br>Two</p>"), "One\nTwo");
        assert_eq!(shown("<div><p>One</p></div>\n  <p>Two</p>\n"), "One\nTwo");
    }

    #[test]
    fn an_editor_left_empty_says_nothing() {
        for empty in ["", "<p><br></p>", "<p></p>", " <p>\n</p> ", "<div><br></div>"] {
            assert_eq!(shown(empty), "", "{empty:?}");
        }
    }

    #[test]
    fn formatting_is_kept_at_the_right_place_also_after_emoji() {
        assert_eq!(shown("<p>👋 <b>Hello</b> <i>you</i></p>"), "👋 Hello you | Bold=Hello | Italic=you");
        assert_eq!(shown("a <b> b </b> c"), "a b c | Bold=b");
        assert_eq!(shown("<h2>Head</h2><p>text</p>"), "Head\ntext | Bold=Head");
        assert_eq!(shown("<b>bold <i>both</b> rest</i>"), "bold both rest | Bold=bold both | Italic=both rest");
    }

    #[test]
    fn links_open_only_what_a_chat_opens() {
        assert_eq!(shown(r#"<a href="https://a.b/?x=1&amp;y=2">here</a>"#), "here | Link(\"https://a.b/?x=1&y=2\")=here");
        assert_eq!(shown(r#"<a href="javascript:alert(1)">here</a>"#), "here");
    }

    #[test]
    fn lists_code_and_quotations_are_readable() {
        assert_eq!(shown("<ul><li>One</li><li><p>Two</p></li></ul><p>End</p>"), "• One\n• Two\nEnd");
        assert_eq!(shown("<ol><li>One</li><li>Two</li></ol>"), "1. One\n2. Two");
        assert_eq!(shown("<pre>a\n  b</pre>"), "a\n  b | Pre=a\n  b");
        assert_eq!(shown("x<script>alert(1)</script>y"), "xy");
    }

    #[test]
    fn entities_of_html_become_characters() {
        assert_eq!(shown("5 &lt; 6 &amp;&nbsp;7 &#128075;"), "5 < 6 &\u{a0}7 👋");
    }

    proptest::proptest! {
        #[test]
        fn any_input_gives_formatting_within_its_text(html in "(<[a-z/]{1,4}>|[a-z &;👋\n]){0,40}") {
            let result = formatted(&html);
            let length = utf16_len(&result.text);
            for entity in &result.entities {
                proptest::prop_assert!(entity.length > 0 && entity.offset + entity.length <= length);
            }
            proptest::prop_assert_eq!(result.text.trim(), &result.text);
        }
    }
}
