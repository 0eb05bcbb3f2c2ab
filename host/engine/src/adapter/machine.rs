//! The machine that the process runs on.

use std::io;

use tokio::sync::oneshot;
use tollgate_core::RunId;

use crate::port::{Machine, Work};

/// This machine: its threads and its randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThisMachine;

impl Machine for ThisMachine {
    /// An operating-system thread with a runtime of its own, so that neither a guest that spins nor a full executor holds it up.
    fn beside(&self, name: &str, work: Work) -> io::Result<oneshot::Receiver<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let (over, is_over) = oneshot::channel();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(work);
            // Nobody listens any more when the host itself has failed.
            over.send(()).ok();
        })?;
        Ok(is_over)
    }

    fn new_run(&self) -> RunId {
        RunId::generate()
    }
}
