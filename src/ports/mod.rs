//! What the bridge needs of the world, as contracts that every implementation keeps (tests in `contract`).

pub mod backend;
pub mod clock;
#[cfg(test)]
pub mod contract;
pub mod failure;
pub mod messenger;
pub mod store;

pub use backend::{
    Applied, Backend, BackendEvent, ChannelState, ChannelStatus, Claim, Configuration, EventKind, Heartbeat, Hello, OpenConsultation,
    OpenConversation, Pulse, Readiness, Welcome,
};
pub use clock::{Clock, SystemClock};
pub use failure::{Certainty, Class, Failure};
pub use messenger::{Connect, Identity, Messenger, Update, Webhook};
pub use store::{Cause, Change, Committed, Counts, Lane, Parked, SendId, Store, StoreIdentity, StoredOperation, StoredSend};
