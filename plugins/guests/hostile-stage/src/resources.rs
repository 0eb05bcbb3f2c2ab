//! Using more than anyone should.

use std::hint::black_box;

use crate::tollgate::plugin::{budget, log};

/// Computes and never ends.
pub(crate) fn spin() -> ! {
    let mut turns = 0u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Allocates and touches a mebibyte at a time until it is refused.
pub(crate) fn allocate_for_ever() -> ! {
    let mut held = Vec::new();
    loop {
        held.push(black_box(vec![1u8; 1 << 20]));
    }
}

/// Calls itself with some bytes on the stack that cannot be optimised away.
#[expect(unconditional_recursion, reason = "that is the point")]
pub(crate) fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    recurse(depth + 1) + frame[0]
}

/// Makes the cheapest host call there is, `count` times.
pub(crate) fn call_host(count: usize) -> String {
    let least = (0..count).map(|_| budget::fuel_left()).min();
    format!("{{\"fuel-left\":{}}}", least.unwrap_or_default())
}

/// Writes `count` lines, each longer than a line may be.
pub(crate) fn flood_log(count: usize) -> String {
    let line = "x".repeat(16 << 10);
    for _ in 0..count {
        log::write("info", &line);
    }
    format!("{{\"lines\":{count}}}")
}
