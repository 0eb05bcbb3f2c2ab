//! The one constructor of the engine. Every setting is here, with what it is for and what it costs.
//!
//! Figures are of one call of a typical plugin on one core, measured with wasmtime 48.

use std::hash::{Hash as _, Hasher};

use tollgate_core::Digest;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::{SandboxError, budget, load::CONTRACT};

/// The version of wasmtime that the workspace pins.
const WASMTIME: &str = "48.0.8";

/// How deep WebAssembly may recurse; part of what a call is promised, since a deeper recursion traps.
const WASM_STACK_BYTES: usize = 512 << 10;

/// The stack on which a call runs, host functions included.
const CALL_STACK_BYTES: usize = 2 << 20;

/// Slots beyond the number of live calls, for instances that are still being torn down when the next call begins.
const SPARE_SLOTS: u32 = 4;

/// The parts of one component. Components of interpreted languages hold about twenty modules.
const CORE_INSTANCES_PER_CALL: u32 = 24;
const MEMORIES_PER_CALL: u32 = 4;
const TABLES_PER_CALL: u32 = 8;
const TABLE_ELEMENTS: usize = 60_000;

/// The engine, with room for `live_calls` at once, each with memories of at most `memory_bytes`.
///
/// # Errors
///
/// When wasmtime does not support the machine.
pub(crate) fn new(live_calls: u32, memory_bytes: u64) -> Result<Engine, SandboxError> {
    // A slot reserves address space for the largest memory there is. Where that is scarce (42-bit machines, containers
    // with a limit), asking for it is the only probe that cannot be wrong.
    let pooled = Engine::new(
        config().allocation_strategy(InstanceAllocationStrategy::Pooling(pool(live_calls, memory_bytes))),
    );
    pooled.or_else(|error| {
        tracing::warn!(
            %error,
            live_calls,
            "no address space for a pool of instances; each call allocates its own, which is slower"
        );
        Engine::new(config().allocation_strategy(InstanceAllocationStrategy::OnDemand))
            .map_err(|error| SandboxError::Engine(format!("{error:#}")))
    })
}

/// What results and fuel depend on: equal on every machine that runs this build, whatever its processor.
pub(crate) fn id() -> String {
    let settings = [
        ("contract", CONTRACT.to_owned()),
        ("wasm-stack-bytes", WASM_STACK_BYTES.to_string()),
        ("table-elements", TABLE_ELEMENTS.to_string()),
        (
            "limits-and-prices",
            budget::LIMITS_AND_PRICES.map(|(name, value)| format!("{name}={value}")).join(" "),
        ),
    ];
    format!("wasmtime-{WASMTIME}+{}", Digest::of_json(&settings).short())
}

/// What compiled code depends on: all of the above, and the processor.
pub(crate) fn code_key(engine: &Engine) -> Digest {
    let mut written = Written(Vec::new());
    engine.precompile_compatibility_hash().hash(&mut written);
    Digest::of_parts([id().as_bytes(), &written.0])
}

fn config() -> Config {
    let mut config = Config::new();
    config
        // The currency of compute: deterministic, so that a cost can be promised and checked. Costs 29 %.
        .consume_fuel(true)
        // The brake on time, which fuel is not: a host call takes longer than its fuel says. Costs 17 %.
        .epoch_interruption(true)
        // The bits of a NaN depend on the processor otherwise. Costs little, and only floating point.
        .cranelift_nan_canonicalization(true)
        // Its results depend on the processor by design.
        .wasm_relaxed_simd(false)
        // Tasks inside a component are not part of the contract, and a host call costs twice as much with them.
        .concurrency_support(false)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(CALL_STACK_BYTES);
    // `memory_reservation` stays at its 4 GiB: with less, bounds checks come back into the code (27 % slower), while
    // reserved address space costs nothing. Shared memory and garbage collection are off by cargo feature.
    config
}

/// Instances from a pool: 20 µs a call instead of 75.
fn pool(live_calls: u32, memory_bytes: u64) -> PoolingAllocationConfig {
    let slots = live_calls.saturating_add(SPARE_SLOTS);
    let mut pool = PoolingAllocationConfig::new();
    // Totals are what that many of the largest components need, so the pool cannot run dry before the slots do.
    pool.total_component_instances(slots)
        .total_stacks(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES_PER_CALL))
        .total_memories(slots.saturating_mul(MEMORIES_PER_CALL))
        .total_tables(slots.saturating_mul(TABLES_PER_CALL))
        .max_core_instances_per_component(CORE_INSTANCES_PER_CALL)
        .max_memories_per_component(MEMORIES_PER_CALL)
        .max_tables_per_component(TABLES_PER_CALL)
        .max_tables_per_module(TABLES_PER_CALL)
        .table_elements(TABLE_ELEMENTS)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .max_memory_size(usize::try_from(memory_bytes).unwrap_or(usize::MAX))
        // Kept between calls instead of given back and faulted in again: 20 µs a call instead of 37. Dear without
        // `pagemap_scan`, which finds the pages that were touched; the kernel has it from Linux 6.7 on.
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Collects what is hashed, since the hashers of the standard library promise nothing from one release to the next.
struct Written(Vec<u8>);

impl Hasher for Written {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_in_the_id_is_the_version_in_use() {
        let lock = include_str!("../../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{WASMTIME}\"\n")));
    }

    #[test]
    fn the_key_of_code_is_the_same_for_every_engine_of_a_machine() {
        let engines = [new(1, 1 << 20).unwrap(), new(2, 2 << 20).unwrap()];
        assert_eq!(code_key(&engines[0]), code_key(&engines[1]));
    }
}
