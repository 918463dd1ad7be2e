//! Calls of Odoo's forms: `docs/protocol.md`, «The call».

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use warp::Reply;
use warp::http::StatusCode;
use warp::reply::Response;

use super::Pages;
use crate::bridge::{Call, Checked};

/// The body of a call.
#[derive(Deserialize)]
struct Asked {
    database_uuid: String,
    call: Name,
    channel: i64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Refresh,
    Run,
}

/// What Odoo gets.
#[derive(Serialize)]
struct Answer {
    ok: bool,
    answer: String,
    username: Option<String>,
}

/// Answers a call; no body where the signature was wrong.
pub(super) async fn answer(body: Option<Bytes>, pages: Pages) -> Response {
    let Some(body) = body else { return StatusCode::UNAUTHORIZED.into_response() };
    let Ok(asked) = serde_json::from_slice::<Asked>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    pages.metrics.calls.inc();
    let call = match asked.call {
        Name::Refresh => Call::Refresh,
        Name::Run => Call::Run,
    };
    let Checked { ok, answer, username } = pages.calls.answer(&asked.database_uuid, call, asked.channel).await;
    warp::reply::json(&Answer { ok, answer, username }).into_response()
}
