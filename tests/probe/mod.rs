//! The probe: a capability that only tests have, with one function of each class. The guest `probe-stage` asks it.
//!
//! What it answers follows from what it is asked, so that an answer that is fed and one that is new are told apart by counting
//! alone.

use std::{io::Write as _, path::PathBuf, sync::Mutex};

use async_trait::async_trait;
use tollgate_core::{
    Digest, Microcents,
    journal::{Answer, CallClass},
};
use tollgate_sandbox::port::{Extension, ExtensionFunction, IdempotencyKey};

/// The most that a call can cost.
pub(crate) const LARGEST: Microcents = Microcents(1_000);

/// What it does cost.
pub(crate) const COST: Microcents = Microcents(10);

/// The capability, and every call that was really made of it.
#[derive(Debug)]
pub(crate) struct Probe {
    functions: Vec<ExtensionFunction>,
    largest: Microcents,
    made: Mutex<Vec<Made>>,
    /// Where calls are noted besides, for whoever survives this process.
    file: Option<PathBuf>,
}

/// A call that was really made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) function: String,
    pub(crate) request: String,
    pub(crate) key: String,
}

impl Probe {
    pub(crate) fn new() -> Self {
        let function = |name: &str, class| ExtensionFunction { name: name.to_owned(), class };
        let functions = vec![
            function("repeatable", CallClass::Repeatable),
            function("keyed", CallClass::Keyed),
            function("unsafe", CallClass::Unsafe),
        ];
        Self { functions, largest: LARGEST, made: Mutex::default(), file: None }
    }

    /// The same, at another largest cost.
    #[allow(dead_code, reason = "not every test target sets a price")]
    pub(crate) fn that_may_cost(largest: Microcents) -> Self {
        Self { largest, ..Self::new() }
    }

    /// The same, with its calls noted in a file, a line each.
    #[allow(dead_code, reason = "not every test target survives its host")]
    pub(crate) fn noting(file: PathBuf) -> Self {
        Self { file: Some(file), ..Self::new() }
    }

    /// Every call that was really made in this process, oldest first.
    #[allow(dead_code, reason = "not every test target has the probe in its own process")]
    pub(crate) fn made(&self) -> Vec<Made> {
        self.made.lock().expect("nobody panicked with it").clone()
    }
}

/// What the probe answers: of another length for another request.
fn answer(request: &str) -> String {
    let digest = Digest::of(request).to_string();
    let length = 10 + request.len() * 7 % 40;
    digest[digest.len() - length..].to_owned()
}

#[async_trait]
impl Extension for Probe {
    fn interface(&self) -> &str {
        "test:probe/probe@0.1.0"
    }

    fn grant(&self) -> &str {
        "probe"
    }

    fn functions(&self) -> &[ExtensionFunction] {
        &self.functions
    }

    fn largest_cost(&self, _function: &str, _request: &str) -> Microcents {
        self.largest
    }

    async fn call(&self, function: &str, request: &str, key: &IdempotencyKey) -> Answer {
        let made = Made { function: function.to_owned(), request: request.to_owned(), key: key.0.clone() };
        if let Some(path) = &self.file {
            let mut file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .expect("a file to note calls in");
            writeln!(file, "{}\t{}\t{}", made.function, made.request, made.key).expect("room for a line");
            file.sync_all().expect("a disk that keeps it");
        }
        self.made.lock().expect("nobody panicked with it").push(made);
        Answer { body: answer(request).into(), cost: COST.min(self.largest) }
    }
}
