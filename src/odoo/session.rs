//! The one session that all calls share.

use std::sync::atomic::{AtomicU64, Ordering};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::connection::Connection;
use super::login::{Account, log_in};
use crate::ports::Failure;

/// A session; the number tells it from those before it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Counts logins.
    pub number: u64,
    /// What the cookie holds.
    pub id: SecretString,
}

/// Keeps the session, and opens a new one for everybody at once.
#[derive(Debug)]
pub struct Sessions {
    account: Account,
    /// Held while logging in: whoever needs a session meanwhile waits here.
    state: Mutex<State>,
    /// Logins begun and ended, readable without waiting.
    logins: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    session: Option<Session>,
    /// How the last login failed.
    failed: Option<Failure>,
}

impl Sessions {
    /// Sessions of this account; none is opened yet.
    pub fn new(account: Account) -> Self {
        Self { account, state: Mutex::default(), logins: AtomicU64::new(0) }
    }

    /// The session, opened where there is none.
    pub async fn current(&self, connection: &Connection) -> Result<Session, Failure> {
        self.other_than(None, connection).await
    }

    /// A session in place of one that Odoo does not know any more.
    pub async fn instead_of(&self, expired: &Session, connection: &Connection) -> Result<Session, Failure> {
        self.other_than(Some(expired.number), connection).await
    }

    /// Odoo renames sessions now and then: takes the new name, unless the session has been replaced meanwhile.
    pub async fn renamed(&self, session: &Session, id: SecretString) {
        if id.expose_secret() == session.id.expose_secret() {
            return;
        }
        let mut state = self.state.lock().await;
        if let Some(current) = state.session.as_mut().filter(|current| current.number == session.number) {
            current.id = id;
        }
    }

    /// Whoever has waited for a login that failed shares its failure: a wrong password tried once per waiting call would lock the user out.
    async fn other_than(&self, expired: Option<u64>, connection: &Connection) -> Result<Session, Failure> {
        let logins_before = self.logins.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(session) = state.session.as_ref().filter(|session| Some(session.number) != expired) {
            return Ok(session.clone());
        }
        let waited = self.logins.load(Ordering::Acquire) != logins_before;
        if let Some(failure) = state.failed.as_ref().filter(|_| waited) {
            return Err(failure.clone());
        }
        state.session = None;
        let outcome = log_in(connection, &self.account).await;
        let number = self.logins.fetch_add(1, Ordering::AcqRel);
        let outcome = outcome.map(|id| Session { number, id });
        state.session = outcome.as_ref().ok().cloned();
        state.failed = outcome.as_ref().err().cloned();
        outcome
    }
}
