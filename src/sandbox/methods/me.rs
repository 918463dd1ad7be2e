//! `getMe`.

use super::super::answer::{Outcome, Success};
use super::Turn;

pub(super) fn get_me(turn: &mut Turn<'_>) -> Outcome {
    Ok(Success::of(&turn.bot().me()))
}
