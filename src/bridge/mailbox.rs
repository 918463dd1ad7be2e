//! One ordered mailbox per chat. Chats are independent: one that is stuck, or at which the engine fails, never stops another.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::run::Shared;
use super::turn;
use crate::domain::{ChatKey, ChatRecord, Incoming};
use crate::ports::{Cause, Class, Failure};

/// Letters that wait for one chat; more than a poll can bring for one chat.
const CAPACITY: usize = 256;
/// A mailbox that is idle so long is cleared away.
const IDLE: Duration = Duration::from_secs(60);

/// Something that happened in a chat.
pub struct Letter {
    /// The update or event that it came in; none for what the bridge itself found out.
    pub cause: Option<Cause>,
    /// What happened.
    pub event: Incoming,
    /// When it was taken in.
    pub taken: Instant,
    /// The poll (of Telegram or of Odoo) that brought it. When one letter of a poll fails, those behind it fail too: they come again together, in order.
    pub poll: Option<u64>,
    /// Told when it is safe in the store, or why it is not.
    pub done: Option<oneshot::Sender<Result<(), Failure>>>,
    /// Something is under way as long as this is there.
    #[expect(dead_code, reason = "held, never read")]
    pub busy: TaskTrackerToken,
}

/// All mailboxes.
#[derive(Default)]
pub struct Mailboxes(DashMap<ChatKey, mpsc::Sender<Letter>>);

impl Mailboxes {
    /// Puts a letter into the mailbox of its chat, in order with those before it. Never waits; false when the mailbox is full.
    pub fn post(&self, shared: &Arc<Shared>, chat: ChatKey, letter: Letter) -> bool {
        // Sending happens under the map's lock, and so does clearing away: no letter falls between.
        match self.0.entry(chat) {
            Entry::Occupied(mut entry) => match entry.get().try_send(letter) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => return false,
                Err(mpsc::error::TrySendError::Closed(letter)) => drop(entry.insert(open(shared, chat, letter))),
            },
            Entry::Vacant(entry) => drop(entry.insert(open(shared, chat, letter))),
        }
        true
    }

    fn clear_if_idle(&self, chat: ChatKey, letters: &mpsc::Receiver<Letter>) -> bool {
        self.0.remove_if(&chat, |_, _| letters.is_empty()).is_some()
    }
}

fn open(shared: &Arc<Shared>, chat: ChatKey, first: Letter) -> mpsc::Sender<Letter> {
    let (sender, letters) = mpsc::channel(CAPACITY);
    sender.try_send(first).expect("a new channel has room");
    shared.spawn(work(shared.clone(), chat, letters));
    sender
}

/// Works a mailbox until it has been idle for a while.
async fn work(shared: Arc<Shared>, chat: ChatKey, mut letters: mpsc::Receiver<Letter>) {
    let mut record: Option<ChatRecord> = None;
    let mut failed = FailedPolls::default();
    loop {
        let letter = tokio::select! {
            biased;
            letter = letters.recv() => letter,
            () = tokio::time::sleep(IDLE) => {
                if shared.mailboxes.clear_if_idle(chat, &letters) {
                    break;
                }
                continue;
            }
            () = shared.stop.cancelled() => break,
        };
        let Some(mut letter) = letter else { break };
        let failed_poll = failed.of(&letter);
        let outcome = if letter.poll.is_some() && letter.poll == *failed_poll {
            Err(Failure::new(Class::Transient, "what came before it has to come again first"))
        } else {
            turn::take(&shared, chat, &mut record, &letter).await
        };
        // A letter that no poll brought leaves what is known of the last one.
        if outcome.is_err() && letter.poll.is_some() {
            *failed_poll = letter.poll;
        }
        if let Some(done) = letter.done.take() {
            // Where nobody waits any more, the intake has been stopped, and the update will come again.
            let _ = done.send(outcome);
        }
    }
}

/// The polls whose letters fail until they come again: of each side, the last one.
#[derive(Default)]
struct FailedPolls {
    telegram: Option<u64>,
    odoo: Option<u64>,
}

