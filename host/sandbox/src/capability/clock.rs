//! `clock`: the time of the run's last durable point, which stands still during a call.

use wasmtime::{StoreContextMut, component::LinkerInstance};

use super::{enter, pay_for};
use crate::host::Host;

pub(super) fn link(clock: &mut LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    clock.func_wrap("now", |mut store: StoreContextMut<'_, Host>, ()| {
        enter(&mut store, 0)?;
        let now = store.data().input.now.to_string();
        pay_for(&mut store, &now)?;
        Ok((now,))
    })
}
