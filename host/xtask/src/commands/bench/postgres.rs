//! Load on PostgreSQL, on a server of this command's own that makes everything durable: hosts of Tollgate beside job queues that others
//! wrote.

#[path = "../../../../sandbox/benches/measure/mod.rs"]
pub(super) mod measure;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::{
    figure::{Against, Figure, Target},
    hosts::Hosts,
    peers::{Peer, Peers},
};
use crate::postgres::Server;

/// Rounds over all hosts and peers.
const ROUNDS: usize = 3;

/// Hosts that share the store.
const HOSTS: [usize; 3] = [1, 2, 4];

/// Blocks of each, one of each in a round.
#[derive(Default)]
struct Throughput {
    hosts: BTreeMap<usize, Vec<f64>>,
    delivered: BTreeMap<usize, Vec<f64>>,
    peers: BTreeMap<&'static str, Vec<f64>>,
    fdatasync_ms: Vec<f64>,
}

pub(super) fn figures() -> Result<Vec<Figure>> {
    let server = durable_server()?;
    let peers = Peers::install_or_say(&server);
    Ok(throughput(&server, peers.as_ref())?.figures())
}

/// A server that keeps what it says it keeps.
pub(super) fn durable_server() -> Result<Server> {
    let server = Server::start()?;
    for (setting, durable) in [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")] {
        let set = server.ask("postgres", &format!("SHOW {setting}"))?;
        ensure!(set == durable, "the server has {setting} = {set}, so nothing that it says would be durable");
    }
    Ok(server)
}

fn throughput(server: &Server, peers: Option<&Peers>) -> Result<Throughput> {
    let mut hosts = Hosts::new(server)?;
    let mut measured = Throughput::default();
    for round in 0..ROUNDS {
        eprintln!("== round {} of {ROUNDS}", round + 1);
        measured.fdatasync_ms.push(measure::probe_fdatasync(server.folder())?);
        for count in HOSTS {
            let per_second = hosts.per_second(count)?;
            eprintln!("{}: {:.0} entries a second", hosts_of(count), per_second.done);
            measured.hosts.entry(count).or_default().push(per_second.done);
            measured.delivered.entry(count).or_default().push(per_second.delivered);
        }
        let Some(peers) = peers else { continue };
        for peer in Peer::ALL {
            let per_second = peers.per_second(peer)?;
            eprintln!("{}: {per_second:.0} jobs a second", peer.name());
            measured.peers.entry(peer.name()).or_default().push(per_second);
        }
    }
    Ok(measured)
}

impl Throughput {
    fn figures(&self) -> Vec<Figure> {
        let of_hosts = self.hosts.iter().flat_map(|(count, blocks)| self.of_hosts(*count, blocks));
        let delivered = self.delivered.iter().map(|(count, blocks)| {
            let name = format!("the same, until the records are delivered, {}", hosts_of(*count));
            Figure {
                fdatasync_ms: self.fdatasync_ms.clone(),
                ..Figure::new(name, "entries/s", blocks.clone())
            }
        });
        let of_peers = Peer::ALL.into_iter().filter_map(|peer| {
            let blocks = self.peers.get(peer.name())?.clone();
            let jobs = Figure::new(format!("jobs that do nothing: {}", peer.name()), "jobs/s", blocks);
            Some(Figure { fdatasync_ms: self.fdatasync_ms.clone(), ..jobs })
        });
        of_hosts.chain(delivered).chain(of_peers).collect()
    }

    /// So many hosts beside each of those that do one job at a time.
    fn of_hosts(&self, count: usize, blocks: &[f64]) -> Vec<Figure> {
        let figure = Figure {
            fdatasync_ms: self.fdatasync_ms.clone(),
            ..Figure::new(
                format!("entries through 3 stages that do nothing, {}", hosts_of(count)),
                "entries/s",
                blocks.to_vec(),
            )
        };
        let beside = |(peer, targets): (Peer, Vec<Target>)| {
            let theirs = self.peers.get(peer.name())?;
            let against = Some(Against { name: peer.name().into(), blocks: theirs.clone() });
            Some(Figure { against, targets, ..figure.clone() })
        };
        let peers = [(Peer::PgBoss, vec![Target::RatioAtLeast(1.0)]), (Peer::Graphile, Vec::new())];
        let compared: Vec<_> = peers.into_iter().filter_map(beside).collect();
        if compared.is_empty() { vec![figure] } else { compared }
    }
}

fn hosts_of(count: usize) -> String {
    if count == 1 { "1 host".to_owned() } else { format!("{count} hosts") }
}
