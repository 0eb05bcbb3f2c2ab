//! `tollgate help-markdown`: the whole help as one page, which `docs/cli.md` is.

use std::fmt::Write as _;

use clap::Args;

use crate::{cli, context::Context, error::Result, exit::Exit};

/// Print the help of every command as one Markdown page
#[derive(Debug, Args)]
pub(crate) struct HelpMarkdownArgs {}

pub(crate) fn run(context: &Context, _: HelpMarkdownArgs) -> Result<Exit> {
    context.printer.data(page().trim_end())?;
    Ok(Exit::Done)
}

/// The page.
pub(crate) fn page() -> String {
    let mut page = "# Commands\n\nThis page is made by `cargo run -- help-markdown > docs/cli.md`; a test compares it.\n".to_owned();
    let mut root = cli::command().term_width(100);
    root.build();
    section(&root, "tollgate", &mut page);
    page
}

fn section(command: &clap::Command, name: &str, page: &mut String) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let help = command.clone().bin_name(name).display_name(name).render_long_help().to_string();
    let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    // Writing to a text cannot fail.
    let _infallible = write!(page, "\n## `{name}`\n\n```text\n{}\n```\n", help.trim_end());
    for subcommand in command.get_subcommands() {
        section(subcommand, &format!("{name} {}", subcommand.get_name()), page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_help_is_the_help() {
        let written = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
        let there = std::fs::read_to_string(written).unwrap_or_default();
        assert!(
            there == page(),
            "docs/cli.md is stale: `cargo run -- help-markdown > docs/cli.md`\n{}",
            page()
        );
    }
}
