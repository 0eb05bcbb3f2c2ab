//! `cargo xtask plugins`: builds the components that are checked in, or proves that they belong to their sources.

use anyhow::{Result, bail};
use clap::Args;

use crate::plugins::build::{self, Component};
use crate::plugins::check;
use crate::plugins::group::{self, Group};
use crate::plugins::toolchain::{NoToolchain, Toolchain};

/// Build the shipped plugins and the guests of the tests
///
/// Writes plugins/dist and tests/guests/dist: one component a plugin, and a lock file that says which sources each
/// was built from, by what. Needs a Rust compiler that can build for wasm32-unknown-unknown.
#[derive(Args)]
pub(crate) struct PluginsArgs {
    /// Change nothing; prove that sources and components belong together
    ///
    /// Needs no compiler for wasm32. Where the very compiler is present that the lock files name, everything is
    /// built again and compared byte by byte.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &PluginsArgs) -> Result<()> {
    let groups = group::all()?;
    if args.check { check(&groups) } else { write(&groups) }
}

fn write(groups: &[Group]) -> Result<()> {
    let toolchain = Toolchain::find()?;
    eprintln!("building with {toolchain}");
    for group in groups {
        let components = build::components(group, &toolchain)?;
        for component in &components {
            refuse_if_any(check::component(group, component.plugin, &component.bytes)?)?;
            println!("{:>9} bytes  {}", component.bytes.len(), group.component_path(&component.plugin.name));
        }
        build::write(group, &components, &toolchain)?;
    }
    Ok(())
}

fn check(groups: &[Group]) -> Result<()> {
    let mut problems = Vec::new();
    for group in groups {
        problems.extend(check::group(group)?);
    }
    refuse_if_any(problems)?;
    match Toolchain::find() {
        Ok(toolchain) => rebuild(groups, &toolchain),
        Err(NoToolchain(why)) => {
            println!("sources and components belong together; not built again, since {why}");
            Ok(())
        }
    }
}

/// Builds again what the lock files say this very toolchain has built.
fn rebuild(groups: &[Group], toolchain: &Toolchain) -> Result<()> {
    let mut rebuilt = 0;
    let mut problems = Vec::new();
    for group in groups {
        let lock = group.lock()?;
        if lock.toolchain != toolchain.to_string() {
            println!("{} was built by {}, here is {toolchain}: not built again", group.dist, lock.toolchain);
            continue;
        }
        for Component { plugin, bytes, .. } in build::components(group, toolchain)? {
            rebuilt += 1;
            if bytes != group.read_component(&plugin.name)? {
                problems.push(format!("{}: building it again gives other bytes", plugin.name));
            }
        }
    }
    refuse_if_any(problems)?;
    println!("sources and components belong together; {rebuilt} were built again and are equal byte by byte");
    Ok(())
}

fn refuse_if_any(problems: Vec<String>) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{}\n\n`cargo xtask plugins` builds them anew", problems.join("\n"))
}
