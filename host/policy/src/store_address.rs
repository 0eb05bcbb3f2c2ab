//! Where a project's store is: a file, or a database that several hosts share.
//!
//! Property wanted: a password that stands in an address is shown nowhere, neither by `Display` nor by `Debug`, and is not part of what a
//! store keeps of a policy.

use std::{fmt, ops::Range};

use url::Url;

use crate::error::did_you_mean;

/// Where a project's store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// A file; its path is relative to the project.
    Sqlite(String),
    /// A database on a server.
    Postgres(PostgresAddress),
}

/// A database in a PostgreSQL server.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresAddress(Url);

/// What is wrong with an address. Nothing of the address is repeated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadAddress {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// The port of a server whose address names none.
const PORT: u16 = 5432;

const EXAMPLE: &str = "e.g. `sqlite:.tollgate/tollgate.db`, or `postgres://tollgate@db.example.com/tollgate`";

/// What may follow the `?` of an address.
const PARAMETERS: [&str; 9] = [
    "application_name",
    "host",
    "keepalives",
    "keepalives_idle",
    "options",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// How far a server is trusted, as `libpq` has it.
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

impl StoreAddress {
    /// The store of a project that names none.
    pub(crate) fn default_file() -> Self {
        Self::Sqlite(".tollgate/tollgate.db".into())
    }

    pub(crate) fn parse(text: &str) -> Result<Self, BadAddress> {
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        match scheme {
            "sqlite" if rest.is_empty() => Err(BadAddress::new("expected a path after `sqlite:`")),
            "sqlite" => Ok(Self::Sqlite(rest.to_owned())),
            "postgres" | "postgresql" => PostgresAddress::parse(text).map(Self::Postgres),
            _ => Err(BadAddress::new("expected `sqlite:` and a path, or `postgres://` and a database")),
        }
    }

    /// Whether a password stands in it.
    pub fn has_password(&self) -> bool {
        matches!(self, Self::Postgres(address) if address.0.password().is_some())
    }
}

impl PostgresAddress {
    fn parse(text: &str) -> Result<Self, BadAddress> {
        let not_read = |why: &dyn fmt::Display| {
            BadAddress::new(format!("this is no address of a PostgreSQL database: {why}"))
        };
        let url = Url::parse(text).map_err(|error| not_read(&error))?;
        if url.cannot_be_a_base() || !text.contains("://") {
            return Err(not_read(&"`//` is missing"));
        }
        let name = url.path().trim_start_matches('/');
        if name.is_empty() || name.contains('/') {
            return Err(BadAddress::new("expected the name of one database at the end of the address"));
        }
        for (key, value) in url.query_pairs() {
            check_parameter(&key, &value)?;
        }
        let has_folder = url.query_pairs().any(|(key, _)| key == "host");
        if !url.has_host() && !has_folder {
            return Err(BadAddress::new("expected the name of a server after `//`"));
        }
        Ok(Self(url))
    }

    /// The server's name or number, or the folder of its socket.
    pub fn host(&self) -> String {
        let folder =
            self.0.query_pairs().find(|(key, _)| key == "host").map(|(_, folder)| folder.into_owned());
        folder.unwrap_or_else(|| self.0.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned())
    }

    /// Where the server listens.
    pub fn port(&self) -> u16 {
        self.0.port().unwrap_or(PORT)
    }

    /// The database.
    pub fn database(&self) -> String {
        decoded(self.0.path().trim_start_matches('/'))
    }

    /// As whom a host connects; none for the name of whoever runs it.
    pub fn user(&self) -> Option<String> {
        Some(self.0.username()).filter(|name| !name.is_empty()).map(decoded)
    }

    /// The whole address for whoever connects, with the password that stands in it, or else this one.
    pub fn with_password(&self, password: Option<&str>) -> String {
        let mut url = self.0.clone();
        if let (None, Some(password)) = (url.password(), password) {
            // An address without a host takes none; then the server's socket is in a folder, and its own rules say who may connect.
            let _refused = url.set_password(Some(password));
        }
        url.into()
    }
}

fn check_parameter(key: &str, value: &str) -> Result<(), BadAddress> {
    if key == "password" {
        let help = "put it into `PGPASSWORD` or `~/.pgpass`".to_owned();
        return Err(BadAddress {
            message: "a password does not stand behind the `?`".into(),
            help: Some(help),
        });
    }
    if !PARAMETERS.contains(&key) {
        let help = did_you_mean(key, PARAMETERS);
        return Err(BadAddress { message: format!("an address has no parameter `{key}`"), help });
    }
    if key == "sslmode" && !SSL_MODES.contains(&value) {
        let help = did_you_mean(value, SSL_MODES);
        return Err(BadAddress { message: format!("`{value}` is no `sslmode`"), help });
    }
    Ok(())
}

impl BadAddress {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: Some(EXAMPLE.into()) }
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{path}"),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        // It is refused where there is no host, and then there is no password either.
        let _refused = url.set_password(None);
        url.fmt(f)
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Where passwords stand in a text that may hold addresses, one a line at most.
pub(crate) fn passwords(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut begins = 0;
    for line in text.split_inclusive('\n') {
        found.extend(password(line).map(|part| begins + part.start..begins + part.end));
        begins += line.len();
    }
    found
}

fn password(line: &str) -> Option<Range<usize>> {
    const KEY: &str = "password=";
    let authority = line.find("://")? + "://".len();
    if let Some(at) = line[authority..].find(KEY) {
        let from = authority + at + KEY.len();
        let length = line[from..].find(['&', '"', '\'']).unwrap_or(line.len() - from);
        return Some(from..from + length);
    }
    let end = authority + line[authority..].rfind('@')?;
    let colon = authority + line[authority..end].find(':')?;
    Some(colon + 1..end)
}

/// A part of an address as whoever wrote it meant it.
fn decoded(part: &str) -> String {
    let pair = format!("x={}", part.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(text: &str) -> PostgresAddress {
        match StoreAddress::parse(text) {
            Ok(StoreAddress::Postgres(address)) => address,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn an_address_says_where_and_as_whom() {
        let address = postgres("postgresql://team%20a@db.example.com:6432/back%20log?sslmode=disable");
        assert_eq!((address.host().as_str(), address.port()), ("db.example.com", 6432));
        assert_eq!((address.database().as_str(), address.user().as_deref()), ("back log", Some("team a")));
        let near = postgres("postgres://localhost/tollgate");
        assert_eq!((near.port(), near.user()), (5432, None));
        assert_eq!(postgres("postgres://[::1]/tollgate").host(), "::1");
        assert_eq!(postgres("postgres:///tollgate?host=/run/postgresql").host(), "/run/postgresql");
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let address = StoreAddress::parse("postgres://ines:s3cr%40t@db/tollgate").unwrap();
        assert!(address.has_password());
        for shown in [format!("{address}"), format!("{address:?}"), format!("{address:#?}")] {
            assert!(shown.contains("postgres://ines@db/tollgate") && !shown.contains("s3cr"), "{shown}");
        }
        for (text, hidden) in [
            ("\"postgres://ines:s3cr@t@db/x\"", vec!["s3cr@t"]),
            ("'postgres://db/x?password=s3cr&a=b'", vec!["s3cr"]),
            ("postgres://ines@db:5432/x", vec![]),
            ("sqlite:a@b:c", vec![]),
            ("a = \"x://y\"\nb = \"postgres://ines:s3cr@db/x", vec!["s3cr"]),
        ] {
            let found: Vec<_> = passwords(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, hidden, "{text}");
        }
    }

    #[test]
    fn whoever_connects_is_handed_the_password() {
        let password = Some("p@ss:w/rd");
        assert_eq!(
            postgres("postgres://a@db/x").with_password(password),
            "postgres://a:p%40ss%3Aw%2Frd@db/x"
        );
        assert_eq!(postgres("postgres://a:own@db/x").with_password(password), "postgres://a:own@db/x");
        assert_eq!(postgres("postgres://a@db/x").with_password(None), "postgres://a@db/x");
    }
}
