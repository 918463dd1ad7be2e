//! What the bridge listens to: health, metrics, nudges and calls of Odoo, deliveries of Telegram. The only user of warp besides the sandbox.

mod call;
mod delivery;
mod secret;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use warp::http::StatusCode;
use warp::{Filter, Reply};

use crate::bridge::{Calls, Deliveries, Metrics, Nudges, Ready};

pub use secret::Secret;

/// The longest body that Odoo may send here, in bytes.
const LONGEST_BODY: u64 = 64 * 1024;

/// What the pages show and whom they tell.
#[derive(Clone)]
pub struct Pages {
    /// Whether the bridge is ready.
    pub ready: Arc<Ready>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// Whom to tell of nudges.
    pub nudges: Arc<Nudges>,
    /// Who answers calls of Odoo's forms.
    pub calls: Calls,
    /// Who takes in what Telegram delivers.
    pub deliveries: Deliveries,
    /// The key that signs nudges and calls.
    pub secret: Secret,
}

/// Takes the port, so that a port in use is one clear error and no panic.
pub async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until `stop` ends.
///
/// - `GET /healthz`: 200 while the process lives.
/// - `GET /readyz`: 200 and one line while it works, 503 and the reason otherwise.
/// - `GET /metrics`: Prometheus text.
/// - `POST /odoo/nudge`: signed by the addon; 204, or 401.
/// - `POST /odoo/call`: signed likewise; 200 with the answer, 401, 400 for what is no call.
/// - `POST /telegram/<channel>`: an update; 200, 401, 404, 413, or 503 to have it brought again.
pub async fn serve(listener: TcpListener, pages: Pages, stop: impl Future<Output = ()> + Send + 'static) {
    warp::serve(routes(pages)).incoming(listener).graceful(stop).run().await;
}

fn routes(pages: Pages) -> impl Filter<Extract = (impl Reply,), Error = warp::Rejection> + Clone + Send + Sync + 'static {
    let given = warp::any().map(move || pages.clone());
    let health = warp::path!("healthz").and(warp::get()).map(|| warp::reply::with_status("alive\n".to_owned(), StatusCode::OK));
    let ready = warp::path!("readyz").and(warp::get()).and(given.clone()).map(|pages: Pages| {
        let (ready, line) = pages.ready.get();
        warp::reply::with_status(format!("{line}\n"), if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
    });
    let metrics = warp::path!("metrics").and(warp::get()).and(given.clone()).map(|pages: Pages| {
        warp::reply::with_header(pages.metrics.render(), "content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
    });
    let nudge = warp::path!("odoo" / "nudge").and(warp::post()).and(signed(given.clone())).map(|body: Option<bytes::Bytes>, pages: Pages| {
        if body.is_none() {
            return StatusCode::UNAUTHORIZED;
        }
        pages.metrics.nudges.inc();
        pages.nudges.ring();
        StatusCode::NO_CONTENT
    });
    let call = warp::path!("odoo" / "call").and(warp::post()).and(signed(given.clone())).then(call::answer);
    let delivery = warp::path!("telegram" / i64)
        .and(warp::post())
        .and(warp::header::optional("x-telegram-bot-api-secret-token"))
        .and(warp::body::content_length_limit(delivery::LONGEST))
        .and(warp::body::bytes())
        .and(given)
        .then(delivery::answer);
    health.or(ready).or(metrics).or(nudge).or(call).or(delivery)
}

/// The body, where Odoo has signed it lately.
fn signed(
    given: impl Filter<Extract = (Pages,), Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
) -> impl Filter<Extract = (Option<bytes::Bytes>, Pages), Error = warp::Rejection> + Clone + Send + Sync + 'static {
    warp::header("x-chatbridge-timestamp")
        .and(warp::header("x-chatbridge-signature"))
        .and(warp::body::content_length_limit(LONGEST_BODY))
        .and(warp::body::bytes())
        .and(given)
        .map(|timestamp: String, signature: String, body: bytes::Bytes, pages: Pages| {
            let now = jiff::Timestamp::now().as_second();
            (pages.secret.signed(&timestamp, &body, &signature, now).then_some(body), pages)
        })
        .untuple_one()
}
