//! A claim from a long used store, on a server of this command's own that makes everything durable.

use anyhow::Result;

use super::{figure::Figure, from_cargo, postgres::durable_server};

const DATABASE: &str = "crowded";

pub(super) fn figures() -> Result<Vec<Figure>> {
    let server = durable_server()?;
    server.ask("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
    let address = format!("{}/{DATABASE}?sslmode=disable", server.address());
    from_cargo("crowded", &[("TOLLGATE_BENCH_POSTGRES", address)])
}
