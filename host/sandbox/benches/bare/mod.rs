//! What the sandbox is measured against: wasmtime with the same brakes and as little around it as a component needs.
//!
//! The settings are those of `host/sandbox/src/engine.rs`, and a call gets what [`tollgate_sandbox::Sandbox::call`] gives
//! it: a fresh store and instance from a pool, fuel, an epoch that ticks, a limiter of memory, and an executor that it
//! yields to. What is left out is what the sandbox adds: prices of host calls, liveness, deadlines, artifacts kept until
//! the end, a virtual WASI, and judging the result.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, Store,
    StoreContextMut, StoreLimits, StoreLimitsBuilder, UpdateDeadline,
    component::{Component, ComponentExportIndex, InstancePre, Linker},
};

// The contract's types are the host's own: one text for both, and each crate generates its own from it.
#[path = "../../src/bindings/v0_1.rs"]
mod bindings;

use bindings::{gate_api, stage_api, types, types::Failure};

/// What every call may use.
pub(crate) const FUEL: u64 = 1_000_000_000;
/// What every call may hold.
pub(crate) const MEMORY_BYTES: u64 = 64 << 20;
/// Calls that may be live at once.
const LIVE_CALLS: u32 = 64;
/// The largest memory that a slot of the pool has room for.
const SLOT_BYTES: usize = 256 << 20;

/// What a component is handed.
pub(crate) struct Handed {
    /// The `with` table as JSON.
    pub(crate) settings: String,
    /// The artifact `spec.md` of the stage `draft`, for a gate.
    pub(crate) text: Option<String>,
}

/// An engine that ticks as long as it lives.
pub(crate) struct Bare {
    engine: Engine,
    over: Arc<AtomicBool>,
}

impl Bare {
    pub(crate) fn new() -> Result<Self> {
        let engine = Engine::new(&config())?;
        let over = Arc::new(AtomicBool::new(false));
        let (ticking, ended) = (engine.clone(), Arc::clone(&over));
        thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                ticking.increment_epoch();
                thread::sleep(Duration::from_millis(10));
            }
        });
        Ok(Self { engine, over })
    }

    /// Compiles a component and finds its function.
    pub(crate) fn prepare(&self, bytes: &[u8], handed: Handed) -> Result<BarePlugin> {
        let component = Component::new(&self.engine, bytes)?;
        let function = |interface: &str, name: &str| {
            let instance = component.get_export_index(None, interface)?;
            component.get_export_index(Some(&instance), name)
        };
        let run = function("tollgate:plugin/stage-api@0.1.0", "run");
        let check = function("tollgate:plugin/gate-api@0.1.0", "check");
        let pre = linker(&self.engine)?.instantiate_pre(&component)?;
        Ok(BarePlugin { engine: self.engine.clone(), pre, run, check, handed: Arc::new(handed) })
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// A component that can be called.
#[derive(Clone)]
pub(crate) struct BarePlugin {
    engine: Engine,
    pre: InstancePre<State>,
    run: Option<ComponentExportIndex>,
    check: Option<ComponentExportIndex>,
    handed: Arc<Handed>,
}

impl BarePlugin {
    /// Calls it in a fresh instance; the summary of its result.
    pub(crate) async fn call(&self) -> Result<String> {
        let limits = StoreLimitsBuilder::new().memory_size(usize::try_from(MEMORY_BYTES)?).build();
        let mut store = Store::new(&self.engine, State { handed: Arc::clone(&self.handed), limits });
        store.limiter(|state| &mut state.limits);
        store.set_fuel(FUEL)?;
        store.fuel_async_yield_interval(Some(1_000_000))?;
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        store.set_epoch_deadline(1);
        let instance = self.pre.instantiate_async(&mut store).await?;
        if let Some(index) = &self.run {
            let run =
                instance.get_typed_func::<(), (Result<stage_api::Outcome, Failure>,)>(&mut store, index)?;
            match run.call_async(&mut store, ()).await? {
                (Ok(stage_api::Outcome::Done(produced)),) => Ok(produced.summary),
                _ => Err(wasmtime::Error::msg("the stage did not produce")),
            }
        } else {
            let index =
                self.check.as_ref().ok_or_else(|| wasmtime::Error::msg("neither a stage nor a gate"))?;
            let check =
                instance.get_typed_func::<(), (Result<gate_api::Outcome, Failure>,)>(&mut store, index)?;
            match check.call_async(&mut store, ()).await? {
                (Ok(gate_api::Outcome::Done(verdict)),) => Ok(verdict.summary),
                _ => Err(wasmtime::Error::msg("the gate did not judge")),
            }
        }
    }
}

struct State {
    handed: Arc<Handed>,
    limits: StoreLimits,
}

/// The four functions that the guests of the benchmarks import.
fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    linker.instance("tollgate:plugin/types@0.1.0")?;
    let mut input = linker.instance("tollgate:plugin/input@0.1.0")?;
    input.func_wrap("get-settings", |store: StoreContextMut<'_, State>, ()| {
        Ok((store.data().handed.settings.clone(),))
    })?;
    input.func_wrap("get-subject", |store: StoreContextMut<'_, State>, ()| {
        Ok((store.data().handed.text.as_deref().map(subject),))
    })?;
    linker.instance("tollgate:plugin/artifacts@0.1.0")?.func_wrap(
        "read-text",
        |store: StoreContextMut<'_, State>, (_digest,): (String,)| {
            let text = store.data().handed.text.clone();
            Ok((text.ok_or(bindings::artifacts::Error::NotFound),))
        },
    )?;
    linker
        .instance("tollgate:plugin/log@0.1.0")?
        .func_wrap("write", |_: StoreContextMut<'_, State>, (_level, _message): (String, String)| Ok(()))?;
    Ok(linker)
}

fn subject(text: &str) -> types::Output {
    types::Output {
        stage: "draft".into(),
        summary: "a draft".into(),
        data: "{}".into(),
        artifacts: vec![types::Artifact {
            name: "spec.md".into(),
            media_type: "text/markdown".into(),
            // Nothing looks at it here; the sandbox's is as long.
            digest: format!("sha256:{}", "0".repeat(64)),
            size: text.len() as u64,
        }],
    }
}

fn config() -> Config {
    let slots = LIVE_CALLS + 4;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_stacks(slots)
        .total_core_instances(slots * 24)
        .total_memories(slots * 4)
        .total_tables(slots * 8)
        .max_core_instances_per_component(24)
        .max_memories_per_component(4)
        .max_tables_per_component(8)
        .max_tables_per_module(8)
        .table_elements(60_000)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .max_memory_size(SLOT_BYTES)
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .concurrency_support(false)
        .max_wasm_stack(512 << 10)
        .async_stack_size(2 << 20)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}
