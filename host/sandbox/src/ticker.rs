//! The clock that interrupts guests.

use std::{thread, time::Duration};

use wasmtime::Engine;

use crate::SandboxError;

/// How often a running guest is asked whether it may go on, and made to let others run.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Starts the thread that ticks until the last clone of `engine` is gone.
///
/// A thread of the operating system, not a task: a guest that computes may hold every thread of the executor, and then
/// no timer of the executor fires.
///
/// # Errors
///
/// When the thread cannot be started.
pub(crate) fn start(engine: &Engine) -> Result<(), SandboxError> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("tollgate-ticker".into()).spawn(tick).map(drop).map_err(SandboxError::Ticker)
}
