//! What a plugin may touch, one file a capability: the contract's functions, their price, their limits.
//!
//! Every function begins with [`enter`], which asks whether the call may go on and takes the price of the call and of
//! what was passed in. What is handed back is paid with [`pay_for`] before it is copied.
//!
//! What reaches beyond the call's input goes through [`journal::ask`], which keeps the question before it is asked and the
//! answer before the guest is told. A guest that is fed pays what it paid when the answer was new, so it takes the same way.

pub(crate) mod artifacts;
mod budget;
mod clock;
pub(crate) mod extension;
mod input;
pub(crate) mod journal;
pub(crate) mod log;
pub(crate) mod model;

use wasmtime::{StoreContextMut, component::Linker};

use crate::{
    bindings::v0_1::{artifacts as wit_artifacts, tollgate::plugin::model as wit_model, types as wit},
    budget::{COPIED_BYTE_FUEL, HOST_CALL_FUEL, charge},
    host::Host,
};

/// Links the base world: what every plugin may import.
pub(crate) fn link_base(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    // An interface of types alone; components import it by name.
    linker.instance("tollgate:plugin/types@0.1.0")?;
    input::link(&mut linker.instance("tollgate:plugin/input@0.1.0")?)?;
    log::link(&mut linker.instance("tollgate:plugin/log@0.1.0")?)?;
    clock::link(&mut linker.instance("tollgate:plugin/clock@0.1.0")?)?;
    artifacts::link(&mut linker.instance("tollgate:plugin/artifacts@0.1.0")?)?;
    budget::link(&mut linker.instance("tollgate:plugin/budget@0.1.0")?)
}

/// Begins a host call that was handed `bytes`.
fn enter(store: &mut StoreContextMut<'_, Host>, bytes: u64) -> wasmtime::Result<()> {
    let host = store.data_mut();
    host.check()?;
    host.host_calls += 1;
    charge(store, HOST_CALL_FUEL + bytes.saturating_mul(COPIED_BYTE_FUEL))
}

/// Takes the price of an answer, before it is copied into the guest.
fn pay_for(store: &mut StoreContextMut<'_, Host>, answer: &impl Copied) -> wasmtime::Result<()> {
    charge(store, answer.copied_bytes().saturating_mul(COPIED_BYTE_FUEL))
}

/// What is copied between guest and host: the bytes of texts and lists. Numbers and flags are in the price of the call.
pub(crate) trait Copied {
    fn copied_bytes(&self) -> u64;
}

impl Copied for String {
    fn copied_bytes(&self) -> u64 {
        self.len() as u64
    }
}

impl Copied for u32 {
    fn copied_bytes(&self) -> u64 {
        0
    }
}

impl Copied for Vec<u8> {
    fn copied_bytes(&self) -> u64 {
        self.len() as u64
    }
}

impl<T: Copied> Copied for Option<T> {
    fn copied_bytes(&self) -> u64 {
        self.as_ref().map_or(0, Copied::copied_bytes)
    }
}

impl<T: Copied> Copied for Result<T, wit_artifacts::Error> {
    fn copied_bytes(&self) -> u64 {
        match self {
            Ok(answer) => answer.copied_bytes(),
            Err(wit_artifacts::Error::Denied(reason)) => reason.copied_bytes(),
            Err(wit_artifacts::Error::NotFound | wit_artifacts::Error::TooLarge(_)) => 0,
        }
    }
}

impl Copied for Result<wit_model::Reply, wit_model::Error> {
    fn copied_bytes(&self) -> u64 {
        match self {
            Ok(reply) => reply.copied_bytes(),
            Err(error) => error.copied_bytes(),
        }
    }
}

/// Sums over the named fields of a record.
macro_rules! copied_record {
    ($record:ty: $($field:ident),+) => {
        impl Copied for $record {
            fn copied_bytes(&self) -> u64 {
                0 $(+ self.$field.copied_bytes())+
            }
        }
    };
}

/// A list copies what its items copy.
macro_rules! copied_list {
    ($($item:ty),+) => {
        $(impl Copied for Vec<$item> {
            fn copied_bytes(&self) -> u64 {
                self.iter().map(Copied::copied_bytes).sum()
            }
        })+
    };
}

copied_record!(wit::Entry: id, tracker, key, url, kind, title, body, author, labels, created_at, fields, revision);
copied_record!(wit::Artifact: name, media_type, digest);
copied_record!(wit::Location: path);
copied_record!(wit::Finding: rule, severity, message, location);
copied_record!(wit::Output: stage, summary, data, artifacts);
copied_record!(wit::Rework: gate, summary, findings);
copied_record!(wit::Effect: id, kind, body);
copied_record!(wit::Delivered: stage, id, kind, reference, data);
copied_record!(wit::Wake: kind, body);
copied_record!(wit::Woken: by, at, resume);
copied_record!(wit_model::Request: model, messages, schema);
copied_record!(wit_model::Message: role, content);
copied_record!(wit_model::Reply: content, model);
copied_record!(wit_model::Error: code, message);
copied_list!(
    wit_model::Message,
    String,
    wit::Artifact,
    wit::Finding,
    wit::Rework,
    wit::Effect,
    wit::Delivered
);