impl FailedPolls {
    fn of(&mut self, letter: &Letter) -> &mut Option<u64> {
        match letter.cause {
            Some(Cause::Event(_)) => &mut self.odoo,
            Some(Cause::Update(..)) | None => &mut self.telegram,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use async_trait::async_trait;
    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::super::run::{Bridge, Parts, Settings};
    use super::super::turn::lane_of;
    use super::*;
    use crate::domain::{
        BotId, Channel, ChannelId, ChatId, Content, EventId, EventKey, FromOdoo, Localized, OdooEvent, Operation, OperationBody, Profile, Request,
        Script, TelegramBotId, Texts, UpdateId, UserId,
    };
    use crate::ports::{
        Applied, Backend, BackendEvent, Claim, Configuration, Connect, Heartbeat, Hello, Identity, Messenger, OpenConversation, Pulse, Store,
        SystemClock, Update, Welcome,
    };
    use crate::store::MemoryStore;

    /// A world that nobody asks for anything.
    struct Nobody;

    #[async_trait]
    #[rustfmt::skip]
    impl Backend for Nobody {
        async fn handshake(&self, _: &Hello) -> Result<Welcome, Failure> { unreachable!() }
        async fn heartbeat(&self, _: &Claim, _: &Heartbeat) -> Result<Pulse, Failure> { unreachable!() }
        async fn configuration(&self, _: &Claim, _: &BTreeMap<BotId, String>) -> Result<Configuration, Failure> { unreachable!() }
        async fn apply(&self, _: &Claim, _: &[Operation]) -> Result<Vec<Applied>, Failure> { unreachable!() }
        async fn open_conversation(&self, _: &Claim, _: ChannelId, _: UserId) -> Result<Option<OpenConversation>, Failure> { unreachable!() }
        async fn events(&self, _: &Claim, _: u32) -> Result<Vec<BackendEvent>, Failure> { unreachable!() }
        async fn done(&self, _: &Claim, _: &[EventId]) -> Result<(), Failure> { unreachable!() }
    }

    #[async_trait]
    #[rustfmt::skip]
    impl Messenger for Nobody {
        async fn me(&self) -> Result<Identity, Failure> { unreachable!() }
        async fn set_webhook(&self, _: &str, _: &SecretString) -> Result<String, Failure> { unreachable!() }
        async fn delete_webhook(&self) -> Result<String, Failure> { unreachable!() }
        async fn webhook(&self) -> Result<crate::ports::Webhook, Failure> { unreachable!() }
        fn read_update(&self, _: &[u8]) -> Option<Update> { unreachable!() }
        async fn updates(&self, _: Option<UpdateId>, _: Duration) -> Result<Vec<Update>, Failure> { unreachable!() }
        async fn perform(&self, _: ChatId, _: &Request) -> Result<crate::domain::MessageId, Failure> { unreachable!() }
        async fn answer_tap(&self, _: &str) -> Result<(), Failure> { unreachable!() }
    }

    impl Connect for Nobody {
        fn connect(&self, _: &SecretString) -> Arc<dyn Messenger> {
            Arc::new(Self)
        }
    }

    /// A consultation desk: what is written there is recorded, and not answered.
    fn desk() -> Script {
        Script {
            bot: BotId(3),
            hash: String::new(),
            name: "Desk".to_owned(),
            client: false,
            language: "en_US".to_owned(),
            wait_for_start: false,
            odoo_operators_only: false,
            texts: Texts::default(),
            channels: vec![Channel {
                id: ChannelId(7),
                telegram_bot: TelegramBotId(1),
                token: SecretString::from("1:A"),
                send_operator_name: false,
                join_message: true,
                end_message: true,
                webhook_url: None,
            }],
            steps: HashMap::new(),
            first: None,
            aliases: HashMap::new(),
            inline: HashMap::new(),
        }
    }

    fn shared(store: &MemoryStore) -> Arc<Shared> {
        let parts = Parts {
            store: Arc::new(store.clone()),
            backend: Arc::new(Nobody),
            connect: Arc::new(Nobody),
            clock: Arc::new(SystemClock),
            read_script: |_| unreachable!(),
        };
        let bridge = Bridge::new(parts, Settings { instance: String::new(), nudge_url: None, nudge_secret: String::new() });
        drop(bridge.shared().registry.update(&[BotId(3)], vec![desk()]));
        bridge.shared()
    }

    fn letter(shared: &Shared, chat: i64, number: i64) -> (Letter, oneshot::Receiver<Result<(), Failure>>) {
        let profile = Profile { user: UserId(chat), first_name: "A".to_owned(), last_name: None, username: None, language_code: None };
        let content = Content::Text(number.to_string());
        let event = Incoming { chat: ChatId(chat), profile, at: jiff::Timestamp::UNIX_EPOCH, message: None, content };
        let (done, safe) = oneshot::channel();
        let cause = Some(Cause::Update(TelegramBotId(1), UpdateId(number)));
        (Letter { cause, event, taken: Instant::now(), poll: Some(0), done: Some(done), busy: shared.busy.token() }, safe)
    }

    fn key(chat: i64) -> ChatKey {
        ChatKey { channel: ChannelId(7), chat: ChatId(chat) }
    }

    /// What was written of each chat, in order.
    fn written(store: &MemoryStore, chat: i64) -> Vec<String> {
        let conversation = store.chat(key(chat)).expect("readable").and_then(|record| record.conversation).expect("open").key;
        let stored = store.operations(lane_of(key(chat)), usize::MAX).expect("readable");
        let line = |body| match body {
            OperationBody::Message { conversation: of, body, .. } if of == conversation => Some(body),
            _ => None,
        };
        stored.into_iter().filter_map(|stored| line(stored.operation.body)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Mailboxes are cleared away when idle, and no letter is lost or overtaken however close to that moment it comes.
        #[test]
        fn an_idle_mailbox_is_cleared_away_without_losing_a_letter(
            letters in prop::collection::vec((0i64..3, prop_oneof![Just(0), 1u64..50, 59_990u64..60_010, 100_000u64..130_000]), 1..60)
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
            runtime.block_on(async {
                let store = MemoryStore::new();
                let shared = shared(&store);
                let (mut expected, mut waiting) = (HashMap::<i64, Vec<String>>::new(), Vec::new());
                for (number, (chat, pause)) in (0..).zip(letters) {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    let (letter, safe) = letter(&shared, chat, number);
                    let taken = shared.mailboxes.post(&shared, key(chat), letter);
                    prop_assert!(taken);
                    expected.entry(chat).or_default().push(number.to_string());
                    waiting.push(safe);
                }
                for safe in waiting {
                    prop_assert_eq!(safe.await, Ok(Ok(())));
                }
                for (chat, expected) in expected {
                    prop_assert_eq!(written(&store, chat), expected);
                }
                prop_assert!(shared.busy.is_empty());
                tokio::time::sleep(IDLE * 2).await;
                prop_assert!(shared.mailboxes.0.is_empty());
                Ok(())
            })?;
        }
    }

    #[tokio::test]
    async fn a_mailbox_with_a_letter_in_it_is_not_cleared_away() {
        let shared = shared(&MemoryStore::new());
        let (sender, mut letters) = mpsc::channel(CAPACITY);
        sender.try_send(letter(&shared, 1, 0).0).expect("there is room");
        shared.mailboxes.0.insert(key(1), sender);
        assert!(!shared.mailboxes.clear_if_idle(key(1), &letters));
        letters.recv().await.expect("the letter");
        assert!(shared.mailboxes.clear_if_idle(key(1), &letters));
    }

    #[tokio::test]
    async fn a_full_mailbox_says_so_and_keeps_what_it_has() {
        let store = MemoryStore::new();
        let shared = shared(&store);
        // The task that works the mailbox does not run before this one waits.
        let posted: Vec<_> =
            (0..300).map(|number| letter(&shared, 1, number)).map(|(letter, safe)| (shared.mailboxes.post(&shared, key(1), letter), safe)).collect();
        assert_eq!(posted.iter().filter(|(taken, _)| *taken).count(), CAPACITY);
        for (taken, safe) in posted {
            assert_eq!(safe.await.is_ok(), taken);
        }
        assert_eq!(written(&store, 1), (0..CAPACITY).map(|number| number.to_string()).collect::<Vec<_>>());
    }

    /// An event of Odoo's that fails in between does not let a failed poll's letters pass.
    #[tokio::test]
    async fn letters_of_either_side_fail_by_themselves() {
        let store = MemoryStore::new();
        let shared = shared(&store);
        let event = |shared: &Shared, number: u128| {
            let (letter, safe) = letter(shared, 1, 0);
            let text = OdooEvent::Say { text: Localized::single("en_US", &format!("event {number}")) };
            let content = Content::Odoo(FromOdoo { conversation: None, what: text });
            let cause = Some(Cause::Event(EventKey(ulid::Ulid(number))));
            (Letter { cause, poll: Some(7), event: Incoming { content, ..letter.event.clone() }, ..letter }, safe)
        };
        store.fail_with(Some(Failure::new(Class::Transient, "the disk is full")));
        for (letter, safe) in [letter(&shared, 1, 0), event(&shared, 1)] {
            shared.mailboxes.post(&shared, key(1), letter);
            assert!(safe.await.expect("answered").is_err());
        }
        store.fail_with(None);
        for (letter, safe) in [letter(&shared, 1, 1), event(&shared, 2)] {
            shared.mailboxes.post(&shared, key(1), letter);
            assert!(safe.await.expect("answered").is_err(), "behind one that failed");
        }
        let (again, safe) = event(&shared, 1);
        shared.mailboxes.post(&shared, key(1), Letter { poll: Some(8), ..again });
        assert_eq!(safe.await.expect("answered"), Ok(()));
        assert_eq!(written(&store, 1), ["event 1"]);
    }

    /// What the bridge itself found out fails in between: the letters behind in the failed poll do not pass for it.
    #[tokio::test]
    async fn a_letter_without_a_poll_lets_nothing_pass() {
        let store = MemoryStore::new();
        let shared = shared(&store);
        let own = |(letter, safe): (Letter, _)| (Letter { cause: None, poll: None, ..letter }, safe);
        store.fail_with(Some(Failure::new(Class::Transient, "the disk is full")));
        for (letter, safe) in [letter(&shared, 1, 0), own(letter(&shared, 1, 9))] {
            shared.mailboxes.post(&shared, key(1), letter);
            assert!(safe.await.expect("answered").is_err());
        }
        store.fail_with(None);
        let (behind, safe) = letter(&shared, 1, 1);
        shared.mailboxes.post(&shared, key(1), behind);
        assert!(safe.await.expect("answered").is_err(), "of the failed poll");
    }

    #[tokio::test]
    async fn letters_behind_one_that_failed_fail_until_the_next_poll() {
        let store = MemoryStore::new();
        let shared = shared(&store);
        store.fail_with(Some(Failure::new(Class::Transient, "the disk is full")));
        let (first, safe) = letter(&shared, 1, 0);
        shared.mailboxes.post(&shared, key(1), first);
        assert!(safe.await.expect("answered").is_err());
        store.fail_with(None);
        let (second, safe) = letter(&shared, 1, 1);
        shared.mailboxes.post(&shared, key(1), second);
        assert!(safe.await.expect("answered").is_err(), "of the same poll");
        for number in 0..2 {
            let (again, safe) = letter(&shared, 1, number);
            shared.mailboxes.post(&shared, key(1), Letter { poll: Some(1), ..again });
            assert_eq!(safe.await.expect("answered"), Ok(()));
        }
        assert_eq!(written(&store, 1), ["0", "1"]);
    }
}
