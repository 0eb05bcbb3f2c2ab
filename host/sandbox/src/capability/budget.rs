//! `budget`: what is left of the call's fuel.

use wasmtime::{StoreContextMut, component::LinkerInstance};

use super::enter;
use crate::host::Host;

pub(super) fn link(budget: &mut LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    budget.func_wrap("fuel-left", |mut store: StoreContextMut<'_, Host>, ()| {
        enter(&mut store, 0)?;
        let left = store.get_fuel()?;
        Ok((store.data().shown_fuel(left),))
    })
}
