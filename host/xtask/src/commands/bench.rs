//! `cargo xtask bench`: what the host costs, as ratios of one run on this machine. No test depends on it.

mod crowded;
mod demo;
mod figure;
mod hosts;
mod peers;
mod postgres;
mod start;

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use comfy_table::{Table, presets};
use figure::{Figure, Judged};

/// Measure what the host costs beside what it is made of
///
/// Prints each figure as the median of its blocks with the smallest and largest one, and as a ratio to what it is compared with,
/// measured block by block in the same run. See docs/benchmarks.md. Takes some minutes.
#[derive(clap::Args)]
pub(crate) struct BenchArgs {
    /// Only this one
    #[arg(value_enum)]
    name: Option<Bench>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Bench {
    /// A call through the sandbox against bare wasmtime
    Call,
    /// A claim at growing backlogs
    Claim,
    /// Entries a second through a whole host
    Drain,
    /// Memory of the demo
    Demo,
    /// Commands and scoring with a million entries
    Million,
    /// Load on PostgreSQL, beside job queues that others wrote
    Postgres,
    /// A claim from a long used store in PostgreSQL
    Crowded,
    /// How soon an entry that comes in is begun, on PostgreSQL
    Start,
}

pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let wanted = args.name.map_or_else(|| Bench::ALL.to_vec(), |name| vec![name]);
    let mut figures = Vec::new();
    for bench in wanted {
        figures.extend(bench.figures()?.iter().map(Figure::judge));
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

impl Bench {
    const ALL: [Self; 8] = [
        Self::Call,
        Self::Claim,
        Self::Drain,
        Self::Demo,
        Self::Million,
        Self::Postgres,
        Self::Crowded,
        Self::Start,
    ];

    fn figures(self) -> Result<Vec<Figure>> {
        match self {
            Self::Call => from_cargo("call", &[]),
            Self::Claim => from_cargo("claim", &[]),
            Self::Drain => from_cargo("drain", &[]),
            Self::Demo => demo::figures(),
            Self::Million => from_cargo("million", &[]),
            Self::Postgres => postgres::figures(),
            Self::Crowded => crowded::figures(),
            Self::Start => start::figures(),
        }
    }
}

/// The lines that a benchmark of a crate prints. It is built in the whole workspace whichever it is: cargo then builds the
/// dependencies with the same features every time, and so only once.
fn from_cargo(target: &str, environment: &[(&str, String)]) -> Result<Vec<Figure>> {
    let mut command = Command::new("cargo");
    command.args(["bench", "--locked", "--workspace", "--bench", target]);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    let output = command.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the benchmark `{target}` failed");
    }
    let lines = String::from_utf8(output.stdout).context("a benchmark prints text")?;
    lines
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("no figure: {line}")))
        .collect()
}

fn print(figures: &[Judged]) {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(["figure", "measured", "against", "ratio", "target", "fdatasync"]);
    for figure in figures {
        table.add_row(figure.cells());
    }
    println!("{table}");
    for figure in figures {
        for (name, value) in &figure.facts {
            println!("{}: {} {name}", figure.name, figure::short(*value));
        }
    }
}
