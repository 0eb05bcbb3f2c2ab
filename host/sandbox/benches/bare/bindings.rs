//! The contract's types, as `host/sandbox/src/bindings/v0_1.rs` has them.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    reason = "generated; the documentation is in `wit/`"
)]

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package tollgate:bare;

        world types-of-the-contract {
            include tollgate:plugin/base@0.1.0;
            import tollgate:plugin/stage-api@0.1.0;
            import tollgate:plugin/gate-api@0.1.0;
        }
    ",
    world: "tollgate:bare/types-of-the-contract",
});

pub(crate) use self::tollgate::plugin::{artifacts, gate_api, stage_api, types};
pub(crate) use self::types::Failure;
