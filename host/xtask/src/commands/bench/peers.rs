//! Job queues for PostgreSQL that others wrote, on Node.js: graphile-worker and pg-boss, of the versions in `peers/package-lock.json`.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{plugins::repository, postgres::Server};

/// The first version of Node.js that runs them.
const NODE_SINCE: u32 = 20;

const HOW: &str =
    "install Node.js 20 or later with npm (Debian: `apt-get install nodejs npm`; macOS: `brew install node`)";

/// The database that each of them has tables of its own in.
const DATABASE: &str = "peers";

/// What one of them is measured at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    PgBoss,
    PgBossBatched,
    Graphile,
    GraphileBatched,
}

/// They, installed.
pub(super) struct Peers {
    folder: PathBuf,
    address: String,
}

#[derive(Deserialize)]
struct Throughput {
    per_second: f64,
}

#[derive(Deserialize)]
struct Milliseconds {
    ms: Vec<f64>,
}

impl Peer {
    pub(super) const ALL: [Self; 4] =
        [Self::PgBoss, Self::PgBossBatched, Self::Graphile, Self::GraphileBatched];

    /// As `peers.mjs` knows it.
    fn word(self) -> &'static str {
        match self {
            Self::PgBoss => "pg-boss",
            Self::PgBossBatched => "pg-boss-batched",
            Self::Graphile => "graphile-worker",
            Self::GraphileBatched => "graphile-worker-batched",
        }
    }

    /// For people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PgBoss => "pg-boss, one job at a time",
            Self::PgBossBatched => "pg-boss, batches of 500",
            Self::Graphile => "graphile-worker, one job at a time",
            Self::GraphileBatched => "graphile-worker, batches of 500",
        }
    }

    /// Jobs of a block: what takes some seconds.
    fn jobs(self) -> u32 {
        match self {
            Self::PgBoss | Self::Graphile => 1_500,
            Self::PgBossBatched | Self::GraphileBatched => 15_000,
        }
    }
}

impl Peers {
    /// Installs them beside the build's output.
    pub(super) fn install(server: &Server) -> Result<Self> {
        let node = version("node").with_context(|| format!("there is no Node.js; {HOW}"))?;
        let major = node.trim_start_matches('v').split('.').next().and_then(|number| number.parse().ok());
        ensure!(major.is_some_and(|major: u32| major >= NODE_SINCE), "Node.js is {node}; {HOW}");
        version("npm").with_context(|| format!("there is no npm; {HOW}"))?;

        let (sources, folder) = (repository().join("host/xtask/peers"), repository().join("target/peers"));
        fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        for file in ["package.json", "package-lock.json", "peers.mjs"] {
            fs::copy(sources.join(file), folder.join(file))
                .with_context(|| format!("failed to copy {file} to {}", folder.display()))?;
        }
        let mut install = Command::new("npm");
        install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        let installed = install.current_dir(&folder).stdout(std::io::stderr()).status();
        ensure!(
            installed.is_ok_and(|status| status.success()),
            "`npm ci` failed in {}: npm has to reach its registry once",
            folder.display()
        );
        server.ask("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
        Ok(Self { folder, address: format!("{}/{DATABASE}", server.address()) })
    }

    /// The same; without them where they cannot be had, which is said.
    pub(super) fn install_or_say(server: &Server) -> Option<Self> {
        Self::install(server)
            .inspect_err(|error| eprintln!("\n== graphile-worker and pg-boss are left out: {error:#}"))
            .ok()
    }

    /// Jobs a second of one of them, ten at once.
    pub(super) fn per_second(&self, peer: Peer) -> Result<f64> {
        self.ask::<Throughput>(peer.word(), peer.jobs().into()).map(|said| said.per_second)
    }

    /// How long each of so many jobs waited for its first step, which graphile-worker was given one after the other while it had nothing
    /// to do.
    pub(super) fn starts_ms(&self, jobs: u64) -> Result<Vec<f64>> {
        self.ask::<Milliseconds>("graphile-worker-start", jobs).map(|said| said.ms)
    }

    fn ask<T: DeserializeOwned>(&self, what: &str, jobs: u64) -> Result<T> {
        let mut node = Command::new("node");
        node.args(["peers.mjs", what, &self.address]).arg(jobs.to_string());
        let ran =
            node.current_dir(&self.folder).stderr(Stdio::inherit()).output().context("cannot start node")?;
        if !ran.status.success() {
            bail!("{what} failed");
        }
        serde_json::from_slice(&ran.stdout).with_context(|| format!("{what} said something else than JSON"))
    }
}

fn version(program: &str) -> Result<String> {
    let said = Command::new(program).arg("--version").stderr(Stdio::null()).output()?;
    ensure!(said.status.success(), "`{program} --version` failed");
    Ok(String::from_utf8(said.stdout)?.trim().to_owned())
}
