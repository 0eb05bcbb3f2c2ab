//! `cargo xtask mutants`: whether the tests notice when that is changed which keeps work from being lost or done twice.
//!
//! Properties wanted:
//!
//! 1. Every condition of the queries that fence writes, leases and deliveries is needed: without it a test fails.
//! 2. So is every line of the arithmetic of leases and caps, and of the rules of claims, the ledger and the outbox.
//! 3. What survives is named with its place, and the command fails.
//! 4. Whoever writes a test for what survived tries that alone (`--survivors`), and need not wait for hours.
//!
//! Conditions are changed here, by [`sql`]; lines by `cargo-mutants`, as `.cargo/mutants.toml` says. Both in a copy of what is
//! committed. It takes hours, so CI does not run it; the list is kept in `docs/mutants.md`.

mod sql;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use super::test::PROPERTIES;
use crate::postgres::{self, Server};

/// Change what must not be changed, one place at a time, and see whether a test fails
#[derive(clap::Args)]
pub(crate) struct MutantsArgs {
    /// Name the changes and make none
    #[arg(long)]
    list: bool,
    /// Change conditions of queries alone
    #[arg(long, conflicts_with = "rust")]
    sql: bool,
    /// Change lines of Rust alone
    #[arg(long)]
    rust: bool,
    /// Make those changes again that no test noticed the last time, and those that are new
    #[arg(long)]
    survivors: bool,
    /// Change this file alone, named from the top of the project
    #[arg(long, value_name = "PATH")]
    file: Option<String>,
}

/// The version of cargo-mutants that is installed where there is none.
const CARGO_MUTANTS: &str = "27.1.0";

/// Those that notice nearly everything, and take seconds; then those on a server; then all. What some notice the others need not be
/// asked about.
const TESTS: [&[&str]; 3] = [
    &[
        "--skip",
        "postgres",
        "--skip",
        "in_a_file",
        "--skip",
        "in_plain_maps",
        "--skip",
        "traces",
        "--skip",
        "disks",
        "--skip",
        "log_cut",
    ],
    &["postgres"],
    &[],
];

/// What fails by itself, or because a change before it left a value that fails, has caught nothing.
const DETERMINED: [(&str, &str); 2] = [PROPERTIES, ("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")];

/// Where the list is kept.
const LIST: &str = "docs/mutants.md";

/// What became of each change.
type Outcomes = BTreeMap<String, Outcome>;

/// What there was to try of one kind, and what became of those that were tried.
struct Tried {
    all: BTreeSet<String>,
    found: Outcomes,
}

/// What the tests made of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Caught,
    Survived,
    /// The compiler refuses it.
    Unviable,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Caught, Self::Survived, Self::Unviable];

    fn name(self) -> &'static str {
        match self {
            Self::Caught => "caught",
            Self::Survived => "**survived**",
            Self::Unviable => "refused",
        }
    }
}

pub(crate) fn run(args: &MutantsArgs) -> Result<()> {
    let copy = Copy::make(Path::new("target/mutants"))?;
    let mut outcomes =
        if Path::new(LIST).exists() { known(&fs::read_to_string(LIST)?) } else { Outcomes::new() };
    let is_known = |outcome| args.survivors && outcome != Outcome::Survived;
    outcomes.retain(|what, outcome| !args.is_about(what) || is_known(*outcome));
    if !args.rust && args.may_be_in(".sql") {
        let is_open = |what: &str| args.is_about(what) && !outcomes.contains_key(what);
        let Tried { all, found } = sql::run(&copy, args.list, &is_open)?;
        outcomes.retain(|what, _| !is_of_sql(what) || all.contains(what));
        outcomes.extend(found);
    }
    if !args.sql && args.may_be_in(".rs") {
        let is_open = |what: &str| args.is_about(what) && !outcomes.contains_key(what);
        let Tried { all, found } = rust(&copy, args.list, &is_open)?;
        outcomes.retain(|what, _| is_of_sql(what) || all.contains(what));
        outcomes.extend(found);
    }
    if args.list {
        return Ok(());
    }
    fs::write(LIST, list(&outcomes)).with_context(|| format!("cannot write {LIST}"))?;
    let survivors: Vec<_> = outcomes.iter().filter(|(_, outcome)| **outcome == Outcome::Survived).collect();
    for (what, _) in &survivors {
        println!("no test notices: {what}");
    }
    match survivors.len() {
        0 => Ok(()),
        count => bail!("{count} of {} changes are noticed by no test", outcomes.len()),
    }
}

