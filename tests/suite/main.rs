//! End to end, conformance and fault tests: the binary as people use it, on real files.

mod support;

mod crash;
mod data_set;
mod demo;
mod house;
mod pipeline;
