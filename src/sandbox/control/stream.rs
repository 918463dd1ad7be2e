//! Server-sent events for the page: every chat of a bot, as it changes.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;
use warp::Reply;
use warp::reply::Response;
use warp::sse::Event;

use super::super::answer::json_response;
use super::super::house::House;
use super::super::request::Request;
use super::super::view;
use super::look::parameter;

/// What one open page has seen.
struct Watcher {
    house: Arc<House>,
    bot: i64,
    user: Option<i64>,
    changes: watch::Receiver<u64>,
    seen: HashMap<i64, u64>,
    customers: usize,
    ready: VecDeque<(&'static str, Value)>,
}

/// `GET /sandbox/stream?bot=…[&user=…]`: `chat` events like `/sandbox/chat`, `customers` when there are more or fewer.
pub(super) fn open(house: &Arc<House>, request: &Request) -> Response {
    let user = parameter(request, "user").unwrap_or(None);
    let world = house.world();
    let Some(bot) = request.query("bot").and_then(|name| world.bot(name)).map(|bot| bot.id) else {
        let body = json!({"error": "no such bot"}).to_string();
        return json_response(warp::http::StatusCode::NOT_FOUND, body).into_response();
    };
    let changes = world.stream.subscribe();
    let (seen, ready) = (HashMap::new(), VecDeque::new());
    let mut watcher = Watcher { house: Arc::clone(house), bot, user, changes, seen, customers: world.customers.len(), ready };
    drop(world);
    watcher.changes.mark_changed();
    let events = futures_util::stream::unfold(watcher, |watcher| watcher.next());
    warp::sse::reply(warp::sse::keep_alive().stream(events)).into_response()
}

impl Watcher {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some((name, value)) = self.ready.pop_front() {
                return Some((Ok(Event::default().event(name).data(value.to_string())), self));
            }
            tokio::select! {
                changed = self.changes.changed() => changed.ok()?,
                () = self.house.closed() => return None,
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let house = Arc::clone(&self.house);
        let world = house.world();
        if world.customers.len() != self.customers {
            self.customers = world.customers.len();
            self.ready.push_back(("customers", json!({"count": self.customers})));
        }
        let Some(bot) = world.bots.get(&self.bot) else {
            return;
        };
        for (user, chat) in bot.chats.iter().filter(|(user, _)| self.user.is_none_or(|only| only == **user)) {
            let (seq, seen) = (*chat.seq.borrow(), self.seen.entry(*user).or_insert(0));
            if seq > *seen {
                self.ready.push_back(("chat", view::chat(bot, *user, *seen)));
                *seen = seq;
            }
        }
    }
}
