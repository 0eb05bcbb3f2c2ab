//! Where the work comes from, so that it can be checked and repeated.

use tollgate_core::{Microcents, record::Record};

use super::{escape, table::table, units};

/// The run and everything that it was pinned to.
pub(super) fn provenance(record: &Record) -> String {
    let chain = record.chain.map_or_else(
        || "not closed yet".to_owned(),
        |head| format!("{} events, head {}", head.events, units::digest(&head.hash)),
    );
    let lines = [
        format!(
            "run `{}`, {}, round {}, claim {}",
            record.run,
            record.kind.as_str(),
            record.round,
            record.fence
        ),
        format!("from {} to {}", record.started_at, record.ended_at),
        format!("host {}, store `{}`", escape::code(&record.host.0), record.store),
        format!(
            "item {}, revision {}",
            escape::code(&record.entry.name.to_string()),
            units::digest(&record.entry.revision)
        ),
        format!(
            "pipeline {}, answered for by {}",
            escape::code(&record.pins.pipeline),
            escape::code(&record.pins.owner)
        ),
        format!(
            "policy {}, pins {}, engine {}",
            units::digest(&record.pins.policy),
            units::digest(&record.pins.digest),
            escape::code(&record.pins.engine)
        ),
        format!("chain: {chain}"),
    ];
    let lines: String = lines.iter().map(|line| format!("- {line}\n")).collect();
    format!("### Provenance\n\n{lines}\n{}{}", plugins(record), models(record))
}

fn models(record: &Record) -> String {
    let rows: Vec<_> = record
        .pins
        .models
        .iter()
        .map(|(name, pinned)| {
            let per_million = |price: Microcents| format!("{price} / 1M");
            vec![
                escape::code(name),
                escape::code(&pinned.model),
                per_million(pinned.price.input_per_million),
                per_million(pinned.price.output_per_million),
            ]
        })
        .collect();
    table("Models", &["model", "at its provider", ">read", ">written"], &rows, 3_000)
}

fn plugins(record: &Record) -> String {
    let rows: Vec<_> = record
        .pins
        .plugins
        .iter()
        .map(|plugin| {
            vec![
                escape::code(&plugin.name),
                escape::text(&plugin.version, 60),
                escape::text(&plugin.contract, 20),
                units::digest(&plugin.digest),
            ]
        })
        .collect();
    table("Plugins", &["plugin", "version", "contract", "sha256"], &rows, 3_000)
}
