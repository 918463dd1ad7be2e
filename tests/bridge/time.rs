//! Waiting without sleeping for luck, and time that passes at once.

use std::time::{Duration, Instant};

/// A bound on waiting only: nothing is expected to take so long. Shorter than a long poll and the pauses of probes, so that none is waited for unnoticed.
const BOUND: Duration = Duration::from_secs(20);
/// The same where time flies.
const BOUND_IN_TIME: Duration = Duration::from_secs(60);

/// Waits until this is so.
#[track_caller]
pub fn until(what: &'static str, so: impl FnMut() -> bool) -> impl Future<Output = ()> {
    stepping(what, Duration::ZERO, so)
}

/// Waits until this is so, while time flies: where pauses between tries are long. Only on a runtime with one thread.
#[track_caller]
pub fn in_time(what: &'static str, so: impl FnMut() -> bool) -> impl Future<Output = ()> {
    stepping(what, Duration::from_secs(1), so)
}

#[track_caller]
fn stepping(what: &'static str, step: Duration, mut so: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    let bound = if step.is_zero() { BOUND } else { BOUND_IN_TIME };
    async move {
        let begun = Instant::now();
        while !so() {
            assert!(begun.elapsed() < bound, "{caller}: in vain: {what}");
            // Between two steps everybody gets the time to do what is due.
            tokio::time::sleep(Duration::from_millis(if step.is_zero() { 2 } else { 20 })).await;
            if !step.is_zero() {
                pass(step).await;
            }
        }
    }
}

/// So much time passes at once, for everybody in this process. Only on a runtime with one thread.
pub async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
