//! The sandbox: what prepares components and calls them.

use std::{path::PathBuf, sync::Arc};

use tokio::sync::Semaphore;
use tollgate_core::Digest;
use wasmtime::{Engine, component::Linker};

use crate::{
    Call, CallReport, Grants, Inspection, Interrupted, Kind, LoadError, SandboxError,
    cache::{Components, Loaded},
    call, capability,
    disk::CodeFolder,
    engine, port, ticker, wasi,
};

/// How a sandbox is laid out.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Calls that may be live at once, at least one; further ones wait for their turn.
    pub max_live_calls: u32,
    /// Where compiled components are kept between starts; none to keep them in memory alone. The folder is made if it
    /// is not there, and has to be closed to everyone else.
    pub cache_dir: Option<PathBuf>,
    /// The most memory that any call may have, whatever its budget says.
    pub max_memory_bytes: u64,
    /// Capabilities beyond those of the contract.
    pub extensions: Vec<Arc<dyn port::Extension>>,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self { max_live_calls: 64, cache_dir: None, max_memory_bytes: 256 << 20, extensions: Vec::new() }
    }
}

/// Runs components. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    engine: Engine,
    engine_id: Arc<str>,
    components: Arc<Components>,
    turns: Arc<Semaphore>,
    max_memory_bytes: u64,
}

/// A component that may be called with the grants it was prepared with. Cheap to clone.
#[derive(Clone)]
pub struct Prepared {
    digest: Digest,
    loaded: Arc<Loaded>,
    grants: Arc<Grants>,
}

/// What a sandbox did since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metrics {
    /// Components that were compiled.
    pub compiled: u64,
    /// Components whose code came from the cache folder.
    pub loaded_from_disk: u64,
}

impl Sandbox {
    /// A sandbox, and the thread that keeps its time.
    ///
    /// # Errors
    ///
    /// When the machine cannot run WebAssembly, or the cache folder cannot be used.
    pub fn new(options: SandboxOptions) -> Result<Self, SandboxError> {
        let live_calls = options.max_live_calls.max(1);
        let engine = engine::new(live_calls, options.max_memory_bytes)?;
        ticker::start(&engine)?;
        let folder = options.cache_dir.map(|path| CodeFolder::open(&path, &engine)).transpose()?;
        let base = base_linker(&engine).map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
        Ok(Self {
            engine_id: engine::id().into(),
            components: Arc::new(Components::new(engine.clone(), base, options.extensions, folder)),
            turns: Arc::new(Semaphore::new(live_calls as usize)),
            max_memory_bytes: options.max_memory_bytes,
            engine,
        })
    }

    /// wasmtime's version and a digest of all settings, limits and prices, e.g. `wasmtime-48.0.8+a1b2c3d4e5f6`. Results and
    /// fuel are the same, to the unit, wherever this is the same.
    pub fn engine_id(&self) -> &str {
        &self.engine_id
    }

    /// Makes a component callable. Compiles it if neither memory nor the cache folder has it, on a thread of its own and
    /// once however many ask.
    ///
    /// `digest` is the digest of `bytes`.
    ///
    /// # Errors
    ///
    /// When the component cannot be used, or not with these grants.
    pub async fn prepare(
        &self,
        digest: Digest,
        bytes: Arc<[u8]>,
        grants: Grants,
    ) -> Result<Prepared, LoadError> {
        let grants = Arc::new(grants);
        let loaded = self.components.get(digest, bytes, Arc::clone(&grants)).await?;
        Ok(Prepared { digest, loaded, grants })
    }

    /// What a component is and needs. Compiles nothing and runs nothing.
    ///
    /// # Errors
    ///
    /// When the bytes are no component of this contract.
    pub fn inspect(&self, bytes: &[u8]) -> Result<Inspection, LoadError> {
        self.components.inspect(bytes)
    }

    /// Calls a component, in a fresh instance, when its turn has come. The stage's function where the step names no gate,
    /// else the gate's.
    ///
    /// The call runs on the calling task, which has to be one of a tokio runtime with timers, and lets other tasks run
    /// about every tenth of a millisecond.
    ///
    /// # Errors
    ///
    /// When [`crate::port::Liveness`] said that the call must not go on. However else a call ends is in the report.
    ///
    /// # Panics
    ///
    /// When the component was prepared by another sandbox.
    pub async fn call(&self, prepared: &Prepared, call: Call) -> Result<CallReport, Interrupted> {
        let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
        let memory_limit_bytes = call.budget.memory_bytes.min(self.max_memory_bytes);
        call::run(&self.engine, prepared, call, memory_limit_bytes).await
    }

    /// What this sandbox did so far.
    pub fn metrics(&self) -> Metrics {
        let (compiled, loaded_from_disk) = self.components.counts();
        Metrics { compiled, loaded_from_disk }
    }
}

impl Prepared {
    /// The component.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether the component can be used as this.
    pub fn serves(&self, kind: Kind) -> bool {
        self.loaded.inspection.kinds.contains(&kind)
    }

    /// Whether the component can reach beyond its input with these grants, so that its calls need a journal.
    pub fn needs_journal(&self) -> bool {
        self.loaded.inspection.reaches_out(&self.grants)
    }

    pub(crate) fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    pub(crate) fn grants(&self) -> &[String] {
        &self.grants.given
    }
}

/// Everything that a component may import without a grant.
fn base_linker(engine: &Engine) -> wasmtime::Result<Linker<crate::host::Host>> {
    let mut linker = Linker::new(engine);
    capability::link_base(&mut linker)?;
    wasi::link(&mut linker)?;
    Ok(linker)
}
