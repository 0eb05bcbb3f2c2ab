//! End to end, conformance and fault tests: the binary as people use it, on real files.

#[path = "../probe/mod.rs"]
mod probe;
#[path = "../provider/mod.rs"]
mod provider;
mod support;

mod adopt;
mod branches;
mod buckets;
mod cancel;
mod children;
mod data_set;
mod demo;
mod doctor;
mod escalations;
mod explain;
mod foreign;
mod house;
mod internal;
mod journal;
mod kills;
mod model;
mod pipeline;
mod plugins;
mod rebuild;
mod refine;
mod sources;
mod stores;
// Util-linux gives a process a terminal of its own.
#[cfg(target_os = "linux")]
mod strange;
mod terminal;
mod vanish;
mod waiting;
mod words;
