//! What a benchmark hands to `cargo xtask bench`: a line of JSON for each figure, with the blocks as they were measured.
//!
//! What is compared is measured in one run, a block of the one after a block of the other, since a machine that others use
//! changes by the minute. Nothing is judged here.

#![allow(dead_code, reason = "each benchmark uses a part of it")]
#![allow(clippy::print_stdout, reason = "standard output is what is collected")]

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use serde::Serialize;

/// How many writes are made durable to see what the disk takes.
const PROBE_SYNCS: usize = 50;

/// One figure: the same thing measured again and again.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) name: String,
    /// Of the blocks, e.g. `µs`.
    pub(crate) unit: &'static str,
    /// One number a block.
    pub(crate) blocks: Vec<f64>,
    /// What it is compared with.
    pub(crate) against: Option<Against>,
    /// Bounds that the medians are held against.
    pub(crate) targets: Vec<Target>,
    /// Milliseconds that an fdatasync of 4 KiB took, once a round; empty where nothing was made durable.
    pub(crate) fdatasync_ms: Vec<f64>,
    /// Further numbers by their name and unit.
    pub(crate) facts: BTreeMap<String, f64>,
}

/// What a figure is compared with: as many blocks, each measured beside the one at its place.
#[derive(Debug, Serialize)]
pub(crate) struct Against {
    /// What was measured.
    pub(crate) name: &'static str,
    /// One number a block.
    pub(crate) blocks: Vec<f64>,
}

/// A bound.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Target {
    /// Of the figure itself.
    AtMost(f64),
    /// Of figure ÷ comparison.
    RatioAtMost(f64),
    /// Of figure ÷ comparison.
    RatioAtLeast(f64),
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            unit,
            blocks: Vec::new(),
            against: None,
            targets: Vec::new(),
            fdatasync_ms: Vec::new(),
            facts: BTreeMap::new(),
        }
    }

    /// Writes the line.
    pub(crate) fn print(&self) {
        println!("{}", serde_json::to_string(self).expect("numbers and names are JSON"));
    }
}

/// Microseconds of each of `count` things that took this long together.
pub(crate) fn micros_each(together: Duration, count: usize) -> f64 {
    together.as_secs_f64() * 1e6 / count as f64
}

/// Milliseconds that an fdatasync of 4 KiB takes in this folder now: the median of some.
pub(crate) fn probe_fdatasync(folder: &Path) -> io::Result<f64> {
    let path = folder.join("fdatasync.probe");
    let mut file = File::create(&path)?;
    let mut millis = Vec::with_capacity(PROBE_SYNCS);
    for _ in 0..PROBE_SYNCS {
        let began = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        millis.push(began.elapsed().as_secs_f64() * 1e3);
    }
    drop(file);
    std::fs::remove_file(path)?;
    millis.sort_by(f64::total_cmp);
    Ok(millis[PROBE_SYNCS / 2])
}
