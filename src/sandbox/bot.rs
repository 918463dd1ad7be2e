//! A bot: who it is, its chats, its updates, its webhook.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::callback::Query;
use super::chat::Chat;
use super::options::BotSpec;
use super::queue::Queue;
use super::webhook::Webhook;

/// One bot and all that belongs to it.
#[derive(Debug)]
pub(crate) struct Bot {
    pub id: i64,
    pub spec: BotSpec,
    pub chats: BTreeMap<i64, Chat>,
    pub queue: Queue,
    pub webhook: Option<Webhook>,
    /// Counts `getUpdates` and `setWebhook` calls, so that an older long poll sees that it was replaced.
    pub polls: u64,
    /// Polls that are open now.
    pub polling: usize,
    /// The last `getUpdates`: its offset and when, for the brake.
    pub last_poll: Option<(i64, std::time::Instant)>,
    /// The kinds wanted; empty is the default set.
    pub allowed: Vec<String>,
    pub queries: HashMap<String, Query>,
    /// Commands by scope (as JSON) and language.
    pub commands: BTreeMap<(String, String), Value>,
    /// Moves whenever updates, webhook or pollers change.
    pub stirred: watch::Sender<u64>,
}

impl Bot {
    /// `None` when the token is malformed.
    pub fn new(spec: BotSpec) -> Option<Self> {
        let id = token_id(&spec.token)?;
        Some(Self {
            id,
            spec,
            chats: BTreeMap::new(),
            queue: Queue::default(),
            webhook: None,
            polls: 0,
            polling: 0,
            last_poll: None,
            allowed: Vec::new(),
            queries: HashMap::new(),
            commands: BTreeMap::new(),
            stirred: watch::Sender::new(0),
        })
    }

    /// Wakes pollers and the webhook's deliveries.
    pub fn stir(&self) {
        self.stirred.send_modify(|count| *count += 1);
    }

    /// Telegram's `User`, as the sender of messages.
    pub fn user(&self) -> Value {
        json!({
            "id": self.id, "is_bot": true,
            "first_name": self.spec.first_name, "username": self.spec.username,
        })
    }

    /// Telegram's `User`, as `getMe` answers it.
    pub fn me(&self) -> Value {
        let mut me = self.user();
        me["can_join_groups"] = true.into();
        for no in [
            "can_read_all_group_messages",
            "supports_guest_queries",
            "supports_inline_queries",
            "can_connect_to_business",
            "has_main_web_app",
            "has_topics_enabled",
            "allows_users_to_create_topics",
            "can_manage_bots",
            "supports_join_request_queries",
        ] {
            me[no] = false.into();
        }
        me
    }

    /// Whether updates of this kind are made at all.
    pub fn wants(&self, kind: &str) -> bool {
        const ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];
        if self.allowed.is_empty() { !ON_REQUEST.contains(&kind) } else { self.allowed.iter().any(|one| one == kind) }
    }
}

/// The bot's id, if the token is well formed.
pub(crate) fn token_id(token: &str) -> Option<i64> {
    let (id, secret) = token.split_once(':')?;
    let known = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let whole = !secret.is_empty() && secret.chars().all(known) && token.len() <= 80 && !id.starts_with('0');
    id.parse().ok().filter(|id: &i64| whole && *id > 0)
}
