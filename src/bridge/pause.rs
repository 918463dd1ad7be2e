//! How long to wait before trying again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::ports::Failure;

/// Growing pauses with jitter, without an end; begun anew after a success.
pub struct Pauses {
    builder: ExponentialBuilder,
    current: ExponentialBackoff,
    longest: Duration,
}

impl Pauses {
    /// Pauses that double from `shortest` to `longest`.
    pub fn new(shortest: Duration, longest: Duration) -> Self {
        let builder = ExponentialBuilder::default().with_min_delay(shortest).with_max_delay(longest).with_jitter().without_max_times();
        Self { builder, current: builder.build(), longest }
    }

    /// It worked: begin with the shortest again.
    pub fn reset(&mut self) {
        self.current = self.builder.build();
    }

    /// The next pause; where the other side said how long, that long.
    pub fn after(&mut self, failure: &Failure) -> Duration {
        failure.retry_after.unwrap_or_else(|| self.current.next().unwrap_or(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Class;

    #[test]
    fn pauses_grow_to_the_longest_and_obey_the_other_side() {
        let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(2));
        let failure = Failure::new(Class::Transient, "down");
        let taken: Vec<Duration> = (0..12).map(|_| pauses.after(&failure)).collect();
        assert!(taken[0] >= Duration::from_millis(100) && taken[0] < Duration::from_millis(300));
        assert!(taken[11] >= Duration::from_secs(2) && taken[11] <= Duration::from_secs(4));
        assert_eq!(pauses.after(&failure.clone().after(Duration::from_secs(86_400))), Duration::from_secs(86_400));
        pauses.reset();
        assert!(pauses.after(&failure) < Duration::from_millis(300));
    }
}
