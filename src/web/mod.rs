//! What the bridge listens to: health, metrics, nudges. The only user of warp besides the sandbox.

mod nudge;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use warp::http::StatusCode;
use warp::{Filter, Reply};

use crate::bridge::{Metrics, Nudges, Ready};

pub use nudge::Secret;

/// The longest body that anybody may send here, in bytes.
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
    /// The key that signs nudges.
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
    let nudge = warp::path!("odoo" / "nudge")
        .and(warp::post())
        .and(warp::header("x-chatbridge-timestamp"))
        .and(warp::header("x-chatbridge-signature"))
        .and(warp::body::content_length_limit(LONGEST_BODY))
        .and(warp::body::bytes())
        .and(given)
        .map(|timestamp: String, signature: String, body: bytes::Bytes, pages: Pages| {
            let now = jiff::Timestamp::now().as_second();
            if pages.secret.signed(&timestamp, &body, &signature, now) {
                pages.metrics.nudges.inc();
                pages.nudges.ring();
                StatusCode::NO_CONTENT
            } else {
                StatusCode::UNAUTHORIZED
            }
        });
    health.or(ready).or(metrics).or(nudge)
}
