//! One HTTP request, read completely, and the parameters in it.

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use serde_json::{Map, Value};
use url::form_urlencoded;
use warp::http::Method;

use super::multipart;

/// No body may be larger: Telegram's upload limit.
const BODY_MOST: usize = 50 * 1024 * 1024;

/// A request after its body was read.
#[derive(Debug)]
pub(crate) struct Request {
    pub method: Method,
    /// The decoded parts of the path between slashes, the empty first one left out.
    pub path: Vec<String>,
    pub query: Vec<(String, String)>,
    pub content_type: String,
    pub body: Body,
}

/// A body.
#[derive(Debug)]
pub(crate) enum Body {
    Whole(Bytes),
    /// Too long, or cut off; the text says which.
    Broken(String),
}

/// Parameters as they came: JSON keeps its types, everything else is text that the method's description gives a type.
#[derive(Clone, Debug)]
pub(crate) enum Raw {
    Json(Value),
    Text(String),
    File,
}

impl Request {
    /// The value of a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn is(&self, kind: &str) -> bool {
        self.content_type.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind))
    }

    /// All parameters of the query and the body.
    pub fn parameters(&self) -> Result<Vec<(String, Raw)>, String> {
        let mut all = texts(self.query.iter().cloned());
        match &self.body {
            Body::Broken(why) => return Err(why.clone()),
            Body::Whole(bytes) if self.is("application/json") => {
                all.extend(json_parameters(bytes)?);
            }
            Body::Whole(bytes) if self.is("application/x-www-form-urlencoded") => {
                all.extend(texts(form_urlencoded::parse(bytes).into_owned()));
            }
            Body::Whole(bytes) if self.is("multipart/form-data") => {
                all.extend(form_parameters(&self.content_type, bytes)?);
            }
            Body::Whole(bytes) if bytes.is_empty() => {}
            Body::Whole(_) => {
                return Err(format!("content type {:?} is not understood", self.content_type));
            }
        }
        Ok(all)
    }

    /// The body as JSON, whatever its content type says.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, String> {
        match &self.body {
            Body::Whole(bytes) => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
            Body::Broken(why) => Err(why.clone()),
        }
    }
}

/// Parameters of a multipart form; a file is told from text by its file name.
fn form_parameters(content_type: &str, body: &[u8]) -> Result<Vec<(String, Raw)>, String> {
    let raw = |part: multipart::Part<'_>| match part.file_name {
        Some(_) => (part.name, Raw::File),
        None => (part.name, Raw::Text(String::from_utf8_lossy(part.content).into_owned())),
    };
    Ok(multipart::parts(content_type, body)?.into_iter().map(raw).collect())
}

/// JSON parameters; an empty body has none, as with the real server.
pub(crate) fn json_parameters(bytes: &[u8]) -> Result<Vec<(String, Raw)>, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| format!("can't parse request JSON object: {error}"))?;
    Ok(object.into_iter().map(|(key, value)| (key, Raw::Json(value))).collect())
}

/// Form parameters.
pub(crate) fn texts(pairs: impl Iterator<Item = (String, String)>) -> Vec<(String, Raw)> {
    pairs.map(|(key, value)| (key, Raw::Text(value))).collect()
}

/// Splits a path and undoes its percent signs.
pub(crate) fn path_segments(path: &str) -> Vec<String> {
    path.split('/').skip(1).map(percent_decoded).collect()
}

fn percent_decoded(segment: &str) -> String {
    // A plus sign in a path is itself; only in forms is it a space.
    let form = format!("x={}", segment.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(form.as_bytes()).next().map_or_else(String::new, |(_, value)| value.into_owned())
}

/// Reads a body to its end, which keeps the connection usable.
pub(crate) async fn read_whole<S, B, E>(stream: S) -> Body
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let mut stream = std::pin::pin!(stream);
    let mut whole = Vec::new();
    while let Some(piece) = stream.next().await {
        let Ok(mut piece) = piece else {
            return Body::Broken("the body was cut off".to_owned());
        };
        if whole.len() + piece.remaining() > BODY_MOST {
            return Body::Broken("the body is too large".to_owned());
        }
        whole.extend_from_slice(&piece.copy_to_bytes(piece.remaining()));
    }
    Body::Whole(whole.into())
}
