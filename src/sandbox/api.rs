//! The Bot API's door: token, method, parameters, faults, then the method itself.

use std::sync::Arc;

use warp::Reply;
use warp::http::StatusCode;
use warp::reply::Response;

use super::answer::{self, Failure, Outcome};
use super::bot::{Bot, token_id};
use super::calls::Call;
use super::faults::{Fault, Kind};
use super::house::House;
use super::message::now_us;
use super::methods::{self, Method, Turn};
use super::params::Params;
use super::poll;
use super::request::{Raw, Request};
use super::world::World;

/// Answers `/bot<token>/<method>`.
pub(crate) async fn handle(house: &Arc<House>, token: &str, method: &str, request: &Request) -> Response {
    let at_us = now_us();
    let Some(bot) = token_id(token) else {
        return reply(&Err(Failure::new(404, "Not Found")));
    };
    if house.world().bots.get(&bot).is_none_or(|bot| bot.spec.token != token) {
        return reply(&Err(Failure::unauthorized()));
    }
    let mut call = Call::begun(&house.world().bots[&bot], method, at_us);
    let prepared = match request.parameters().map_err(Failure::bad) {
        Ok(raw) => prepare(house, method, raw),
        Err(failure) => Err(failure),
    };
    match prepared {
        Ok((method, params)) => answer(house, bot, method, params, call).await,
        Err(failure) => {
            let outcome = Err(failure);
            call.decide(&outcome);
            record(house, &mut house.world(), call);
            reply(&outcome)
        }
    }
}

/// Finds the method and reads its parameters.
pub(crate) fn prepare(house: &House, method: &str, raw: Vec<(String, Raw)>) -> Result<(&'static Method, Params), Failure> {
    let method = methods::find(method).ok_or_else(|| Failure::new(404, "Not Found: method not found"))?;
    Ok((method, Params::read(raw, method.params, house.options.strict)?))
}

async fn answer(house: &Arc<House>, bot: i64, method: &'static Method, params: Params, mut call: Call) -> Response {
    call.method = method.name.to_owned();
    call.params = params.0.clone();
    call.user = user(&house.world().bots[&bot], &params);
    let fault = {
        let mut world = house.world();
        let World { bots, faults, .. } = &mut *world;
        faults.take(&bots[&bot], method.name, call.user)
    };
    call.fault = fault.as_ref().map(Fault::name);
    let outcome = match &fault {
        Some(fault) if fault.kind == Kind::Slow => {
            hold(house, fault).await;
            execute(house, bot, method, &params, call).await
        }
        Some(fault) if !fault.executes() => refuse(house, call, fault),
        _ => execute(house, bot, method, &params, call).await,
    };
    match fault {
        Some(fault) => faulty(house, &fault, &outcome).await,
        None => reply(&outcome),
    }
}

fn refuse(house: &House, mut call: Call, fault: &Fault) -> Outcome {
    let outcome = Err(fault.failure());
    call.decide(&outcome);
    record(house, &mut house.world(), call);
    outcome
}

/// Runs a method and records it in one step, so that the record has the order in which things happened.
pub(crate) async fn execute(house: &House, bot: i64, method: &'static Method, params: &Params, mut call: Call) -> Outcome {
    call.executed = true;
    if method.name == "getUpdates" {
        let outcome = poll::get_updates(house, bot, params).await;
        call.decide(&outcome);
        record(house, &mut house.world(), call);
        return outcome;
    }
    let mut world = house.world();
    let outcome = (method.run)(&mut Turn { world: &mut world, options: &house.options, bot, params });
    call.decide(&outcome);
    record(house, &mut world, call);
    outcome
}

fn record(house: &House, world: &mut World, call: Call) {
    tracing::debug!(bot = call.bot, method = call.method, ok = call.ok, took_us = call.took_us, "bot api call");
    world.calls.add(call, house.options.calls_kept);
}

/// Does to the answer what the fault wants.
async fn faulty(house: &House, fault: &Fault, outcome: &Outcome) -> Response {
    if fault.kind != Kind::Slow {
        hold(house, fault).await;
    }
    match fault.kind {
        Kind::TimeOutBefore | Kind::TimeOutAfter => drop_connection(),
        Kind::Html502 => {
            let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>\r\n";
            warp::reply::with_status(warp::reply::html(page), StatusCode::BAD_GATEWAY).into_response()
        }
        Kind::MalformedJson => {
            let whole = answer::respond(outcome);
            let half = whole.body().chars().take(whole.body().chars().count() / 2).collect();
            answer::json_response(whole.status(), half).into_response()
        }
        _ => reply(outcome),
    }
}

async fn hold(house: &House, fault: &Fault) {
    tokio::select! {
        () = tokio::time::sleep(fault.delay()) => {}
        () = house.closed() => {}
    }
}

/// Ends the connection without an answer. warp has no way to do so; unwinding ends the connection's task, and
/// `resume_unwind` does it without the panic hook, so nothing is printed.
fn drop_connection() -> ! {
    std::panic::resume_unwind(Box::new("the sandbox drops this connection"))
}

fn reply(outcome: &Outcome) -> Response {
    answer::respond(outcome).into_response()
}

/// The customer a call concerns.
pub(crate) fn user(bot: &Bot, params: &Params) -> Option<i64> {
    let query = || bot.queries.get(params.text("callback_query_id")?).map(|query| query.user);
    params.chat().ok().flatten().or_else(query)
}

impl Call {
    /// A call that just came.
    pub(crate) fn begun(bot: &Bot, method: &str, at_us: i64) -> Self {
        Self {
            seq: 0,
            bot: bot.spec.username.clone(),
            method: method.to_owned(),
            user: None,
            params: serde_json::Map::new(),
            at_us,
            took_us: 0,
            via_webhook: false,
            fault: None,
            executed: false,
            ok: false,
            error_code: None,
            description: None,
            result: serde_json::Value::Null,
        }
    }
}

impl Fault {
    /// The kind as the control API writes it.
    fn name(&self) -> String {
        serde_json::to_value(self.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// What Telegram answers to any other path.
pub(crate) fn not_found() -> Response {
    reply(&Err(Failure::new(404, "Not Found")))
}
