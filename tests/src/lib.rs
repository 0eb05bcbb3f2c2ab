//! End to end, conformance and fault tests live in `tests/`.
