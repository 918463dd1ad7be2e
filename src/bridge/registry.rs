//! The bots and channels that run now.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use dashmap::DashMap;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::bell::Bell;
use crate::domain::{BotId, Channel, ChannelId, Script, TelegramBotId};
use crate::ports::{ChannelState, ChannelStatus, Clock, Connect, Messenger};

/// Everything that is configured, by id. Replaced piece by piece; readers never wait.
pub struct Registry {
    bots: DashMap<BotId, Arc<Script>>,
    channels: DashMap<ChannelId, Arc<Running>>,
    connect: Arc<dyn Connect>,
    clock: Arc<dyn Clock>,
    /// Rings when a channel's state has changed.
    pub changed: Notify,
}

/// A channel that runs.
pub struct Running {
    /// As configured.
    pub channel: Channel,
    /// Its bot.
    pub bot: BotId,
    /// The connection.
    pub messenger: Arc<dyn Messenger>,
    /// Ends its intake.
    pub stop: CancellationToken,
    /// Calls its intake.
    pub bell: Bell,
    /// Cancelled when its intake has ended.
    pub ended: CancellationToken,
    /// The end of the intake that this one replaces: two of one channel would be in each other's way at Telegram.
    pub before: Option<CancellationToken>,
    /// Another with the same token has taken over: the webhook is that one's business.
    pub superseded: AtomicBool,
    status: Mutex<ChannelStatus>,
}

/// What a change of configuration asks of the runtime.
#[derive(Default)]
pub struct Difference {
    /// Channels whose intake is to be started.
    pub started: Vec<Arc<Running>>,
}

impl Registry {
    /// Nothing runs yet.
    pub fn new(connect: Arc<dyn Connect>, clock: Arc<dyn Clock>) -> Self {
        Self { bots: DashMap::new(), channels: DashMap::new(), connect, clock, changed: Notify::new() }
    }

    /// The script and the connection of a channel.
    pub fn channel(&self, id: ChannelId) -> Option<(Arc<Script>, Arc<Running>)> {
        let running = self.channels.get(&id)?.clone();
        let script = self.bots.get(&running.bot)?.clone();
        Some((script, running))
    }

    /// The hash of each bot, to ask Odoo for what differs.
    pub fn hashes(&self) -> std::collections::BTreeMap<BotId, String> {
        self.bots.iter().map(|bot| (*bot.key(), bot.hash.clone())).collect()
    }

    /// Takes new versions in, and drops bots that are not among `all`. Channels that are gone or are connected otherwise are stopped.
    pub fn update(&self, all: &[BotId], scripts: Vec<Script>) -> Difference {
        let all: HashSet<BotId> = all.iter().copied().collect();
        self.bots.retain(|id, _| all.contains(id));
        for script in scripts {
            self.bots.insert(script.bot, Arc::new(script));
        }
        let wanted: Vec<(BotId, Channel)> =
            self.bots.iter().flat_map(|bot| bot.channels.iter().map(|channel| (bot.bot, channel.clone())).collect::<Vec<_>>()).collect();
        self.channels.retain(|id, running| {
            let stays = wanted.iter().any(|(_, channel)| channel.id == *id);
            if !stays {
                running.stop.cancel();
            }
            stays
        });
        let mut difference = Difference::default();
        for (bot, channel) in wanted {
            let old = self.channels.get(&channel.id).map(|running| running.value().clone());
            if old.as_ref().is_some_and(|old| old.bot == bot && same_connection(&old.channel, &channel)) {
                continue;
            }
            let running = Arc::new(self.run(bot, channel, old.as_deref()));
            // Replaced at once: a message on its way never finds the channel gone.
            self.channels.insert(running.channel.id, running.clone());
            if let Some(old) = old {
                old.superseded.store(same_token(&old.channel, &running.channel), Ordering::Release);
                old.stop.cancel();
            }
            difference.started.push(running);
        }
        self.changed.notify_one();
        difference
    }

    fn run(&self, bot: BotId, channel: Channel, old: Option<&Running>) -> Running {
        let messenger = self.connect.connect(&channel.token);
        let known = old.filter(|old| same_token(&old.channel, &channel)).map(Running::status);
        let status = ChannelStatus {
            channel: channel.id,
            state: ChannelState::Stopped,
            since: self.clock.now(),
            last_update: known.as_ref().and_then(|known| known.last_update),
            last_error: None,
            username: known.and_then(|known| known.username),
        };
        Running {
            channel,
            bot,
            messenger,
            stop: CancellationToken::new(),
            bell: Bell::default(),
            ended: CancellationToken::new(),
            before: old.map(|old| old.ended.clone()),
            superseded: AtomicBool::new(false),
            status: Mutex::new(status),
        }
    }

    /// Publishes a channel's state.
    pub fn set_state(&self, running: &Running, state: ChannelState, error: Option<String>) {
        let mut status = running.status.lock().expect("no holder panics");
        if status.state != state || status.last_error != error {
            if status.state != state {
                status.since = self.clock.now();
            }
            status.state = state;
            status.last_error = error;
            self.changed.notify_one();
        }
    }

    /// Notes who the token belongs to.
    pub fn set_username(&self, running: &Running, username: Option<String>) {
        running.status.lock().expect("no holder panics").username = username;
        self.changed.notify_one();
    }

    /// Every channel's state.
    pub fn statuses(&self) -> Vec<ChannelStatus> {
        self.channels.iter().map(|running| running.status()).collect()
    }
}

impl Running {
    /// The state.
    pub fn status(&self) -> ChannelStatus {
        self.status.lock().expect("no holder panics").clone()
    }

    /// An update came.
    pub fn heard(&self, at: Timestamp) {
        self.status.lock().expect("no holder panics").last_update = Some(at);
    }

    /// The bot's number in Telegram.
    pub fn telegram_bot(&self) -> TelegramBotId {
        self.channel.telegram_bot
    }
}

/// Nothing that a running channel would have to be started anew for has changed. The rest is read from the script, which is always the newest.
fn same_connection(a: &Channel, b: &Channel) -> bool {
    same_token(a, b) && a.webhook_url == b.webhook_url
}

fn same_token(a: &Channel, b: &Channel) -> bool {
    a.token.expose_secret() == b.token.expose_secret()
}
