//! The environment. Nothing else in Tollgate reads it, but for what libraries do by convention: `NO_COLOR`, `TZ`,
//! the proxies that models are asked through, and the `AWS_…` of a bucket.

use std::path::PathBuf;

/// A variable, for the help.
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) meaning: &'static str,
}

/// Every variable that has an effect.
pub(crate) const VARIABLES: [Variable; 8] = [
    Variable {
        name: "TOLLGATE_CACHE",
        meaning: "folder for compiled components; default: the user's cache folder, or `.tollgate/cache` in the project",
    },
    Variable {
        name: "TOLLGATE_HOST",
        meaning: "the machine's name in claims and records; default: its host name",
    },
    Variable {
        name: "TOLLGATE_LABELS",
        meaning: "the host's labels, with commas between them, which pipelines may ask for; `--label` adds to them",
    },
    Variable {
        name: "TOLLGATE_LOG",
        meaning: "what is logged to stderr, e.g. `info` or `tollgate_engine=debug`; default: warn",
    },
    Variable {
        name: "USER",
        meaning: "who stops hosts and retries entries, in the log of both; else LOGNAME",
    },
    Variable {
        name: "AWS_…",
        meaning: "keys, region and endpoint of a bucket for artifacts, by the names that Amazon's own programs know",
    },
    Variable {
        name: "PGPASSWORD",
        meaning: "the password of the store's database; else a line of the file PGPASSFILE, or of `~/.pgpass`",
    },
    Variable { name: "NO_COLOR", meaning: "when set, nothing is coloured" },
];

/// What the environment says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// `TOLLGATE_CACHE`.
    pub(crate) cache: Option<PathBuf>,
    /// `TOLLGATE_HOST`.
    pub(crate) host: Option<String>,
    /// `TOLLGATE_LABELS`.
    pub(crate) labels: Vec<String>,
    /// `TOLLGATE_LOG`.
    pub(crate) log: Option<String>,
    /// `USER`, else `LOGNAME`.
    pub(crate) user: Option<String>,
}

impl Environment {
    /// Reads it.
    pub(crate) fn read() -> Self {
        Self {
            cache: variable("TOLLGATE_CACHE").map(PathBuf::from),
            host: variable("TOLLGATE_HOST"),
            labels: variable("TOLLGATE_LABELS").map(|text| listed(&text)).unwrap_or_default(),
            log: variable("TOLLGATE_LOG"),
            user: variable("USER").or_else(|| variable("LOGNAME")),
        }
    }

    /// Who acts, as far as it is known.
    pub(crate) fn who(&self) -> String {
        self.user.clone().unwrap_or_else(|| "somebody".to_owned())
    }

    /// The machine's name.
    pub(crate) fn machine(&self) -> String {
        self.host.clone().unwrap_or_else(|| gethostname::gethostname().to_string_lossy().into_owned())
    }

    /// The part of the help on variables.
    pub(crate) fn help() -> String {
        let width = VARIABLES.iter().map(|variable| variable.name.len()).max().unwrap_or_default();
        let lines =
            VARIABLES.iter().map(|variable| format!("  {:width$}  {}", variable.name, variable.meaning));
        format!("Environment:\n{}", lines.collect::<Vec<_>>().join("\n"))
    }
}

/// The parts between commas that are not empty.
fn listed(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The value of a variable that the project says holds a key.
pub(crate) fn of_key(name: &str) -> Option<String> {
    variable(name)
}

/// A variable's value; one that is empty counts as absent.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