fn is_of_sql(what: &str) -> bool {
    what.contains(".sql: ")
}

impl MutantsArgs {
    fn may_be_in(&self, extension: &str) -> bool {
        self.file.as_ref().is_none_or(|file| file.ends_with(extension))
    }

    fn is_about(&self, what: &str) -> bool {
        let is_of_file = self.file.as_ref().is_none_or(|file| what.starts_with(&format!("{file}:")));
        is_of_file && if is_of_sql(what) { !self.rust } else { !self.sql }
    }
}

fn list(outcomes: &Outcomes) -> String {
    let count = |of| outcomes.values().filter(|outcome| **outcome == of).count();
    let [caught, survived, refused] = Outcome::ALL.map(count);
    let mut text = format!(
        "# What the tests notice\n\nWritten by `cargo xtask mutants`: each line is one change of what keeps work from being lost or done \
         twice. {caught} are caught by a test, {survived} by none, {refused} the compiler refuses.\n\n"
    );
    for (what, outcome) in outcomes {
        text += &format!("* {}: `{what}`\n", outcome.name());
    }
    text
}

/// What a list says.
fn known(list: &str) -> Outcomes {
    let lines = list.lines().filter_map(|line| line.strip_prefix("* ")?.strip_suffix('`')?.split_once(": `"));
    let of = |name: &str| Outcome::ALL.into_iter().find(|outcome| outcome.name() == name);
    lines.filter_map(|(name, what)| Some((what.to_owned(), of(name)?))).collect()
}

/// A copy of what is committed, with a target folder of its own.
struct Copy {
    tree: PathBuf,
    target: PathBuf,
}

impl Copy {
    fn make(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let copy = Self { tree: folder.join("tree"), target: folder.join("target") };
        copy.remove()?;
        let add = Command::new("git").args(["worktree", "add", "--detach"]).arg(&copy.tree).status();
        if !add.context("cannot start git")?.success() {
            bail!("git could not copy the tree to {}", copy.tree.display());
        }
        Ok(copy)
    }

    /// What returns a `Result` is made to return other results; by another name it would be made to return what does not compile.
    fn call_results_by_their_name(&self) -> Result<()> {
        for rules in fs::read_dir(self.tree.join("host/store/src/rules"))? {
            let path = rules?.path();
            let text = fs::read_to_string(&path)?;
            let text = text.replace("TxResult<", "Result<").replace("TxResult", "TxResult as Result");
            fs::write(&path, text)?;
        }
        Ok(())
    }

    fn remove(&self) -> Result<()> {
        if self.tree.exists() {
            let tree = self.tree.as_os_str();
            let remove = ["worktree", "remove", "--force"].map(AsRef::as_ref).into_iter().chain([tree]);
            let status = Command::new("git").args(remove).status().context("cannot start git")?;
            if !status.success() {
                bail!("git could not remove {}; remove it and try again", self.tree.display());
            }
        }
        Ok(())
    }

    /// A cargo that works in the copy.
    fn cargo(&self) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target).stdin(Stdio::null());
        cargo.envs(DETERMINED);
        cargo
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // Whoever runs it next removes what is left.
        drop(self.remove());
    }
}

/// Changes lines of Rust, those of them that are open.
fn rust(copy: &Copy, only_list: bool, is_open: &dyn Fn(&str) -> bool) -> Result<Tried> {
    install_cargo_mutants()?;
    copy.call_results_by_their_name()?;
    let mut changes = changes(copy)?;
    let (all, mut found) = (changes.iter().cloned().collect(), Outcomes::new());
    changes.retain(|what| is_open(what));
    if only_list {
        changes.iter().for_each(|what| println!("{what}"));
    }
    if only_list || changes.is_empty() {
        return Ok(Tried { all, found });
    }
    let server = Server::start()?;
    for tests in TESTS {
        if !changes.is_empty() {
            found.extend(outcomes(copy, &changes, tests, &server)?);
            changes.retain(|what| found.get(what) == Some(&Outcome::Survived));
        }
    }
    Ok(Tried { all, found })
}

/// What cargo-mutants would change.
fn changes(copy: &Copy) -> Result<Vec<String>> {
    let list = copy.cargo().args(["mutants", "--workspace", "--list"]).output();
    let list = list.context("cannot start cargo")?;
    if !list.status.success() {
        bail!("cargo-mutants cannot say what it would change: {}", String::from_utf8_lossy(&list.stderr));
    }
    Ok(String::from_utf8_lossy(&list.stdout).lines().map(str::to_owned).collect())
}

