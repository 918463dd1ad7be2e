//! What `chatbridge check` asks of Odoo: a handshake that registers nothing, and the configuration without a lease.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers;
use super::backend::OdooBackend;
use super::wire::to_json;
use crate::ports::{Configuration, Failure, Hello, Welcome};

/// What a handshake would meet, and what Odoo sees wrong with the set-up.
#[derive(Clone, Debug, Deserialize)]
pub struct Probe {
    /// What a handshake would be answered.
    #[serde(flatten)]
    pub welcome: Welcome,
    /// Odoo's clock.
    pub clock: Timestamp,
    /// What Odoo sees wrong.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// Something that is wrong with the set-up.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    /// Where.
    pub place: String,
    /// What.
    pub sentence: String,
    /// What to do.
    pub remedy: String,
}

impl OdooBackend {
    /// Asks what a handshake would meet. Nothing is registered, drawn or written.
    pub async fn probe(&self, hello: &Hello) -> Result<Probe, Failure> {
        let mut hello = to_json(hello);
        hello["probe"] = true.into();
        answers::plain(self.read("handshake", json!([hello])).await?, "handshake")
    }

    /// Reads every bot, without a lease.
    pub async fn read_configuration(&self) -> Result<Configuration, Failure> {
        answers::configuration(&self.read("configuration", json!([Value::Null, {}])).await?)
    }
}
