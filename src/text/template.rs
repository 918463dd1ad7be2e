//! Placeholders in texts: `{{ path }}` and `{{default path "x"}}`, nothing else.

use std::sync::LazyLock;

use handlebars::{Context, Handlebars, Helper, HelperResult, Output, RenderContext};
use serde_json::Value;

/// Puts values into a text. Values are escaped for HTML; an absent or empty one leaves nothing (or its default). A text whose placeholders can't be read comes
/// back with them cut out, and `Err` says what was wrong.
pub fn render(html: &str, values: &Value) -> Result<String, Broken> {
    if !html.contains("{{") {
        return Ok(html.to_owned());
    }
    // A triple brace would put a value in unescaped: it means the same as a double one here.
    let text = html.replace("{{{", "{{").replace("}}}", "}}");
    ENGINE.render_template(&text, values).map_err(|error| Broken { text: without_placeholders(&text), reason: error.reason().to_string() })
}

/// A text whose placeholders can't be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// The text without them.
    pub text: String,
    /// What is wrong.
    pub reason: String,
}

/// What the library can do beside placeholders. None of it is part of our texts; `log` would even write values into the log.
const BUILT_IN: [&str; 17] =
    ["if", "unless", "each", "with", "lookup", "raw", "log", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not", "len"];

static ENGINE: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut engine = Handlebars::new();
    for name in BUILT_IN {
        engine.unregister_helper(name);
    }
    engine.register_escape_fn(escape);
    engine.register_helper("default", Box::new(default));
    engine
});

/// Escapes what HTML would read as markup.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Plain words as HTML that shows them just so: escaped, with their line breaks.
pub fn plain_to_html(text: &str) -> String {
    escape(text).replace("\r\n", "\n").replace('\n', "<br>")
}

fn default(helper: &Helper<'_>, _: &Handlebars<'_>, _: &Context, _: &mut RenderContext<'_, '_>, out: &mut dyn Output) -> HelperResult {
    let shown = |at: usize| helper.param(at).map(|param| param.value().render()).unwrap_or_default();
    let value = shown(0);
    out.write(&escape(if value.is_empty() { helper.param(1).and_then(|p| p.value().as_str()).unwrap_or_default() } else { &value }))?;
    Ok(())
}

trait Shown {
    fn render(&self) -> String;
}

impl Shown for Value {
    fn render(&self) -> String {
        match self {
            Value::Null | Value::Bool(false) | Value::Array(_) | Value::Object(_) => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

fn without_placeholders(text: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        left.push_str(before);
        rest = after.split_once("}}").map_or("", |(_, tail)| tail);
    }
    left + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_put_in_escaped() {
        let values = json!({"partner": {"name": "<b>Anna</b> & Co"}});
        assert_eq!(render("Hi {{ partner.name }}!", &values), Ok("Hi &lt;b&gt;Anna&lt;/b&gt; &amp; Co!".to_owned()));
        assert_eq!(render("{{{partner.name}}}", &values), Ok("&lt;b&gt;Anna&lt;/b&gt; &amp; Co".to_owned()));
    }

    #[test]
    fn an_absent_value_leaves_nothing_or_its_default() {
        assert_eq!(render("Hi {{ partner.name }}!", &json!({})), Ok("Hi !".to_owned()));
        assert_eq!(render(r#"Hi {{default partner.name "friend"}}!"#, &json!({})), Ok("Hi friend!".to_owned()));
        assert_eq!(render(r#"Hi {{default partner.name "friend"}}!"#, &json!({"partner": {"name": "Al"}})), Ok("Hi Al!".to_owned()));
    }

    #[test]
    fn nothing_but_placeholders_works() {
        for text in
            ["{{log partner.name}}", "{{#each partner}}{{this}}{{/each}}", "{{#if partner}}yes{{/if}}", "{{> other}}", "{{lookup partner 'name'}}"]
        {
            assert!(render(text, &json!({"partner": {"name": "Al"}})).is_err(), "{text}");
        }
    }

    #[test]
    fn plain_words_keep_their_lines() {
        assert_eq!(plain_to_html("a < b\r\nQ&A\n"), "a &lt; b<br>Q&amp;A<br>");
    }

    #[test]
    fn a_placeholder_that_cannot_be_read_is_cut_out_and_told() {
        let broken = render("Hi {{#if}} there {{/each}}", &json!({})).expect_err("not a template");
        assert_eq!(broken.text, "Hi  there ");
    }
}
