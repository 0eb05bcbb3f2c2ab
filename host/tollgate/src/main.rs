//! The door of the command line; the house is in the library beside it.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    tollgate::main().await
}
