//! What was made and what was changed outside.

use tollgate_core::{effect::Delivered, record::Record};

use super::{escape, table::table, units};

/// Every artifact.
pub(super) fn artifacts(record: &Record) -> String {
    let of_step =
        record.steps.iter().flat_map(|step| step.artifacts.iter().map(move |artifact| (step, artifact)));
    let rows: Vec<_> = of_step
        .map(|(step, artifact)| {
            vec![
                escape::code(&artifact.name),
                escape::text(&step.key.to_string(), 200),
                escape::code(&artifact.media_type),
                units::bytes(artifact.size_bytes),
                units::digest(&artifact.digest),
            ]
        })
        .collect();
    table("Artifacts", &["name", "step", "type", ">size", "sha256"], &rows, 5_000)
}

/// Every effect and what became of it.
pub(super) fn effects(record: &Record) -> String {
    let rows: Vec<_> = record
        .effects
        .iter()
        .map(|effect| {
            let became = match &effect.became {
                None => "not delivered yet".to_owned(),
                Some(Delivered::Done { reference: None, .. }) => "done".to_owned(),
                Some(Delivered::Done { reference: Some(reference), .. }) => {
                    format!("done: {}", escape::code(reference))
                }
                Some(Delivered::Refused { reason }) => format!("refused: {}", escape::text(reason, 400)),
                Some(Delivered::Withheld { reason }) => format!("not sent: {}", escape::text(reason, 400)),
            };
            vec![escape::code(&effect.kind), escape::text(&effect.step.to_string(), 200), became]
        })
        .collect();
    table("Effects", &["kind", "step", "what became of it"], &rows, 5_000)
}
