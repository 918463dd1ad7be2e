//! Updates that Telegram delivers: `docs/protocol.md`, «The webhook».

use bytes::Bytes;
use warp::Reply;
use warp::http::StatusCode;
use warp::reply::Response;

use super::Pages;
use crate::bridge::Delivered;

/// The longest update, in bytes; Telegram's own are far shorter.
pub(super) const LONGEST: u64 = 1024 * 1024;

/// When Telegram is to bring an update again, in seconds: without a word it would wait longer and longer.
const AGAIN: u32 = 2;

/// Answers a delivery.
pub(super) async fn answer(channel: i64, secret: Option<String>, update: Bytes, pages: Pages) -> Response {
    match pages.deliveries.take(channel, secret.as_deref().unwrap_or_default(), &update).await {
        Delivered::Taken => StatusCode::OK.into_response(),
        Delivered::WrongSecret => StatusCode::UNAUTHORIZED.into_response(),
        Delivered::NoSuchChannel => StatusCode::NOT_FOUND.into_response(),
        Delivered::NotNow => warp::reply::with_header(StatusCode::SERVICE_UNAVAILABLE, "retry-after", AGAIN).into_response(),
    }
}
