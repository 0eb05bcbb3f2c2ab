//! The memory limit.

use wasmtime::ResourceLimiter;

/// What one element of a table takes.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// Sums over all memories and tables of a call: a limit for each of them could be had many times over, by a component
/// made of many.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit_bytes: u64,
    held_bytes: u64,
    peak_bytes: u64,
    refused: bool,
}

impl Limiter {
    pub(crate) fn new(limit_bytes: u64) -> Self {
        Self { limit_bytes, held_bytes: 0, peak_bytes: 0, refused: false }
    }

    /// The most that was held at once.
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.peak_bytes
    }

    /// Whether the guest ever asked for more than it may have.
    pub(crate) fn has_refused(&self) -> bool {
        self.refused
    }

    /// Takes a growth into account. A refusal is an answer that WebAssembly knows (`memory.grow` says -1), so a guest
    /// may take it and go on.
    fn grow(&mut self, by_bytes: u64) -> bool {
        let wanted = self.held_bytes.saturating_add(by_bytes);
        if wanted > self.limit_bytes {
            self.refused = true;
            return false;
        }
        self.held_bytes = wanted;
        self.peak_bytes = self.peak_bytes.max(wanted);
        true
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(desired.saturating_sub(current) as u64))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = true;
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow((desired.saturating_sub(current)).saturating_mul(TABLE_ELEMENT_BYTES) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_count_together() {
        let mut limiter = Limiter::new(100_000);
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        assert!(!limiter.memory_growing(0, 65_536, None).unwrap());
        assert!(limiter.table_growing(0, 1_000, None).unwrap());
        assert!(!limiter.table_growing(1_000, 9_000, None).unwrap());
        assert_eq!(limiter.peak_bytes(), 65_536 + 8_000);
        assert!(limiter.has_refused());
    }
}
