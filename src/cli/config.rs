//! The bridge's settings: read raw, resolved together, every fault told at once.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;
use url::Url;

/// The settings as given.
#[derive(Args, Default)]
pub struct Raw {
    /// Odoo's address, such as https://odoo.example.com.
    #[arg(long, env = "CHATBRIDGE_ODOO_URL")]
    odoo_url: Option<String>,
    /// Odoo's database; needed only where the server has several.
    #[arg(long, env = "CHATBRIDGE_ODOO_DATABASE")]
    odoo_database: Option<String>,
    /// The login of the bridge's user.
    #[arg(long, env = "CHATBRIDGE_ODOO_LOGIN", default_value = "chatbridge")]
    odoo_login: String,
    /// The password of the bridge's user (better by environment or file: flags are seen by everybody on the machine).
    #[arg(long, env = "CHATBRIDGE_ODOO_PASSWORD", hide_env_values = true)]
    odoo_password: Option<String>,
    /// A file that holds the password.
    #[arg(long, env = "CHATBRIDGE_ODOO_PASSWORD_FILE")]
    odoo_password_file: Option<PathBuf>,
    /// The folder in which the bridge keeps what must survive.
    #[arg(long, env = "CHATBRIDGE_DATA", default_value = "chatbridge-data")]
    data: PathBuf,
    /// Where to listen for health, metrics and Odoo's nudges.
    #[arg(long, env = "CHATBRIDGE_LISTEN", default_value = "127.0.0.1:8079")]
    listen: String,
    /// The address under which Odoo reaches the bridge, if not the one it listens on; «none» for no nudges.
    #[arg(long, env = "CHATBRIDGE_NUDGE_URL")]
    nudge_url: Option<String>,
    /// The Bot API server.
    #[arg(long, env = "CHATBRIDGE_TELEGRAM_URL", default_value = "https://api.telegram.org")]
    telegram_url: String,
}

/// The settings, checked.
pub struct Config {
    /// Odoo's address, without a slash at its end.
    pub odoo_url: String,
    /// Odoo's database, where given.
    pub odoo_database: Option<String>,
    /// The login of the bridge's user.
    pub odoo_login: String,
    /// Its password.
    pub odoo_password: SecretString,
    /// The data folder.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where Odoo sends nudges: `None` not at all, an address without a path as given, else made from the listening address.
    pub nudge_base: Nudge,
    /// The Bot API server, without a slash at its end.
    pub telegram_url: String,
}

/// Where Odoo sends nudges.
#[derive(Debug, PartialEq, Eq)]
pub enum Nudge {
    /// Nowhere.
    Off,
    /// To the address that the bridge listens on.
    Listening,
    /// To this address, without a slash at its end.
    At(String),
}

/// What is wrong, one sentence each: what, and what to do. Values that may be secrets are not repeated.
pub type Faults = Vec<String>;

impl Raw {
    /// Checks everything, and tells all faults at once.
    pub fn resolve(self) -> Result<Config, Faults> {
        let mut faults = Faults::new();
        let odoo_url = self.odoo_url.as_deref().ok_or("is missing".to_owned()).and_then(address);
        let odoo_url = keep(odoo_url, "CHATBRIDGE_ODOO_URL", "give Odoo's address, such as https://odoo.example.com", &mut faults);
        let telegram_url = keep(address(&self.telegram_url), "CHATBRIDGE_TELEGRAM_URL", "give the address of a Bot API server", &mut faults);
        let listen = self.listen.parse::<SocketAddr>().map_err(|_| "is no address".to_owned());
        let listen = keep(listen, "CHATBRIDGE_LISTEN", "give an IP address and a port, such as 127.0.0.1:8079", &mut faults);
        let nudge_base = keep(
            nudge(self.nudge_url.as_deref()),
            "CHATBRIDGE_NUDGE_URL",
            "give the address under which Odoo reaches the bridge, or «none»",
            &mut faults,
        );
        let password = keep(
            self.password(),
            "CHATBRIDGE_ODOO_PASSWORD",
            "give the password of the bridge's user, or CHATBRIDGE_ODOO_PASSWORD_FILE",
            &mut faults,
        );
        match (odoo_url, telegram_url, listen, nudge_base, password) {
            (Some(odoo_url), Some(telegram_url), Some(listen), Some(nudge_base), Some(odoo_password)) if faults.is_empty() => Ok(Config {
                odoo_url,
                odoo_database: self.odoo_database.filter(|name| !name.is_empty()),
                odoo_login: self.odoo_login,
                odoo_password,
                data: self.data,
                listen,
                nudge_base,
                telegram_url,
            }),
            _ => Err(faults),
        }
    }

    fn password(&self) -> Result<SecretString, String> {
        let given = match (&self.odoo_password, &self.odoo_password_file) {
            (Some(password), _) => password.clone(),
            (None, Some(file)) => std::fs::read_to_string(file).map_err(|error| format!("cannot be read from {}: {error}", file.display()))?,
            (None, None) => String::new(),
        };
        let trimmed = given.trim_end_matches(['\r', '\n']);
        if trimmed.is_empty() { Err("is missing".to_owned()) } else { Ok(SecretString::from(trimmed)) }
    }
}

fn keep<T>(value: Result<T, String>, name: &str, remedy: &str, faults: &mut Faults) -> Option<T> {
    value.map_err(|fault| faults.push(format!("{name} {fault}: {remedy}"))).ok()
}

/// An http address, without a slash at its end.
fn address(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|_| "is no address".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("is no http address".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user or a password".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn nudge(text: Option<&str>) -> Result<Nudge, String> {
    match text {
        None | Some("") => Ok(Nudge::Listening),
        Some("none") => Ok(Nudge::Off),
        Some(text) => address(text).map(Nudge::At),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Raw {
        Raw {
            odoo_url: Some("http://localhost:8069/".to_owned()),
            odoo_login: "chatbridge".to_owned(),
            odoo_password: Some("secret".to_owned()),
            listen: "127.0.0.1:0".to_owned(),
            telegram_url: "https://api.telegram.org".to_owned(),
            ..Raw::default()
        }
    }

    #[test]
    fn good_settings_are_taken() {
        let Ok(config) = good().resolve() else { panic!("good settings are taken") };
        assert_eq!(config.odoo_url, "http://localhost:8069");
        assert_eq!(config.nudge_base, Nudge::Listening);
    }

    #[test]
    fn every_fault_is_told_at_once_and_no_secret() {
        let raw = Raw {
            odoo_url: Some("ftp://hunter2@x".to_owned()),
            odoo_password_file: Some("/nonexistent/file".into()),
            listen: "8079".to_owned(),
            telegram_url: "telegram".to_owned(),
            nudge_url: Some("bridge:80".to_owned()),
            ..Raw::default()
        };
        let faults = raw.resolve().err().expect("all wrong");
        assert_eq!(faults.len(), 5, "{faults:#?}");
        for name in ["ODOO_URL", "TELEGRAM_URL", "LISTEN", "NUDGE_URL", "ODOO_PASSWORD"] {
            assert!(faults.iter().any(|fault| fault.contains(name)), "{name} in {faults:#?}");
        }
        assert!(!faults.concat().contains("hunter2"));
    }
}
