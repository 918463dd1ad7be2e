//! One HTTP request, read completely, and the parameters in it.

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use serde_json::{Map, Value};
use url::form_urlencoded;
use warp::http::Method;
use warp::multipart::{FormData, Part};

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

/// A body, by how it came.
#[derive(Debug)]
pub(crate) enum Body {
    Whole(Bytes),
    Parts(Vec<Field>),
    /// Too long, or cut off; the text says which.
    Broken(String),
}

/// One part of a multipart body.
#[derive(Debug)]
pub(crate) struct Field {
    pub name: String,
    pub file_name: Option<String>,
    pub bytes: Vec<u8>,
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
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All parameters of the query and the body.
    pub fn parameters(&self) -> Result<Vec<(String, Raw)>, String> {
        let mut all = texts(self.query.iter().cloned());
        match &self.body {
            Body::Broken(why) => return Err(why.clone()),
            Body::Parts(fields) => all.extend(fields.iter().map(Field::parameter)),
            Body::Whole(bytes) if self.content_type.starts_with("application/json") => {
                all.extend(json_parameters(bytes)?);
            }
            Body::Whole(bytes)
                if self
                    .content_type
                    .starts_with("application/x-www-form-urlencoded") =>
            {
                all.extend(texts(form_urlencoded::parse(bytes).into_owned()));
            }
            Body::Whole(bytes) if bytes.is_empty() => {}
            Body::Whole(_) => {
                return Err(format!(
                    "content type {:?} is not understood",
                    self.content_type
                ));
            }
        }
        Ok(all)
    }

    /// The body as JSON, whatever its content type says.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, String> {
        match &self.body {
            Body::Whole(bytes) => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
            Body::Parts(_) => Err("expected JSON".to_owned()),
            Body::Broken(why) => Err(why.clone()),
        }
    }
}

impl Field {
    fn parameter(&self) -> (String, Raw) {
        let raw = match self.file_name {
            Some(_) => Raw::File,
            None => Raw::Text(String::from_utf8_lossy(&self.bytes).into_owned()),
        };
        (self.name.clone(), raw)
    }
}

/// JSON parameters; an empty body has none, as with the real server.
pub(crate) fn json_parameters(bytes: &[u8]) -> Result<Vec<(String, Raw)>, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let object: Map<String, Value> = serde_json::from_slice(bytes)
        .map_err(|error| format!("can't parse request JSON object: {error}"))?;
    Ok(object
        .into_iter()
        .map(|(key, value)| (key, Raw::Json(value)))
        .collect())
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
    form_urlencoded::parse(form.as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// Reads a body that is no multipart form.
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

/// Reads a multipart form.
pub(crate) async fn read_parts(mut form: FormData) -> Body {
    let mut fields = Vec::new();
    let mut total = 0;
    while let Some(part) = form.next().await {
        let field = match part {
            Ok(part) => read_part(part).await,
            Err(error) => Err(error.to_string()),
        };
        match field {
            Ok(field) => fields.push(field),
            Err(why) => return Body::Broken(why),
        }
        total += fields.last().map_or(0, |field| field.bytes.len());
        if total > BODY_MOST {
            return Body::Broken("the body is too large".to_owned());
        }
    }
    Body::Parts(fields)
}

async fn read_part(part: Part) -> Result<Field, String> {
    let (name, file_name) = (part.name().to_owned(), part.filename().map(str::to_owned));
    match read_whole(part.stream()).await {
        Body::Whole(bytes) => Ok(Field {
            name,
            file_name,
            bytes: bytes.to_vec(),
        }),
        Body::Broken(why) => Err(why),
        Body::Parts(_) => unreachable!("read_whole never makes parts"),
    }
}
