//! What each trouble means: the one place that knows the names of Odoo's exceptions, and the sentences that say what to do.

use std::time::Duration;

use super::backend::MODEL;
use super::trouble::{Raised, Trouble};
use crate::ports::{Class, Failure};

/// Exceptions by their whole name, or by its end where it begins with a point. One that is missing is a `Bug`.
const EXCEPTIONS: [(&str, Class); 31] = [
    (".chatbridge.exceptions.LeaseLost", Class::Lost),
    (".chatbridge.exceptions.TryAgain", Class::Transient),
    ("odoo.exceptions.UserError", Class::Refused),
    ("odoo.exceptions.ValidationError", Class::Refused),
    ("odoo.exceptions.RedirectWarning", Class::Refused),
    ("odoo.exceptions.MissingError", Class::Refused),
    ("odoo.exceptions.Warning", Class::Refused),
    ("odoo.exceptions.except_orm", Class::Refused),
    ("odoo.exceptions.AccessError", Class::Denied),
    ("odoo.exceptions.AccessDenied", Class::Denied),
    ("odoo.exceptions.ConcurrencyError", Class::Transient),
    ("odoo.exceptions.LockError", Class::Transient),
    ("odoo.http.SessionExpiredException", Class::Transient),
    ("odoo.http.RegistryError", Class::Transient),
    ("odoo.sql_db.PoolError", Class::Transient),
    ("psycopg2.pool.PoolError", Class::Transient),
    ("psycopg2.OperationalError", Class::Transient),
    ("psycopg2.InterfaceError", Class::Transient),
    (".TransactionRollbackError", Class::Transient),
    ("psycopg2.errors.SerializationFailure", Class::Transient),
    ("psycopg2.errors.DeadlockDetected", Class::Transient),
    ("psycopg2.errors.LockNotAvailable", Class::Transient),
    ("psycopg2.errors.QueryCanceled", Class::Transient),
    ("psycopg2.errors.AdminShutdown", Class::Transient),
    ("psycopg2.errors.CrashShutdown", Class::Transient),
    ("psycopg2.errors.CannotConnectNow", Class::Transient),
    ("psycopg2.errors.TooManyConnections", Class::Transient),
    ("psycopg2.errors.OutOfMemory", Class::Transient),
    ("builtins.MemoryError", Class::Transient),
    ("psycopg2.errors.DiskFull", Class::Transient),
    ("psycopg2.errors.ReadOnlySqlTransaction", Class::Transient),
];

/// What a trouble in a call of the protocol means.
pub fn of_call(trouble: Trouble, login: &str) -> Failure {
    let not_found = trouble.is_not_found();
    match trouble {
        Trouble::Raised(raised) if not_found || is_missing_model(&raised) => addon_missing(),
        Trouble::Raised(raised) if is_missing_method(&raised) => Failure::new(
            Class::Denied,
            format!("Odoo's addon chatbridge lacks a method that the bridge needs: update the addon ({})", raised.sentence),
        ),
        Trouble::Raised(raised) => of_exception(&raised, login),
        other => of_transport(other),
    }
}

/// What a trouble in a login means.
pub fn of_login(trouble: Trouble, login: &str, database: &str) -> Failure {
    let raised = match trouble {
        Trouble::Raised(raised) => raised,
        // 14.0 with several databases says no more than this when the one that is asked for does not exist.
        Trouble::Http { status: 500, .. } => {
            let reason = format!("Odoo failed at the login (HTTP 500): does the database «{database}» exist? Its log says more");
            return Failure::new(Class::Transient, reason);
        }
        other => return of_transport(other),
    };
    if is_missing_database(&raised) {
        return Failure::new(Class::Denied, format!("Odoo has no database «{database}»: correct the name of the database"));
    }
    match raised.name.as_str() {
        "odoo.exceptions.AccessDenied" => {
            let says = &raised.sentence;
            Failure::new(
                Class::Denied,
                format!("Odoo does not let «{login}» in: wrong password, or no such user in «{database}» (Odoo says: {says})"),
            )
        }
        _ => of_exception(&raised, login),
    }
}

/// Odoo did not tell which databases it has.
pub fn of_database_list(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Raised(_) => which_database(0),
        other => of_transport(other),
    }
}

/// There is not exactly one database to choose.
pub fn which_database(known: usize) -> Failure {
    let why = if known == 0 { "Odoo does not say which databases it has".to_owned() } else { format!("Odoo has {known} databases") };
    Failure::new(Class::Denied, format!("{why}: set the name of the database"))
}

/// The password is right, but not enough.
pub fn second_factor(login: &str) -> Failure {
    Failure::new(Class::Denied, format!("Odoo wants a second factor of «{login}»: switch two-factor authentication off for the bridge's user"))
}

/// A login without a cookie.
pub fn no_session() -> Failure {
    Failure::new(Class::Denied, "Odoo gave no session: does a proxy in between remove cookies?")
}

