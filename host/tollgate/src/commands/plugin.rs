//! `tollgate plugin`.

mod add;
mod inspect;
mod list;

use clap::{Args, Subcommand};
use tollgate_registry::{Origin, Registry, Version};

use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    ui::json::PluginLine,
};

/// Look at plugins and add them
#[derive(Debug, Args)]
pub(crate) struct PluginArgs {
    #[command(subcommand)]
    plugin: Plugin,
}

#[derive(Debug, Subcommand)]
enum Plugin {
    Add(add::AddArgs),
    List(list::ListArgs),
    Inspect(inspect::InspectArgs),
}

pub(crate) fn run(context: &Context, args: PluginArgs) -> Result<Exit> {
    match args.plugin {
        Plugin::Add(args) => add::run(context, args),
        Plugin::List(args) => list::run(context, args),
        Plugin::Inspect(args) => inspect::run(context, args),
    }
}

/// The plugins of the project; outside of one, those that are shipped.
fn registry(context: &Context) -> Result<Registry> {
    match crate::project::find(context.project.as_deref()) {
        Ok(folder) => Registry::of_project(&folder).map_err(Failure::io("read the plugins folder")),
        Err(failure) if context.project.is_some() => Err(failure),
        Err(_) => Ok(Registry::shipped()),
    }
}

fn line(version: &Version) -> PluginLine {
    PluginLine {
        name: version.name().to_owned(),
        version: version.semver().to_string(),
        kind: version.kind().to_string(),
        origin: match version.origin() {
            Origin::Shipped => "shipped".to_owned(),
            Origin::File(path) => path.display().to_string(),
        },
        digest: version.digest(),
        summary: version.manifest().summary.clone(),
    }
}
