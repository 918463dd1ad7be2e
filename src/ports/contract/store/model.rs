//! Random changes, made to a store and to a model of it that is too simple to be wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::Home;
use super::samples::{ALL, chat, instant, operation, outgoing, record};
use crate::domain::{BotId, ChatKey, ChatRecord, EventKey, Operation, Outgoing, TelegramBotId, UpdateId};
use crate::ports::{Cause, Change, Committed, Counts, Lane, Store};

const CASES: u32 = 32;

/// Chats that are easily confused.
fn chats() -> [ChatKey; 4] {
    [chat(1, -7), chat(1, 7), chat(2, 7), chat(-1, i64::MIN)]
}

const LANES: u8 = 2;
const BOTS: i64 = 3;

/// Something to do.
#[derive(Clone, Debug)]
enum Action {
    /// A change.
    Commit(Box<Plan>),
    /// Forget marks.
    Prune(i64),
    /// Start anew.
    Reopen,
}

/// A change; messages and operations to be removed are named by their place among those that wait.
#[derive(Clone, Debug)]
struct Plan {
    seen: Option<(Cause, i64)>,
    chats: Vec<(usize, u8)>,
    sends: Vec<(usize, u32)>,
    operations: Vec<(u8, u32)>,
    sent: Vec<(usize, usize)>,
    answered: Vec<(u8, usize)>,
    bots: Vec<(i64, u8)>,
    forget_bots: Vec<i64>,
}

fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![
        2 => (0..2i64, -2..6i64).prop_map(|(bot, update)| Cause::Update(TelegramBotId(bot), UpdateId(update))),
        1 => (0..4u128).prop_map(|key| Cause::Event(EventKey(ulid::Ulid(key)))),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let place = 0..chats().len();
    let growing = (
        option::of((cause(), 0..10i64)),
        vec((place.clone(), any::<u8>()), 0..3),
        vec((place.clone(), any::<u32>()), 0..4),
        vec((0..LANES, any::<u32>()), 0..4),
    );
    let shrinking = (vec((place, 0..4usize), 0..3), vec((0..LANES, 0..4usize), 0..3));
    let rest = (vec((0..BOTS, any::<u8>()), 0..2), vec(0..BOTS, 0..2));
    (growing, shrinking, rest).prop_map(|((seen, chats, sends, operations), (sent, answered), (bots, forget_bots))| Plan {
        seen,
        chats,
        sends,
        operations,
        sent,
        answered,
        bots,
        forget_bots,
    })
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => plan().prop_map(|plan| Action::Commit(Box::new(plan))),
        1 => (0..10i64).prop_map(Action::Prune),
        1 => Just(Action::Reopen),
    ]
}

/// What a store should hold.
#[derive(Default)]
struct Model {
    seen: Vec<(Cause, i64)>,
    chats: BTreeMap<ChatKey, ChatRecord>,
    sends: Vec<Outgoing>,
    operations: Vec<(u8, Operation)>,
    bots: BTreeMap<i64, Value>,
}

impl Model {
    fn apply(&mut self, plan: &Plan) -> Committed {
        if let Some((cause, at)) = plan.seen {
            if self.seen.iter().any(|(mark, _)| *mark == cause) {
                return Committed::Duplicate;
            }
            self.seen.push((cause, at));
        }
        let sent: Vec<_> = plan.sent.iter().filter_map(|(place, nth)| self.nth_send(chats()[*place], *nth)).collect();
        let answered: Vec<_> = plan.answered.iter().filter_map(|(lane, nth)| self.nth_operation(*lane, *nth)).collect();
        retain_others(&mut self.sends, &sent);
        retain_others(&mut self.operations, &answered);
        self.chats.extend(plan.chats.iter().map(|(place, name)| (chats()[*place], record(&name.to_string()))));
        self.sends.extend(plan.sends.iter().map(|(place, line)| outgoing(chats()[*place], *line)));
        self.operations.extend(plan.operations.iter().map(|(lane, line)| (*lane, operation(*line))));
        self.bots.extend(plan.bots.iter().map(|(bot, hash)| (*bot, json!({ "hash": hash }))));
        self.bots.retain(|bot, _| !plan.forget_bots.contains(bot));
        Committed::Done
    }

    fn nth_send(&self, chat: ChatKey, nth: usize) -> Option<usize> {
        (0..self.sends.len()).filter(|index| self.sends[*index].to == chat).nth(nth)
    }