/// Odoo forgets a session as soon as it is opened.
pub fn session_lost() -> Failure {
    Failure::new(Class::Transient, "Odoo does not know the session it has just opened: do its servers share their session folder?")
}

/// An answer that is not as the protocol says. It is named by its place, not by its value.
pub fn unreadable(place: &str) -> Failure {
    Failure::new(
        Class::Malformed,
        format!("Odoo's answer can't be understood ({place}): are the addon chatbridge and the bridge of versions that fit? Update the older one"),
    )
}

/// An answer that only a newer bridge understands.
pub fn newer(what: &str, place: &str) -> Failure {
    Failure::new(Class::Malformed, format!("Odoo has {what} that this bridge does not know ({place}): update the bridge"))
}

fn of_exception(raised: &Raised, login: &str) -> Failure {
    let Raised { name, sentence, .. } = raised;
    match class(name) {
        Class::Refused => Failure::new(Class::Refused, sentence.as_str()),
        Class::Lost => Failure::new(Class::Lost, "another bridge holds the lease, or this one has been replaced"),
        Class::Denied => {
            Failure::new(Class::Denied, format!("Odoo denies it to «{login}»: is that user in the group Chatbot / Bridge? (Odoo says: {sentence})"))
        }
        // The connection to PostgreSQL may have broken in the middle of a commit.
        Class::Transient => Failure::new(Class::Transient, format!("Odoo could not do it now ({name})")).uncertain(),
        // Its sentence may quote what a person wrote.
        _ => Failure::new(Class::Bug, format!("Odoo failed with {name}; its log says more")),
    }
}

fn class(name: &str) -> Class {
    let fits = |known: &str| if known.starts_with('.') { name.ends_with(known) } else { name == known };
    EXCEPTIONS.iter().find(|(known, _)| fits(known)).map_or(Class::Bug, |(_, class)| *class)
}

/// 14.0; 19.0 says 404.
fn is_missing_model(raised: &Raised) -> bool {
    raised.name == "builtins.KeyError" && raised.sentence.trim_matches('\'') == MODEL
}

fn is_missing_method(raised: &Raised) -> bool {
    raised.name == "builtins.AttributeError" && raised.sentence.contains(MODEL)
}

/// 16.0 and newer say so where the database is none of those allowed; else what PostgreSQL says is passed on.
fn is_missing_database(raised: &Raised) -> bool {
    match raised.name.as_str() {
        "odoo.exceptions.AccessError" => raised.sentence.starts_with("Database not found"),
        "psycopg2.OperationalError" => raised.sentence.contains(" database ") && raised.sentence.contains(" does not exist"),
        _ => false,
    }
}

fn addon_missing() -> Failure {
    Failure::new(Class::Denied, "Odoo has no model chatbridge.bridge: install the addon chatbridge in this database")
}

fn of_transport(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Network { sent: false, cause } => Failure::new(Class::Transient, format!("Odoo can't be reached: {cause}")),
        Trouble::Network { sent: true, cause } => Failure::new(Class::Transient, format!("Odoo did not answer: {cause}")).uncertain(),
        Trouble::Http { status, location, retry_after } => of_status(status, location, retry_after),
        Trouble::Raised(raised) => of_exception(&raised, "the bridge's user"),
    }
}

