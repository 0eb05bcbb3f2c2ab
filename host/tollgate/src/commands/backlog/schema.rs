//! `tollgate backlog schema`.

use clap::Args;
use tollgate_engine::adapter::catalog::Catalog;

use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    ui::{
        json::{Schema, SchemaField, SchemaList},
        printer::Printer,
        text::nearest,
    },
};

/// Show what is declared of entries: each field's type, purpose and source, and who reads it
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// The backlog; all of them without it
    #[arg(value_name = "BACKLOG")]
    backlog: Option<String>,
}

pub(crate) fn run(context: &Context, args: SchemaArgs) -> Result<Exit> {
    let project = context.project()?;
    let mut schemas = project.policy.schemas(&Catalog(&project.registry()?));
    if let Some(name) = &args.backlog {
        let known = project.policy.backlogs.keys().map(String::as_str);
        if !project.policy.backlogs.contains_key(name) {
            return Err(unknown(name, known));
        }
        schemas.retain(|schema| schema.backlog == *name);
    }
    let list = SchemaList { backlogs: schemas.into_iter().map(Schema::from).collect() };
    context.printer.show(&list, |list| text(&context.printer, list))?;
    Ok(Exit::Done)
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Failure {
    let hint = match nearest(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
    };
    Failure::mistake_with_hint(format!("there is no backlog `{name}`"), hint)
}

fn text(printer: &Printer, list: &SchemaList) -> String {
    let parts = list.backlogs.iter().map(|schema| {
        let mut table = printer.table(&["field", "type", "purpose", "source", "default", "trust", "used by"]);
        for field in &schema.fields {
            table.row(row(field));
        }
        let mut lines = vec![format!("backlog {}", schema.backlog), table.render()];
        lines.extend(schema.undeclared.iter().map(|(field, readers)| {
            format!("not declared, so nobody is handed it: {field}, for {}", readers.join(", "))
        }));
        lines.join("\n")
    });
    parts.collect::<Vec<_>>().join("\n\n")
}

fn row(field: &SchemaField) -> [String; 7] {
    let default = match (&field.default, field.required) {
        (Some(default), _) => default.as_str().map_or_else(|| default.to_string(), str::to_owned),
        (None, true) => "none: held without".to_owned(),
        (None, false) => "none".to_owned(),
    };
    let values = field.values.as_ref().map(|values| format!(": {}", values.join(", "))).unwrap_or_default();
    let trust = match (field.trust, field.trusted) {
        (Some(trust), true) => format!("{trust}, trusted"),
        (Some(trust), false) => trust.to_owned(),
        (None, _) => String::new(),
    };
    [
        field.name.clone(),
        format!("{}{values}", field.kind.as_str()),
        field.purpose.as_str().to_owned(),
        field.from.join(", then "),
        default,
        trust,
        field.used_by.join("; "),
    ]
}