    fn nth_operation(&self, lane: u8, nth: usize) -> Option<usize> {
        (0..self.operations.len()).filter(|index| self.operations[*index].0 == lane).nth(nth)
    }

    fn prune(&mut self, before: i64) -> u64 {
        let known = self.seen.len();
        self.seen.retain(|(_, at)| *at >= before);
        (known - self.seen.len()) as u64
    }

    fn compare(&self, store: &Arc<dyn Store>) {
        let mut with_sends = Vec::new();
        for key in chats() {
            let expected: Vec<_> = self.sends.iter().filter(|outgoing| outgoing.to == key).cloned().collect();
            let found = store.sends(key, ALL).expect("sends");
            assert!(found.is_sorted_by(|one, next| one.id < next.id));
            with_sends.extend((!expected.is_empty()).then_some(key));
            assert_eq!(found.into_iter().map(|stored| stored.outgoing).collect::<Vec<_>>(), expected);
            assert_eq!(store.chat(key).expect("chat"), self.chats.get(&key).cloned());
        }
        with_sends.sort();
        assert_eq!(store.chats_with_sends().expect("chats"), with_sends);
        self.compare_rest(store);
    }

    fn compare_rest(&self, store: &Arc<dyn Store>) {
        for lane in 0..LANES {
            let expected: Vec<_> = self.operations.iter().filter(|(of, _)| *of == lane).map(|(_, operation)| operation.clone()).collect();
            let found = store.operations(Lane(lane), ALL).expect("operations");
            assert!(found.is_sorted_by(|one, next| one.number < next.number));
            assert_eq!(found.into_iter().map(|stored| stored.operation).collect::<Vec<_>>(), expected);
        }
        let bots: Vec<_> = self.bots.iter().map(|(bot, json)| (BotId(*bot), json.clone())).collect();
        assert_eq!(store.bots().expect("bots"), bots);
        let count = |length: usize| length as u64;
        let counts = Counts { operations: count(self.operations.len()), sends: count(self.sends.len()), parked: 0, chats: count(self.chats.len()) };
        assert_eq!(store.counts().expect("counts"), counts);
    }
}

fn retain_others<T>(items: &mut Vec<T>, gone: &[usize]) {
    let mut index = 0;
    items.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

/// The change of a plan, for a store that holds what it holds now.
fn change(plan: &Plan, store: &Arc<dyn Store>) -> Change {
    let nth_send = |(place, nth): &(usize, usize)| store.sends(chats()[*place], ALL).expect("sends").get(*nth).map(|stored| stored.id);
    let nth_operation = |(lane, nth): &(u8, usize)| {
        let found = store.operations(Lane(*lane), ALL).expect("operations");
        found.get(*nth).map(|stored| (Lane(*lane), stored.number))
    };
    Change {
        seen: plan.seen.map(|(cause, at)| (cause, instant(at))),
        chats: plan.chats.iter().map(|(place, name)| (chats()[*place], record(&name.to_string()))).collect(),
        sends: plan.sends.iter().map(|(place, line)| outgoing(chats()[*place], *line)).collect(),
        operations: plan.operations.iter().map(|(lane, line)| (Lane(*lane), operation(*line))).collect(),
        sent: plan.sent.iter().filter_map(nth_send).collect(),
        answered: plan.answered.iter().filter_map(nth_operation).collect(),
        parked: Vec::new(),
        identity: None,
        bots: plan.bots.iter().map(|(bot, hash)| (BotId(*bot), json!({ "hash": hash }))).collect(),
        forget_bots: plan.forget_bots.iter().map(|bot| BotId(*bot)).collect(),
    }
}

async fn play<H: Home>(actions: Vec<Action>) {
    let (home, mut model) = (H::default(), Model::default());
    let mut store = home.open();
    for action in actions {
        match action {
            Action::Commit(plan) => {
                let committed = store.commit(change(&plan, &store)).await.expect("commit");
                assert_eq!(committed, model.apply(&plan));
            }
            Action::Prune(before) => {
                assert_eq!(store.prune_seen(instant(before)).await.expect("prune"), model.prune(before));
            }
            Action::Reopen => {
                drop(store);
                store = home.open();
            }
        }
        model.compare(&store);
    }
    drop(store);
    model.compare(&home.open());
}

/// Plays random actions.
pub fn behaves_like_the_model<H: Home>() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let played = runner.run(&vec(action(), 1..24), |actions| {
        runtime.block_on(play::<H>(actions));
        Ok(())
    });
    played.expect("the store behaves like the model");
}
