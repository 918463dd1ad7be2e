//! A strict HTTP server for tests: it answers as it is told, and remembers what it was asked.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod bot;
pub mod log;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What came.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    /// Head of the request, in lower case.
    pub head: String,
    pub body: Value,
}

impl Request {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Status, further header lines, body.
    Answer(u16, Vec<(String, String)>, String),
    /// Takes the request and closes the connection.
    Cut,
    /// Begins an answer and closes the connection.
    HalfAndCut,
    /// Takes the request and says nothing for a long time.
    Silence,
}

impl Reply {
    /// An answer in JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::Answer(status, vec![], body.to_string())
    }

    /// A page.
    pub fn html(status: u16) -> Self {
        Self::Answer(status, vec![], "<html><body>secret page</body></html>".to_owned())
    }

    /// With a further header.
    pub fn with_header(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name.to_owned(), value.to_owned()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }
}

type Handler = dyn FnMut(&Request) -> Reply + Send;

/// The server; ends with the value.
pub struct Peer {
    pub url: String,
    seen: Arc<Mutex<Vec<Request>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Peer {
    /// Answers each request by this function.
    pub async fn start(handler: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let seen = Arc::new(Mutex::new(vec![]));
        let handler: Arc<Mutex<Handler>> = Arc::new(Mutex::new(handler));
        let task = tokio::spawn(accept(listener, handler, Arc::clone(&seen)));
        Self { url, seen, task }
    }

    /// Answers with these, in order; a request too many gets a 599 and is seen by `seen`.
    pub async fn scripted(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut replies: VecDeque<Reply> = replies.into_iter().collect();
        Self::start(move |_| replies.pop_front().unwrap_or_else(|| Reply::html(599))).await
    }

    /// All that came.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("no panic").clone()
    }

    /// The paths that came, in order: fails where they are not these.
    pub fn expect_paths(&self, paths: &[&str]) {
        let seen = self.seen();
        assert_eq!(seen.iter().map(|request| request.path.as_str()).collect::<Vec<_>>(), paths);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, handler: Arc<Mutex<Handler>>, seen: Arc<Mutex<Vec<Request>>>) {
    loop {
        let (stream, _) = listener.accept().await.expect("open");
        tokio::spawn(serve(stream, Arc::clone(&handler), Arc::clone(&seen)));
    }
}

async fn serve(mut stream: TcpStream, handler: Arc<Mutex<Handler>>, seen: Arc<Mutex<Vec<Request>>>) {
    let Some(request) = read(&mut stream).await else { return };
    seen.lock().expect("no panic").push(request.clone());
    let reply = (handler.lock().expect("no panic"))(&request);
    match reply {
        Reply::Cut => {}
        Reply::Silence => tokio::time::sleep(Duration::from_secs(3600)).await,
        Reply::HalfAndCut => drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"ok\":true,").await),
        Reply::Answer(status, headers, body) => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
            drop(stream.write_all(format!("{head}{body}").as_bytes()).await);
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = vec![];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let path = head.split(' ').nth(1)?.to_owned();
    let head = head.to_lowercase();
    let mut request = Request { path, head, body: Value::Null };
    let length: usize = request.header("content-length").map_or(0, |length| length.parse().expect("a number"));
    while bytes.len() < end + 4 + length {
        stream.read_buf(&mut bytes).await.ok()?;
    }
    request.body = serde_json::from_slice(&bytes[end + 4..]).expect("adapters send JSON");
    Some(request)
}
