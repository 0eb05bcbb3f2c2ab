//! `cargo xtask test`: everything that must hold before a change lands. CI runs this and nothing else.

use std::{process::Command, time::Instant};

use anyhow::{Context as _, Result, bail};

use crate::postgres::{self, Server};

/// Run every check and every test, as CI does
#[derive(clap::Args)]
pub(crate) struct TestArgs {
    /// Run only the steps whose name contains this text
    #[arg(value_name = "STEP")]
    only: Option<String>,
    /// List the steps and run none
    #[arg(long)]
    list: bool,
}

/// Properties are tried with what this seed gives, unless the environment names another: the same code passes or fails each time. Whoever
/// runs `cargo test` by hand tries other values each time.
pub(super) const PROPERTIES: (&str, &str) = ("PROPTEST_RNG_SEED", "20261122");

/// The version of cargo-deny that is installed where there is none.
const CARGO_DENY: &str = "0.18.9";

/// One thing that must hold.
struct Step {
    name: &'static str,
    why: &'static str,
    program: &'static str,
    args: &'static [&'static str],
    envs: &'static [(&'static str, &'static str)],
}

const fn cargo(name: &'static str, why: &'static str, args: &'static [&'static str]) -> Step {
    Step { name, why, program: "cargo", args, envs: &[] }
}

/// Cheap ones first: what fails early costs least.
const STEPS: &[Step] = &[
    cargo("format", "one look for all code", &["fmt", "--all", "--", "--check"]),
    cargo(
        "format-plugins",
        "the plugins are a workspace of their own",
        &["fmt", "--manifest-path", "plugins/Cargo.toml", "--all", "--", "--check"],
    ),
    cargo(
        "clippy",
        "no warnings, tests included",
        &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    ),
    cargo(
        "clippy-plugins",
        "no warnings in the plugins either",
        &[
            "clippy",
            "--manifest-path",
            "plugins/Cargo.toml",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    ),
    cargo(
        "deny",
        "licences, sources and duplicates of all dependencies",
        &["deny", "--all-features", "check", "bans", "licenses", "sources"],
    ),
    Step {
        name: "doc",
        why: "every link in the documentation leads somewhere",
        program: "cargo",
        args: &["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"],
        envs: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    cargo(
        "components",
        "the checked-in components belong to the sources beside them",
        &["xtask", "plugins", "--check"],
    ),
    cargo(
        "test-plugins",
        "the plugins' own tests, run natively",
        &["test", "--manifest-path", "plugins/Cargo.toml", "--workspace", "--locked"],
    ),
    cargo("test", "everything else", &["test", "--workspace", "--locked", "--no-fail-fast"]),
    Step {
        name: "simulation",
        why: "ten thousand worlds of whole hosts, each with faults of its own, end well",
        program: "cargo",
        args: &["test", "--workspace", "--locked", "--test", "simulation", "worlds_of_many_seeds"],
        envs: &[("TOLLGATE_SIM_SEEDS", "10000")],
    },
    cargo("foreign", "components of other languages' toolchains", &["xtask", "foreign"]),
    cargo(
        "test-foreign",
        "they run unmodified",
        &["test", "--workspace", "--locked", "--test", "suite", "--", "--ignored", "foreign::"],
    ),
];

pub(crate) fn run(args: &TestArgs) -> Result<()> {
    let wanted = |step: &&Step| args.only.as_ref().is_none_or(|only| step.name.contains(only.as_str()));
    let steps: Vec<&Step> = STEPS.iter().filter(wanted).collect();
    if steps.is_empty() {
        bail!("no step is named like that; `cargo xtask test --list` names them");
    }
    // For the tests of stores; it ends with this function.
    let mut server = None;
    for step in steps {
        if args.list {
            println!("{:16} {}", step.name, step.why);
            continue;
        }
        if step.name == "deny" {
            install_cargo_deny()?;
        }
        if step.name == "test" {
            server = Some(Server::start()?);
        }
        run_step(step, server.as_ref())?;
    }
    Ok(())
}

fn run_step(step: &Step, server: Option<&Server>) -> Result<()> {
    println!("\n== {}: {}", step.name, step.why);
    let started = Instant::now();
    let mut command = Command::new(step.program);
    command.args(step.args).envs(step.envs.iter().copied());
    let (name, seed) = PROPERTIES;
    command.env(name, std::env::var_os(name).unwrap_or_else(|| seed.into()));
    command.envs(server.map(|server| (postgres::VARIABLE, server.url())));
    let status = command.status().with_context(|| format!("cannot start {}", step.program))?;
    if !status.success() {
        bail!("`{}` failed: {} {}", step.name, step.program, step.args.join(" "));
    }
    println!("== {} holds ({} s)", step.name, started.elapsed().as_secs());
    Ok(())
}

fn install_cargo_deny() -> Result<()> {
    let there =
        Command::new("cargo").args(["deny", "--version"]).output().is_ok_and(|out| out.status.success());
    if there {
        return Ok(());
    }
    println!("\n== installing cargo-deny {CARGO_DENY}, which this machine lacks");
    let install = ["install", "cargo-deny", "--locked", "--debug", "--version", CARGO_DENY];
    let status = Command::new("cargo").args(install).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("cargo-deny cannot be installed; install it by hand and try again");
    }
    Ok(())
}
