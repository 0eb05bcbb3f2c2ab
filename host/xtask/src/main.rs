//! What a contributor or CI runs.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod commands;
mod plugins;

use std::process::ExitCode;

use clap::Parser;

/// What a contributor or CI runs
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Xtask {
    Bench(commands::bench::BenchArgs),
    Foreign(commands::foreign::ForeignArgs),
    Mutants(commands::mutants::MutantsArgs),
    Plugins(commands::plugins::PluginsArgs),
    Schemas(commands::schemas::SchemasArgs),
    Test(commands::test::TestArgs),
}

fn main() -> ExitCode {
    let outcome = match Xtask::parse() {
        Xtask::Bench(args) => commands::bench::run(&args),
        Xtask::Foreign(args) => commands::foreign::run(&args),
        Xtask::Mutants(args) => commands::mutants::run(&args),
        Xtask::Plugins(args) => commands::plugins::run(&args),
        Xtask::Schemas(args) => commands::schemas::run(&args),
        Xtask::Test(args) => commands::test::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