/// What these tests make of each of these changes.
fn outcomes(copy: &Copy, changes: &[String], tests: &[&str], server: &Server) -> Result<Outcomes> {
    let out = copy.target.with_file_name("out");
    let mut cargo = copy.cargo();
    cargo.env(postgres::VARIABLE, server.url());
    cargo.args(["mutants", "--workspace", "--in-place", "--no-shuffle", "--output"]).arg(&out);
    cargo.args(changes.iter().flat_map(|what| ["--re".to_owned(), format!("^{}$", escaped(what))]));
    // Its status says whether all were caught, which its outcomes say as well.
    cargo.arg("--").args(["--lib", "--test", "store", "--"]).args(tests).status()?;
    let path = out.join("mutants.out/outcomes.json");
    let text = fs::read(&path).with_context(|| format!("cargo-mutants left no {}", path.display()))?;
    let outcomes: serde_json::Value = serde_json::from_slice(&text)?;
    let outcomes = outcomes["outcomes"].as_array().context("cargo-mutants left no list of outcomes")?;
    Ok(outcomes.iter().filter_map(of_mutant).collect())
}

/// A pattern that matches this text alone.
fn escaped(text: &str) -> String {
    let escape = |letter| [r"\.+*?()|[]{}^$".contains(letter).then_some('\\'), Some(letter)];
    text.chars().flat_map(escape).flatten().collect()
}

/// A line of what `cargo-mutants` left; none for the run without a change.
fn of_mutant(outcome: &serde_json::Value) -> Option<(String, Outcome)> {
    let what = outcome["scenario"]["Mutant"]["name"].as_str()?.to_owned();
    let outcome = match outcome["summary"].as_str()? {
        "CaughtMutant" | "Timeout" => Outcome::Caught,
        "Unviable" => Outcome::Unviable,
        _ => Outcome::Survived,
    };
    Some((what, outcome))
}

fn install_cargo_mutants() -> Result<()> {
    let there = Command::new("cargo").args(["mutants", "--version"]).output();
    if there.is_ok_and(|out| out.status.success()) {
        return Ok(());
    }
    println!("== installing cargo-mutants {CARGO_MUTANTS}, which this machine lacks");
    let install = ["install", "cargo-mutants", "--locked", "--debug", "--version", CARGO_MUTANTS];
    let status = Command::new("cargo").args(install).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("cargo-mutants cannot be installed; install it by hand and try again");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_what_it_was_made_of() {
        let changes = [
            ("a/lease.rs:42:9: replace margin -> Duration with Default::default()", Outcome::Caught),
            ("a/host_list.sql: lease_until > :now OR TRUE", Outcome::Survived),
            ("a/outbox.rs:1:1: replace < with ==", Outcome::Unviable),
        ];
        let outcomes: Outcomes = changes.map(|(what, outcome)| (what.to_owned(), outcome)).into();
        let text = list(&outcomes);
        assert!(text.contains("1 are caught by a test, 1 by none, 1 the compiler refuses"), "{text}");
        assert!(known(&text) == outcomes);
    }

    #[test]
    fn a_pattern_matches_what_it_was_made_of() {
        assert_eq!(
            escaped("a/b.rs:1:2: replace f -> (Vec<u8>) with *"),
            r"a/b\.rs:1:2: replace f -> \(Vec<u8>\) with \*"
        );
    }

    #[test]
    fn what_is_changed_is_said_by_kind_and_by_file() {
        let args = |sql, rust, file: Option<&str>| MutantsArgs {
            list: false,
            sql,
            rust,
            survivors: false,
            file: file.map(Into::into),
        };
        let changes = ["a/b.rs:1:2: replace < with ==", "a/b.sql: c OR TRUE", "a/d.sql: c OR TRUE"];
        let about = |args: MutantsArgs| changes.map(|what| args.is_about(what));
        assert_eq!(about(args(false, false, None)), [true, true, true]);
        assert_eq!(about(args(true, false, None)), [false, true, true]);
        assert_eq!(about(args(false, true, None)), [true, false, false]);
        assert_eq!(about(args(false, false, Some("a/b.sql"))), [false, true, false]);
        assert_eq!(about(args(true, false, Some("a/b.rs"))), [false, false, false]);
    }
}
