//! A WASI 0.2 with nothing behind it, so that components of ordinary toolchains run unmodified.
//!
//! There are no files, arguments, variables or sockets; standard input is empty, standard output and error become lines
//! of the log. The wall clock shows the call's time, the monotonic clock moves by a fixed amount each time it is read,
//! sleeping moves it on and takes no time, and random numbers are the same in every repetition of the call. So a
//! component that uses it is still a function of its input.
//!
//! These functions are linked by wasmtime-wasi, which does not hand out the store, so their price cannot be taken off at
//! once: it is owed, looked at on every tick and every other host call, and added when the call has ended.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use chacha20::{ChaCha20Rng, rand_core::SeedableRng as _};
use tokio::io::AsyncWrite;
use tollgate_core::{Digest, Timestamp};
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime_wasi::{
    WasiCtx, WasiCtxView, WasiView,
    cli::{IsTerminal, StdoutStream},
    clocks::HostWallClock,
    p2::{
        self, DynPollable, OutputStream, Pollable, StreamResult,
        bindings::clocks::monotonic_clock::{self, Instant},
    },
};

use crate::{
    CallInput,
    budget::{COPIED_BYTE_FUEL, HANDLES, HOST_CALL_FUEL, LINE_BYTES, RANDOM_BYTES},
    capability::log::{self, Log},
    host::Host,
};

/// How far the monotonic clock moves each time it is read.
const MONOTONIC_STEP: Duration = Duration::from_micros(1);

/// What a guest may write to standard output or error in one go.
const WRITE_BYTES: usize = 64 << 10;

/// Links all of it.
pub(crate) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    p2::add_to_linker_async(linker)?;
    // The clock of wasmtime-wasi waits in real time.
    linker.allow_shadowing(true);
    let linked = monotonic_clock::add_to_linker::<Host, HasSelf<Host>>(linker, |host| host);
    linker.allow_shadowing(false);
    linked
}

/// What one call sees of WASI. Made when it is first asked for, since most plugins never do.
pub(crate) struct VirtualWasi {
    context: Option<WasiCtx>,
    table: ResourceTable,
    monotonic: Duration,
    calls: u64,
    log: Arc<Mutex<Log>>,
    output: Arc<Mutex<Output>>,
}

impl VirtualWasi {
    pub(crate) fn new(log: Arc<Mutex<Log>>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        Self { context: None, table, monotonic: Duration::ZERO, calls: 0, log, output: Arc::default() }
    }

    /// The price of everything so far.
    pub(crate) fn owed_fuel(&self) -> u64 {
        if self.calls == 0 {
            return 0;
        }
        let written = lock(&self.output).bytes;
        self.calls.saturating_mul(HOST_CALL_FUEL).saturating_add(written.saturating_mul(COPIED_BYTE_FUEL))
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> u64 {
        self.calls
    }

    /// Makes lines of output that did not end in a line feed.
    pub(crate) fn flush(&self) {
        if self.calls > 0 {
            lock(&self.output).flush(&self.log);
        }
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Self { wasi, input, .. } = self;
        wasi.calls += 1;
        let context = wasi.context.get_or_insert_with(|| context(input, &wasi.log, &wasi.output));
        WasiCtxView { ctx: context, table: &mut wasi.table }
    }
}

fn context(input: &CallInput, log: &Arc<Mutex<Log>>, output: &Arc<Mutex<Output>>) -> WasiCtx {
    let stream = |level| Stream { level, log: Arc::clone(log), output: Arc::clone(output) };
    let mut insecure_seed = [0; 16];
    insecure_seed.copy_from_slice(&seed(input, "insecure-seed").as_bytes()[..16]);
    WasiCtx::builder()
        .stdout(stream("info"))
        .stderr(stream("warn"))
        .wall_clock(WallClock(input.now))
        .secure_random(ChaCha20Rng::from_seed(*seed(input, "random").as_bytes()))
        .insecure_random(ChaCha20Rng::from_seed(*seed(input, "insecure").as_bytes()))
        .insecure_random_seed(u128::from_be_bytes(insecure_seed))
        .max_random_size(RANDOM_BYTES)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build()
}

/// The same for every repetition of a call, another for every other call.
fn seed(input: &CallInput, purpose: &str) -> Digest {
    let (run, step) = (input.run.to_string(), input.step.to_string());
    Digest::of_parts([run.as_bytes(), step.as_bytes(), purpose.as_bytes()])
}

/// Shows the call's time, for ever.
struct WallClock(Timestamp);

impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0.since(Timestamp::from_millis(0))
    }
}

