//! `tollgate plugin list`.

use clap::Args;

use super::{line, registry};
use crate::{
    context::Context,
    error::Result,
    exit::Exit,
    ui::{json::PluginList, printer::Tone},
};

/// List the plugins that pipelines can use: shipped ones and those in the project's `plugins` folder
#[derive(Debug, Args)]
pub(crate) struct ListArgs {}

pub(super) fn run(context: &Context, _: ListArgs) -> Result<Exit> {
    let registry = registry(context)?;
    let list = PluginList {
        plugins: registry.versions().iter().map(line).collect(),
        skipped: registry.skipped().iter().map(ToString::to_string).collect(),
    };
    let printer = &context.printer;
    printer.show(&list, |list| {
        let mut table = printer.table(&["plugin", "version", "kind", "origin", "summary"]);
        for plugin in &list.plugins {
            table.row(
                [&plugin.name, &plugin.version, &plugin.kind, &plugin.origin, &plugin.summary]
                    .map(Clone::clone),
            );
        }
        table.render()
    })?;
    for skipped in &list.skipped {
        printer.tagged(Tone::Notable, "warning", format!("a plugin is not used: {skipped}"));
    }
    Ok(Exit::Done)
}
