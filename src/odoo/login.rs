//! Opens a session.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::connection::Connection;
use super::faults;
use crate::ports::Failure;

const LIMIT: Duration = Duration::from_secs(15);

/// Who the bridge is in Odoo.
pub struct Account {
    /// The database; found out when there is only one.
    pub database: Option<String>,
    /// The user.
    pub login: String,
    /// Their password.
    pub password: SecretString,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("database", &self.database).field("login", &self.login).finish_non_exhaustive()
    }
}

/// Logs in; the id of the session.
pub async fn log_in(connection: &Connection, account: &Account) -> Result<SecretString, Failure> {
    let database = match &account.database {
        Some(database) => database.clone(),
        None => only_database(connection).await?,
    };
    let params = json!({"db": database, "login": account.login, "password": account.password.expose_secret()});
    let answer = connection
        .call("/web/session/authenticate", params, None, LIMIT)
        .await
        .map_err(|trouble| faults::of_login(trouble, &account.login, &database))?;
    // Odoo knows the password, but wants a second proof before it lets the user in.
    if answer.result["uid"].as_i64().is_none() {
        return Err(faults::second_factor(&account.login));
    }
    tracing::info!(odoo.database = database, "logged in to Odoo");
    answer.session.ok_or_else(faults::no_session)
}

async fn only_database(connection: &Connection) -> Result<String, Failure> {
    let list = connection.call("/web/database/list", json!({}), None, LIMIT).await.map_err(faults::of_database_list)?.result;
    match list.as_array().map(Vec::as_slice) {
        Some([Value::String(only)]) => Ok(only.clone()),
        Some(several) => Err(faults::which_database(several.len())),
        None => Err(faults::which_database(0)),
    }
}