impl monotonic_clock::Host for Host {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        self.wasi.calls += 1;
        self.wasi.monotonic += MONOTONIC_STEP;
        Ok(nanoseconds(self.wasi.monotonic))
    }

    fn resolution(&mut self) -> wasmtime::Result<monotonic_clock::Duration> {
        self.wasi.calls += 1;
        Ok(nanoseconds(MONOTONIC_STEP))
    }

    fn subscribe_instant(&mut self, when: Instant) -> wasmtime::Result<Resource<DynPollable>> {
        self.sleep_until(Duration::from_nanos(when))
    }

    fn subscribe_duration(
        &mut self,
        time: monotonic_clock::Duration,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.sleep_until(self.wasi.monotonic.saturating_add(Duration::from_nanos(time)))
    }
}

impl Host {
    /// Moves the clock on at once, so that a guest that sleeps until a time finds that it has come.
    fn sleep_until(&mut self, when: Duration) -> wasmtime::Result<Resource<DynPollable>> {
        self.wasi.calls += 1;
        self.wasi.monotonic = self.wasi.monotonic.max(when);
        let past = self.wasi.table.push(Past)?;
        p2::subscribe(&mut self.wasi.table, past)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Something that has happened already.
struct Past;

#[async_trait::async_trait]
impl Pollable for Past {
    async fn ready(&mut self) {}
}

/// What was written to standard output and error, until its line ends.
#[derive(Debug, Default)]
struct Output {
    info: Vec<u8>,
    warn: Vec<u8>,
    bytes: u64,
}

impl Output {
    fn line(&mut self, level: &str) -> &mut Vec<u8> {
        if level == "warn" { &mut self.warn } else { &mut self.info }
    }

    fn write(&mut self, level: &'static str, bytes: &[u8], log: &Mutex<Log>) {
        self.bytes += bytes.len() as u64;
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = self.line(level);
            // One byte more than a line may hold, so that the log sees that there was more.
            let room = (LINE_BYTES + 1).saturating_sub(line.len());
            line.extend(part.iter().take(room));
            if part.ends_with(b"\n") {
                self.end_line(level, log);
            }
        }
    }

    fn flush(&mut self, log: &Mutex<Log>) {
        for level in ["info", "warn"] {
            if !self.line(level).is_empty() {
                self.end_line(level, log);
            }
        }
    }

    fn end_line(&mut self, level: &str, log: &Mutex<Log>) {
        let line = std::mem::take(self.line(level));
        log::lock(log).write(level, String::from_utf8_lossy(&line).trim_end());
    }
}

fn lock(output: &Mutex<Output>) -> std::sync::MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Standard output or error.
#[derive(Clone)]
struct Stream {
    level: &'static str,
    log: Arc<Mutex<Log>>,
    output: Arc<Mutex<Output>>,
}

impl Stream {
    fn append(&self, bytes: &[u8]) {
        lock(&self.output).write(self.level, bytes, &self.log);
    }
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    /// The stream that comes without this writes on a task of its own, in its own time.
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

#[async_trait::async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_becomes_lines_of_its_stream() {
        let (log, mut output) = (Mutex::new(Log::default()), Output::default());
        output.write("info", b"one\ntw", &log);
        output.write("warn", b"oops\n", &log);
        output.write("info", b"o\n\nthree", &log);
        output.flush(&log);
        let lines = log::lock(&log).take();
        let lines: Vec<_> = lines.iter().map(|line| (line.level.as_str(), line.message.as_str())).collect();
        assert_eq!(
            lines,
            [("info", "one"), ("warn", "oops"), ("info", "two"), ("info", ""), ("info", "three")]
        );
    }

    #[test]
    fn a_line_without_end_takes_no_more_room_than_a_line() {
        let (log, mut output) = (Mutex::new(Log::default()), Output::default());
        for _ in 0..10 {
            output.write("info", &[b'x'; LINE_BYTES], &log);
        }
        assert!(output.info.len() <= LINE_BYTES + 1);
        assert_eq!(output.bytes, 10 * LINE_BYTES as u64);
    }
}
