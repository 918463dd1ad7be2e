//! The sandbox as an HTTP server.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use warp::http::{HeaderMap, Method, StatusCode};
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Reply};

use super::house::House;
use super::options::Options;
use super::request::{self, Body, Request};
use super::{api, control};

const PAGE: &str = include_str!("page.html");

/// A sandbox that has its port and waits to serve.
#[derive(Debug)]
pub struct Sandbox {
    house: Arc<House>,
    listener: TcpListener,
    addr: SocketAddr,
}

impl Sandbox {
    /// Takes the port and makes the bots of the options.
    ///
    /// # Errors
    /// The port is taken, or a bot is described wrongly.
    pub async fn bind(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.addr).await?;
        let addr = listener.local_addr()?;
        let bots = options.bots.clone();
        let house = House::new(options).map_err(io::Error::other)?;
        for bot in bots {
            house.put_bot(bot).map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        }
        Ok(Self { house, listener, addr })
    }

    /// The address it listens at.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL, without a slash at the end: what a bot takes instead of `https://api.telegram.org`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Serves until `shutdown` is done; then waiting requests are answered at once and connections end.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) {
        let house = Arc::clone(&self.house);
        let closing = async move {
            shutdown.await;
            house.closing.send_replace(true);
        };
        warp::serve(routes(self.house)).incoming(self.listener).graceful(closing).run().await;
    }
}

fn routes(house: Arc<House>) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let whole = warp::body::stream().then(request::read_whole);
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(whole)
        .map(|method, path: FullPath, query: String, headers: HeaderMap, body| read(method, path.as_str(), &query, &headers, body))
        .then(move |request| answer(Arc::clone(&house), request))
        .recover(|_rejection| async { Ok::<_, Infallible>(StatusCode::BAD_REQUEST) })
        .map(Reply::into_response)
}

fn read(method: Method, path: &str, query: &str, headers: &HeaderMap, body: Body) -> Request {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    Request {
        method,
        path: request::path_segments(path),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        content_type: kind.to_owned(),
        body,
    }
}

async fn answer(house: Arc<House>, request: Request) -> Response {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match path[..] {
        [""] => warp::reply::html(PAGE).into_response(),
        ["sandbox", ref rest @ ..] => control::handle(&house, rest, &request).await,
        [first, method] if first.starts_with("bot") => api::handle(&house, first.trim_start_matches("bot"), method, &request).await,
        _ => api::not_found(),
    }
}
