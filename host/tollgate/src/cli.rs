//! The command line: what can be asked, and the way from a question to an exit code.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    commands::{
        approve, audit, backlog, check, demo, escalations, event, help_markdown, help_schemas, init, plugin,
        reject, report, resume, run, runs, stop, store, why,
    },
    context::Context,
    env::Environment,
    error::Result,
    exit::Exit,
    ui::printer::{Format, Printer},
};

/// Drive a backlog through sandboxed stages and gates
///
/// Tollgate reads a backlog, decides by your policy what may run and in which order, and drives each entry through a pipeline
/// of WebAssembly stages and gates under a budget. What happened to an entry is written back beside it.
#[derive(Debug, Parser)]
#[command(
    name = "tollgate",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
struct GlobalArgs {
    /// Use the project in this folder [default: the nearest `tollgate.toml` from here upwards]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    project: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long, global = true, help_heading = "Global options")]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Init(init::InitArgs),
    Check(check::CheckArgs),
    Run(run::RunArgs),
    Why(why::WhyArgs),
    Backlog(backlog::BacklogArgs),
    Runs(runs::RunsArgs),
    Escalations(escalations::EscalationsArgs),
    Approve(approve::ApproveArgs),
    Reject(reject::RejectArgs),
    Event(event::EventArgs),
    Stop(stop::StopArgs),
    Resume(resume::ResumeArgs),
    Plugin(plugin::PluginArgs),
    Audit(audit::AuditArgs),
    Report(report::ReportArgs),
    Store(store::StoreArgs),
    #[command(hide = true)]
    HelpMarkdown(help_markdown::HelpMarkdownArgs),
    #[command(hide = true)]
    HelpSchemas(help_schemas::HelpSchemasArgs),
}

/// The whole command line, as help and parser see it.
pub(crate) fn command() -> clap::Command {
    Cli::command().after_help(format!("{}\n\n{}", Exit::HELP, Environment::help()))
}

/// Does what the process's arguments ask for.
pub async fn main() -> ExitCode {
    let parsed = command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return answer(&error).into(),
    };
    let format = if cli.global.json { Format::Json } else { Format::Text };
    let context = Context {
        printer: Printer::standard(format),
        environment: Environment::read(),
        project: cli.global.project,
    };
    start_log(&context);
    let exit = match dispatch(&context, cli.command).await {
        Ok(exit) => exit,
        Err(failure) => {
            context.printer.failure(&failure);
            failure.exit()
        }
    };
    exit.into()
}

/// Help and version are answers; anything else that the parser says is a mistake on the command line.
fn answer(error: &clap::Error) -> Exit {
    // Where even this cannot be printed, the exit code is all that is left to say.
    let _unheard = error.print();
    if error.use_stderr() { Exit::Mistake } else { Exit::Done }
}

fn start_log(context: &Context) {
    let wanted = context.environment.log.as_deref().unwrap_or("warn");
    let filter = tracing_subscriber::EnvFilter::builder().parse_lossy(wanted);
    let printer = context.printer.clone();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || printer.clone())
        .with_ansi(false);
    log.init();
}

async fn dispatch(context: &Context, command: Command) -> Result<Exit> {
    match command {
        Command::Demo(args) => demo::run(context, args).await,
        Command::Init(args) => init::run(context, args).await,
        Command::Check(args) => check::run(context, args).await,
        Command::Run(args) => run::run(context, args).await,
        Command::Why(args) => why::run(context, args).await,
        Command::Backlog(args) => backlog::run(context, args).await,
        Command::Runs(args) => runs::run(context, args).await,
        Command::Escalations(args) => escalations::run(context, args).await,
        Command::Approve(args) => approve::run(context, args).await,
        Command::Reject(args) => reject::run(context, args).await,
        Command::Event(args) => event::run(context, args).await,
        Command::Stop(args) => stop::run(context, args).await,
        Command::Resume(args) => resume::run(context, args).await,
        Command::Plugin(args) => plugin::run(context, args),
        Command::Audit(args) => audit::run(context, args).await,
        Command::Report(args) => report::run(context, args).await,
        Command::Store(args) => store::run(context, args).await,
        Command::HelpMarkdown(args) => help_markdown::run(context, args),
        Command::HelpSchemas(args) => help_schemas::run(context, args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        command().debug_assert();
    }

    #[test]
    fn a_mistake_on_the_command_line_has_the_exit_code_of_mistakes() {
        let exit = |arguments: &[&str]| {
            let error = command().try_get_matches_from(arguments).unwrap_err();
            if error.use_stderr() { Exit::Mistake } else { Exit::Done }
        };
        assert_eq!(exit(&["tollgate", "nonsense"]), Exit::Mistake);
        assert_eq!(exit(&["tollgate", "--version"]), Exit::Done);
        assert_eq!(exit(&["tollgate", "run", "--help"]), Exit::Done);
    }

    #[test]
    fn every_help_begins_with_an_imperative_line_without_a_full_stop() {
        let mut commands = vec![command()];
        while let Some(command) = commands.pop() {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let first = about.lines().next().unwrap_or_default().to_owned();
            assert!(!first.is_empty() && !first.ends_with('.'), "{}: `{first}`", command.get_name());
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
