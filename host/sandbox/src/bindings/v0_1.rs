//! `tollgate:plugin@0.1.x`: its types alone. Functions are linked by hand in [`crate::capability`], since what a host
//! function costs has to be taken from the store, which generated traits do not hand out.
//!
//! The two exported interfaces are named as imports, because only their types are wanted, and what is generated for
//! exports contains `unsafe`.

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
        package tollgate:host;

        world types-of-the-contract {
            include tollgate:plugin/base@0.1.0;
            import tollgate:plugin/stage-api@0.1.0;
            import tollgate:plugin/gate-api@0.1.0;
            import tollgate:plugin/model@0.1.0;
        }
    ",
    world: "tollgate:host/types-of-the-contract",
});

pub(crate) use self::tollgate::plugin::{artifacts, gate_api, stage_api, types};
