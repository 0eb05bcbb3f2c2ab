//! `cargo xtask mutants`: whether the tests notice when that is changed which keeps work from being lost or done twice.
//!
//! Properties wanted:
//!
//! 1. Every condition of the queries that fence writes, leases and deliveries is needed: without it a test fails.
//! 2. So is every line of the arithmetic of leases and caps, and of the rules of claims, the ledger and the outbox.
//! 3. What survives is named with its place, and the command fails.
//!
//! Conditions are changed here, by [`sql`]; lines by `cargo-mutants`, as `.cargo/mutants.toml` says. Both in a copy of what is
//! committed. It takes hours, so CI does not run it; the last list is in `docs/mutants.md`.

mod sql;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

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
}

/// The version of cargo-mutants that is installed where there is none.
const CARGO_MUTANTS: &str = "27.1.0";

/// Tests that notice nearly everything, and take seconds: what they notice the others need not be asked about.
const QUICK: [&str; 12] = [
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
];

/// All, on a server as well.
const ALL: [&str; 0] = [];

/// Where the list is kept.
const LIST: &str = "docs/mutants.md";

/// One change and what became of it.
struct Mutant {
    what: String,
    outcome: Outcome,
}

/// What the tests made of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Caught,
    Survived,
    /// The compiler refuses it.
    Unviable,
}

pub(crate) fn run(args: &MutantsArgs) -> Result<()> {
    let copy = Copy::make(Path::new("target/mutants"))?;
    let mut mutants = Vec::new();
    if !args.rust {
        mutants.extend(sql::run(&copy, args.list)?);
    }
    if !args.sql {
        mutants.extend(rust(&copy, args.list)?);
    }
    if args.list {
        return Ok(());
    }
    let survivors: Vec<_> = mutants.iter().filter(|mutant| mutant.outcome == Outcome::Survived).collect();
    for survivor in &survivors {
        println!("no test notices: {}", survivor.what);
    }
    if !args.sql && !args.rust {
        fs::write(LIST, list(&mutants)).with_context(|| format!("cannot write {LIST}"))?;
    }
    match survivors.len() {
        0 => Ok(()),
        count => bail!("{count} of {} changes are noticed by no test", mutants.len()),
    }
}

fn list(mutants: &[Mutant]) -> String {
    let count = |outcome| mutants.iter().filter(|mutant| mutant.outcome == outcome).count();
    let (caught, survived) = (count(Outcome::Caught), count(Outcome::Survived));
    let mut text = format!(
        "# What the tests notice\n\nWritten by `cargo xtask mutants`: each line is one change of what keeps work from being lost or done \
         twice. {caught} are caught by a test, {survived} by none, {} the compiler refuses.\n\n",
        count(Outcome::Unviable)
    );
    for mutant in mutants {
        let outcome = match mutant.outcome {
            Outcome::Caught => "caught",
            Outcome::Survived => "**survived**",
            Outcome::Unviable => "refused",
        };
        text += &format!("* {outcome}: `{}`\n", mutant.what);
    }
    text
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
        cargo
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // Whoever runs it next removes what is left.
        drop(self.remove());
    }
}

/// Changes lines of Rust.
fn rust(copy: &Copy, only_list: bool) -> Result<Vec<Mutant>> {
    install_cargo_mutants()?;
    copy.call_results_by_their_name()?;
    if only_list {
        copy.cargo().args(["mutants", "--workspace", "--list"]).status().context("cannot start cargo")?;
        return Ok(Vec::new());
    }
    let out = copy.target.with_file_name("out");
    let first = outcomes(copy, &out, &["--no-shuffle"], &QUICK, None)?;
    let rest = match first.iter().any(|mutant| mutant.outcome == Outcome::Survived) {
        true => {
            let server = Server::start()?;
            outcomes(copy, &out, &["--no-shuffle", "--iterate"], &ALL, Some(&server))?
        }
        false => Vec::new(),
    };
    let is_open = |mutant: &Mutant| mutant.outcome == Outcome::Survived;
    Ok(first.into_iter().filter(|mutant| !is_open(mutant)).chain(rest).collect())
}

/// What the tests that are told by `test` make of each change.
fn outcomes(
    copy: &Copy,
    out: &Path,
    args: &[&str],
    test: &[&str],
    server: Option<&Server>,
) -> Result<Vec<Mutant>> {
    let mut cargo = copy.cargo();
    cargo.envs(server.map(|server| (postgres::VARIABLE, server.url())));
    cargo.args(["mutants", "--workspace", "--in-place", "--output"]).arg(out).args(args);
    // Its status says whether all were caught, which its outcomes say as well.
    cargo.arg("--").args(["--lib", "--test", "store", "--"]).args(test).status()?;
    let path = out.join("mutants.out/outcomes.json");
    let text = fs::read(&path).with_context(|| format!("cargo-mutants left no {}", path.display()))?;
    let outcomes: serde_json::Value = serde_json::from_slice(&text)?;
    let outcomes = outcomes["outcomes"].as_array().context("cargo-mutants left no list of outcomes")?;
    Ok(outcomes.iter().filter_map(mutant).collect())
}

/// A line of what `cargo-mutants` left; none for the run without a change.
fn mutant(outcome: &serde_json::Value) -> Option<Mutant> {
    let what = outcome["scenario"]["Mutant"]["name"].as_str()?.to_owned();
    let outcome = match outcome["summary"].as_str()? {
        "CaughtMutant" | "Timeout" => Outcome::Caught,
        "Unviable" => Outcome::Unviable,
        _ => Outcome::Survived,
    };
    Some(Mutant { what, outcome })
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