/// An answer that is not Odoo's. What is wrong with the way to Odoo is `Denied`: probed slowly, while nothing that waits is put aside.
fn of_status(status: u16, location: Option<String>, retry_after: Option<u64>) -> Failure {
    let denied = |reason: String| Failure::new(Class::Denied, reason);
    let failure = match (status, location) {
        (429, _) => Failure::new(Class::RateLimited, "a proxy before Odoo limits the number of calls (HTTP 429)").after(Duration::from_secs(1)),
        (413, _) => Failure::new(Class::Bug, "a proxy before Odoo finds the request too large (HTTP 413): raise its limit"),
        (503, _) => Failure::new(Class::Transient, "Odoo is not available (HTTP 503)"),
        (500.., _) => Failure::new(Class::Transient, format!("Odoo, or a proxy before it, failed (HTTP {status})")).uncertain(),
        (300..=399, Some(place)) => denied(format!("the address of Odoo leads on to {place}: set that address")),
        (300..=399, None) => denied(format!("the address of Odoo leads elsewhere (HTTP {status}): set the address that it leads to")),
        (401 | 403 | 407, _) => denied(format!("a proxy before Odoo does not let the bridge through (HTTP {status})")),
        _ => denied(format!("the address is not that of an Odoo server (HTTP {status}, no answer of Odoo's): correct CHATBRIDGE_ODOO_URL")),
    };
    match retry_after {
        Some(seconds) if failure.is_temporary() => failure.after(Duration::from_secs(seconds.max(1))),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Certainty::{self, NotDone, Unknown};

    fn raised(name: &str, sentence: &str) -> Trouble {
        Trouble::Raised(Raised { code: 200, name: name.to_owned(), sentence: sentence.to_owned() })
    }

    fn http(status: u16) -> Trouble {
        Trouble::Http { status, location: None, retry_after: None }
    }

    #[test]
    fn every_exception_has_its_class() {
        let rows = [
            ("odoo.exceptions.UserError", Class::Refused),
            ("odoo.exceptions.ValidationError", Class::Refused),
            ("odoo.exceptions.RedirectWarning", Class::Refused),
            ("odoo.exceptions.MissingError", Class::Refused),
            ("odoo.exceptions.AccessError", Class::Denied),
            ("odoo.exceptions.AccessDenied", Class::Denied),
            ("odoo.addons.chatbridge.exceptions.LeaseLost", Class::Lost),
            ("odoo.addons.chatbridge.exceptions.TryAgain", Class::Transient),
            ("psycopg2.errors.SerializationFailure", Class::Transient),
            ("psycopg2.extensions.TransactionRollbackError", Class::Transient),
            ("psycopg2.OperationalError", Class::Transient),
            ("psycopg2.errors.NotNullViolation", Class::Bug),
            ("builtins.ValueError", Class::Bug),
            ("builtins.KeyError", Class::Bug),
            ("odoo.addons.other.exceptions.UserError", Class::Bug),
        ];
        for (name, class) in rows {
            assert_eq!(of_call(raised(name, "private words"), "bridge").class, class, "{name}");
        }
    }

    #[test]
    fn only_sentences_for_people_are_repeated() {
        assert_eq!(of_call(raised("odoo.exceptions.UserError", "Update the addon."), "bridge").reason, "Update the addon.");
        for name in ["builtins.ValueError", "psycopg2.errors.NotNullViolation", "psycopg2.OperationalError"] {
            assert!(!of_call(raised(name, "private words"), "bridge").reason.contains("private"), "{name}");
        }
    }

    #[test]
    fn each_mistake_of_the_set_up_says_what_to_do() {
        let rows = [
            (of_call(raised("builtins.KeyError", "chatbridge.bridge"), "bridge"), "install the addon"),
            (of_call(raised("werkzeug.exceptions.NotFound", "404: Not Found"), "bridge"), "install the addon"),
            (of_call(raised("builtins.AttributeError", "type object 'chatbridge.bridge' has no attribute 'ask'"), "bridge"), "update the addon"),
            (of_call(raised("odoo.exceptions.AccessError", "No."), "bridge"), "group Chatbot / Bridge"),
            (of_login(raised("odoo.exceptions.AccessDenied", "Access Denied"), "bridge", "shop"), "«bridge» in: wrong password"),
            (of_login(raised("odoo.exceptions.AccessError", "Database not found."), "bridge", "shop"), "no database «shop»"),
            (of_login(raised("psycopg2.OperationalError", "FATAL:  database \"shop\" does not exist"), "bridge", "shop"), "no database «shop»"),
            (of_login(http(404), "bridge", "shop"), "not that of an Odoo server"),
            (of_login(http(200), "bridge", "shop"), "not that of an Odoo server"),
            (of_status(301, Some("https://shop.example".to_owned()), None), "https://shop.example"),
            (of_database_list(raised("odoo.exceptions.AccessDenied", "Access Denied")), "set the name of the database"),
            (which_database(2), "2 databases"),
            (second_factor("bridge"), "two-factor"),
        ];
        for (failure, text) in rows {
            assert_eq!((failure.class, failure.certainty), (Class::Denied, NotDone), "{failure}");
            assert!(failure.reason.contains(text), "{failure}");
        }
    }

    #[test]
    fn a_server_error_at_login_may_pass_but_gives_a_hint() {
        let failure = of_login(http(500), "bridge", "shop");
        assert_eq!((failure.class, failure.certainty), (Class::Transient, NotDone));
        assert!(failure.reason.contains("«shop»"), "{failure}");
    }

    #[test]
    fn each_status_has_its_class() {
        let rows: [(u16, Class, Certainty); 9] = [
            (200, Class::Denied, NotDone),
            (302, Class::Denied, NotDone),
            (403, Class::Denied, NotDone),
            (404, Class::Denied, NotDone),
            (413, Class::Bug, NotDone),
            (429, Class::RateLimited, NotDone),
            (502, Class::Transient, Unknown),
            (503, Class::Transient, NotDone),
            (504, Class::Transient, Unknown),
        ];
        for (status, class, certainty) in rows {
            let failure = of_call(http(status), "bridge");
            assert_eq!((failure.class, failure.certainty), (class, certainty), "{status}");
        }
    }

    #[test]
    fn a_network_says_whether_the_request_left() {
        for (sent, certainty) in [(false, NotDone), (true, Unknown)] {
            let failure = of_call(Trouble::Network { sent, cause: "reset".to_owned() }, "bridge");
            assert_eq!((failure.class, failure.certainty), (Class::Transient, certainty));
        }
    }
}
