//! How soon an entry that comes in is begun: a host that has nothing to do, and a person who adds an entry now and then, by a command of
//! theirs. By the database's clock, which both transactions asked: from that of the arrival, before its commit, to that of the claim.
//!
//! Beside it graphile-worker, which has nothing to do either and is given a job now and then: from before it is told to the job's first step.

use anyhow::Result;

use super::{
    figure::{Against, Figure, Target},
    hosts::Hosts,
    peers::Peers,
    postgres::{durable_server, measure},
};

const ROUNDS: usize = 5;
const ARRIVALS_PER_BLOCK: u64 = 60;

/// Milliseconds within which 95 of 100 are to be begun.
const TARGET_MS: f64 = 15.0;

const PERCENTILES: [usize; 3] = [50, 95, 99];

pub(super) fn figures() -> Result<Vec<Figure>> {
    let server = durable_server()?;
    let peers = Peers::install_or_say(&server);
    let mut hosts = Hosts::new(&server)?;
    let (mut ours, mut theirs, mut fdatasync_ms) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        eprintln!("== round {} of {ROUNDS}", round + 1);
        fdatasync_ms.push(measure::probe_fdatasync(server.folder())?);
        ours.push(hosts.starts_ms(ARRIVALS_PER_BLOCK)?);
        if let Some(peers) = &peers {
            theirs.push(peers.starts_ms(ARRIVALS_PER_BLOCK)?);
        }
    }
    let figure = |percentile: usize| {
        let of = |blocks: &[Vec<f64>]| blocks.iter().map(|block| nth(block, percentile)).collect::<Vec<_>>();
        let against =
            (!theirs.is_empty()).then(|| Against { name: "graphile-worker".into(), blocks: of(&theirs) });
        Figure {
            against,
            targets: (percentile == 95).then_some(Target::AtMost(TARGET_MS)).into_iter().collect(),
            fdatasync_ms: fdatasync_ms.clone(),
            ..Figure::new(format!("{percentile} of 100 entries that come in, until begun"), "ms", of(&ours))
        }
    };
    Ok(PERCENTILES.into_iter().map(figure).collect())
}

/// So many of a hundred take this at the most.
fn nth(block: &[f64], percentile: usize) -> f64 {
    let mut sorted = block.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len() * percentile).div_ceil(100).saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
