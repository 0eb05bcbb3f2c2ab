//! What the host holds for one call, and whether that call may go on.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use wasmtime::{Engine, Store, UpdateDeadline};

use crate::{
    Call, CallInput, Interrupted, budget,
    capability::{artifacts::Shelf, journal::Journal, log::Log, model::Models},
    limiter::Limiter,
    port,
    wasi::VirtualWasi,
};

/// The data of a store: one for each call, dropped with it.
pub(crate) struct Host {
    pub(crate) input: Arc<CallInput>,
    pub(crate) shelf: Shelf,
    pub(crate) log: Arc<Mutex<Log>>,
    pub(crate) wasi: VirtualWasi,
    pub(crate) journal: Journal,
    pub(crate) models: Models,
    pub(crate) limiter: Limiter,
    pub(crate) host_calls: u64,
    /// Why the host stopped the call, if it did.
    pub(crate) stopped: Option<Stop>,
    liveness: Arc<dyn port::Liveness>,
    /// None when it lies beyond what the clock can show.
    deadline: Option<Instant>,
    fuel_limit: u64,
    earlier_fuel_limits: Vec<u64>,
}

/// Why the host, and not the guest, ended a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error("the call used all its time")]
    Deadline,
    #[error("the call used all its fuel")]
    OutOfFuel,
    #[error("the settings are {bytes} bytes of JSON")]
    SettingsTooLarge { bytes: usize },
    #[error("{0}")]
    Diverged(String),
    #[error("{0}")]
    Ambiguous(String),
    #[error("{0}")]
    Unavailable(String),
    #[error("{0}")]
    Misconfigured(String),
    #[error("the host failed: {0}")]
    Platform(String),
}

impl Host {
    /// A store with every brake on.
    pub(crate) fn store(
        engine: &Engine,
        call: &Call,
        memory_limit_bytes: u64,
    ) -> wasmtime::Result<Store<Self>> {
        let log = Arc::default();
        let host = Self {
            input: Arc::clone(&call.input),
            shelf: Shelf::new(Arc::clone(&call.artifacts)),
            wasi: VirtualWasi::new(Arc::clone(&log)),
            log,
            journal: Journal::new(&call.journal),
            models: Models::new(&call.models, call.budget.tokens),
            limiter: Limiter::new(memory_limit_bytes),
            host_calls: 0,
            stopped: None,
            liveness: Arc::clone(&call.liveness),
            deadline: Instant::now().checked_add(call.budget.time),
            fuel_limit: call.budget.fuel,
            earlier_fuel_limits: call.earlier_fuel_limits.clone(),
        };
        let mut store = Store::new(engine, host);
        store.limiter(|host| &mut host.limiter);
        store.set_fuel(call.budget.fuel)?;
        store.fuel_async_yield_interval(Some(budget::SLICE_FUEL))?;
        // Yields on fuel do not keep the executor fair by themselves: each host call begins a new slice.
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().tick()));
        store.set_epoch_deadline(1);
        store.set_hostcall_fuel(budget::TRANSFER_BYTES);
        store.set_max_component_handles(budget::HANDLES);
        Ok(store)
    }

    /// Whether the call may go on. What stops it first is remembered.
    pub(crate) fn check(&mut self) -> Result<(), Stop> {
        let stop = if let Err(interrupted) = self.liveness.check() {
            Stop::Interrupted(interrupted)
        } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            Stop::Deadline
        } else if self.wasi.owed_fuel() > self.fuel_limit {
            Stop::OutOfFuel
        } else {
            return Ok(());
        };
        Err(self.stop(stop))
    }

    /// Ends the call for a reason of the host's.
    pub(crate) fn stop(&mut self, stop: Stop) -> Stop {
        self.stopped.get_or_insert(stop).clone()
    }

    /// Calls of host functions so far, those of the virtual WASI included.
    pub(crate) fn host_calls(&self) -> u64 {
        self.host_calls + self.wasi.calls()
    }

    /// What the guest is told that is left of its fuel: what it was told before it was given more, until it has burnt that.
    pub(crate) fn shown_fuel(&self, left: u64) -> u64 {
        let burnt = self.fuel_limit.saturating_sub(left);
        let limit = self.earlier_fuel_limits.iter().copied().find(|limit| *limit >= burnt);
        limit.unwrap_or(self.fuel_limit).saturating_sub(burnt)
    }

    fn tick(&mut self) -> UpdateDeadline {
        match self.check() {
            Ok(()) => UpdateDeadline::Yield(1),
            Err(_) => UpdateDeadline::Interrupt,
        }
    }
}
