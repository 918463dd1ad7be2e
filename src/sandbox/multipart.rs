//! Multipart forms, from a body that was read whole.
//!
//! warp's own reader stops at the last boundary; what may follow it stays unread, hyper then closes the connection, and
//! a client that keeps connections fails on its next request.

/// One part of a form.
#[derive(Debug, PartialEq)]
pub(crate) struct Part<'a> {
    pub name: String,
    pub file_name: Option<String>,
    pub content: &'a [u8],
}

/// The parts of a form, by the boundary in its content type.
pub(crate) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, String> {
    let boundary = parameter(content_type, "boundary").ok_or("the form has no boundary")?;
    let delimiter = format!("--{boundary}");
    let start = find(body, delimiter.as_bytes()).ok_or("the form has no part")?;
    let mut rest = &body[start + delimiter.len()..];
    let next = format!("\r\n{delimiter}");
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let end = find(rest, next.as_bytes()).ok_or("the form has no end")?;
        parts.push(part(&rest[..end])?);
        rest = &rest[end + next.len()..];
    }
    Ok(parts)
}

fn part(bytes: &[u8]) -> Result<Part<'_>, String> {
    let split = find(bytes, b"\r\n\r\n").ok_or("a part of the form has no headers")?;
    let headers = String::from_utf8_lossy(&bytes[..split]);
    let disposition = |line: &&str| line.to_ascii_lowercase().starts_with("content-disposition:");
    let disposition = headers.lines().find(disposition).unwrap_or_default();
    let name = parameter(disposition, "name").ok_or("a part of the form has no name")?;
    Ok(Part { name, file_name: parameter(disposition, "filename"), content: &bytes[split + 4..] })
}

/// The parameter of a header: `; name="value"` or without the quotes.
fn parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|piece| {
        let (key, value) = piece.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const FORM: &str = "multipart/form-data; boundary=\"X-1\"";

    #[test]
    fn parts_have_names_and_exact_content() {
        let body = b"--X-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n\
            --X-1\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; name=\"b\"; filename=\"f.txt\"\r\n\r\n\r\n--X-1--\r\n";
        let found = parts(FORM, body).unwrap();
        assert_eq!((found[0].name.as_str(), found[0].content), ("a", b"1\r\n2".as_slice()));
        assert_eq!((found[1].file_name.as_deref(), found[1].content), (Some("f.txt"), b"".as_slice()));
    }

    #[test]
    fn a_form_without_an_end_is_refused() {
        for body in ["", "--X-1", "--X-1\r\n\r\n", "--X-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"] {
            assert!(parts(FORM, body.as_bytes()).is_err(), "{body:?}");
        }
        assert!(parts("multipart/form-data", b"").is_err());
    }
}
