//! Extensions: capabilities that whoever made the sandbox brought along.

use std::sync::Arc;

use serde_json::Value;
use tollgate_core::Digest;
use wasmtime::{StoreContextMut, component::Linker};

use super::{
    Copied as _, enter,
    journal::{self, Question},
    pay_for,
};
use crate::{
    host::{Host, Stop},
    port::{Extension, ExtensionFunction},
};

/// Links every function of an extension.
pub(crate) fn link(linker: &mut Linker<Host>, extension: &Arc<dyn Extension>) -> wasmtime::Result<()> {
    let mut instance = linker.instance(extension.interface())?;
    for function in extension.functions() {
        let (extension, function) = (Arc::clone(extension), function.clone());
        instance.func_wrap_async(
            &function.name.clone(),
            move |mut store: StoreContextMut<'_, Host>, (request,): (String,)| {
                let (extension, function) = (Arc::clone(&extension), function.clone());
                Box::new(async move {
                    enter(&mut store, request.copied_bytes())?;
                    let answer = ask(&mut store, &*extension, &function, &request).await?;
                    pay_for(&mut store, &answer)?;
                    Ok((answer,))
                })
            },
        )?;
    }
    Ok(())
}

async fn ask(
    store: &mut StoreContextMut<'_, Host>,
    extension: &dyn Extension,
    function: &ExtensionFunction,
    request: &str,
) -> wasmtime::Result<String> {
    let question = Question {
        interface: extension.interface(),
        function: &function.name,
        request: Digest::of(request),
        class: function.class,
        largest_cost: extension.largest_cost(&function.name, request),
    };
    let act = async |key| Ok(extension.call(&function.name, request, &key).await);
    match journal::ask(store, question, act).await? {
        Value::String(answer) => Ok(answer),
        other => {
            let what = format!("`{}` answered {other}, which is no text", extension.interface());
            Err(store.data_mut().stop(Stop::Platform(what)).into())
        }
    }
}
