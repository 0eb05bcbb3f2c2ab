//! Why a transaction is rolled back.

use crate::StoreError;

/// What every function that runs inside a transaction returns.
pub(crate) type TxResult<T> = Result<T, Failure>;

/// Why a logical transaction is rolled back.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database failed; in its own words.
    Database(String),
    /// The database gave way to another transaction; in its own words. It may be run again.
    Interrupted(String),
    /// The database does not let its user do that; in its own words.
    Denied(String),
    /// It must be run again when nobody else changes anything.
    Crowded,
    /// What was opened is no database, or not a whole one; in its own words.
    Unreadable(String),
    /// The store says no.
    Refused(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl Failure {
    /// The error that the caller sees; `doing` is a verb, as in `claim a run`.
    pub(crate) fn while_doing(self, doing: &'static str) -> StoreError {
        match self {
            Self::Database(message)
            | Self::Interrupted(message)
            | Self::Denied(message)
            | Self::Unreadable(message) => StoreError::Platform { doing, message },
            Self::Crowded => {
                let message = "it has to keep others out, and may not".to_owned();
                StoreError::Platform { doing, message }
            }
            Self::Refused(error) => error,
        }
    }

    /// The error that whoever opens the store at `location` sees: a file that is no whole database is told from a failing disk.
    pub(crate) fn while_opening(self, location: &str) -> StoreError {
        match self {
            Self::Unreadable(message) => StoreError::Unreadable { location: location.to_owned(), message },
            Self::Denied(reason) => StoreError::NotAdmitted {
                location: location.to_owned(),
                reason,
                advice: "let the store's user own its database: `ALTER DATABASE … OWNER TO …`".into(),
            },
            other => other.while_doing("open"),
        }
    }

    /// What it says, whatever it is.
    pub(crate) fn into_words(self) -> String {
        match self {
            Self::Database(message)
            | Self::Interrupted(message)
            | Self::Denied(message)
            | Self::Unreadable(message) => message,
            Self::Crowded => "it has to keep others out".to_owned(),
            Self::Refused(error) => error.to_string(),
        }
    }

    /// The store holds something that no version of this code wrote.
    pub(crate) fn damaged(what: impl std::fmt::Display) -> Self {
        Self::Refused(StoreError::Damaged(what.to_string()))
    }
}
