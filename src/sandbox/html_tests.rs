//! What the HTML parser takes and what it refuses.

use super::super::entities::as_html;
use super::*;

fn plain(input: &str) -> (String, Vec<(String, usize, usize)>) {
    let done = parse(input, true).unwrap();
    (done.text, done.entities.into_iter().map(|one| (one.kind, one.offset, one.length)).collect())
}

fn refused(input: &str) -> String {
    parse(input, true).unwrap_err()
}

#[test]
fn tags_become_entities_in_utf16_units() {
    let (text, entities) = plain("😀<b>a<i>б</i></b> &lt;&#65;&#x42;&amp;");
    assert_eq!(text, "😀aб <AB&");
    assert_eq!(entities, [("bold".to_owned(), 2, 2), ("italic".to_owned(), 3, 1)]);
}

#[test]
fn every_tag_of_the_documentation_is_known_and_written_back() {
    let html = concat!(
        "<b>b</b><i>i</i><u>u</u><s>s</s><tg-spoiler>p</tg-spoiler><code>c</code>",
        "<a href=\"https://example.com/?a=1&amp;b=2\">l</a><blockquote>q</blockquote>",
        "<blockquote expandable>e</blockquote><pre>r</pre><tg-emoji emoji-id=\"5\">👍</tg-emoji>",
    );
    assert_eq!(as_html(&parse(html, true).unwrap()), html);
}

#[test]
fn code_in_pre_gives_it_a_language_and_nothing_else_nests_there() {
    let done = parse("<pre><code class=\"language-rust\">a <b>b</b></code></pre>", true).unwrap();
    assert_eq!(done.text, "a b");
    assert_eq!(done.entities, [Entity::new("pre", 0, 3).with("language", "rust")]);
}

#[test]
fn mistakes_have_telegrams_texts() {
    assert_eq!(refused("a<b>b"), "Can't find end tag corresponding to start tag \"b\"");
    assert_eq!(refused("<b><i>x</b></i>"), "Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\"");
    assert_eq!(refused("ї<br>"), "Unsupported start tag \"br\" at byte offset 2");
    assert_eq!(refused("x</b>"), "Unexpected end tag at byte offset 1");
    assert_eq!(refused("1 < 2"), "Unsupported start tag \"\" at byte offset 2");
    assert_eq!(refused("<b"), "Unclosed start tag \"b\" at byte offset 0");
    assert_eq!(refused("<span>x</span>"), "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0");
}

#[test]
fn unescaped_characters_are_refused_only_when_strict() {
    for input in ["a & b", "a&nbsp;b", "a > b"] {
        refused(input);
        assert_eq!(parse(input, false).unwrap().text, input);
    }
}

#[test]
fn empty_formatting_and_invalid_links_leave_only_text() {
    assert_eq!(plain("<b></b><a href=\"javascript:x\">l</a>"), ("l".to_owned(), Vec::new()));
}
