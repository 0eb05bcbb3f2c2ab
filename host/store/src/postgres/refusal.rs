//! Why there is no connection to a database, in words for whoever must act.

use std::error::Error as _;

use tokio_postgres::{Config, error::SqlState};

use super::address::location;
use crate::{StoreError, tx::Failure};

/// A connection that was not made.
pub(super) fn of_connecting(error: &tokio_postgres::Error, config: &Config) -> Failure {
    let location = location(config);
    let user = config.get_user().map_or_else(|| "its user".to_owned(), |name| format!("`{name}`"));
    let not_admitted = |reason: String, advice: String| StoreError::NotAdmitted {
        location: location.clone(),
        reason,
        advice,
    };
    let Some(server) = error.as_db_error() else {
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        // The crate has no other sign of it.
        if cause.contains("password missing") {
            let reason = format!("the server asks {user} for a password, and there is none");
            return not_admitted(reason, PASSWORD.into()).into();
        }
        return StoreError::Unreachable { location, reason: format!("no server answers ({cause})") }.into();
    };
    let reason = server.message().to_owned();
    let refusal = match *server.code() {
        SqlState::INVALID_PASSWORD => not_admitted(reason, PASSWORD.into()),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            not_admitted(reason, format!("let {user} in by the server's pg_hba.conf, or name another user"))
        }
        SqlState::INVALID_CATALOG_NAME => {
            let name = config.get_dbname().unwrap_or_default();
            not_admitted(reason, format!("`createdb {name}` makes it, or name another database"))
        }
        SqlState::INSUFFICIENT_PRIVILEGE => {
            not_admitted(reason, format!("`GRANT CONNECT ON DATABASE … TO …` lets {user} in"))
        }
        _ => StoreError::Unreachable { location, reason },
    };
    refusal.into()
}

const PASSWORD: &str = "put its password into `PGPASSWORD` or `~/.pgpass`";
