//! The host, played by plain data, so that a plugin's logic is tested natively.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use crate::log::Level;
use crate::model::{self, ErrorCode, Reply, Request};
use crate::{Artifact, ArtifactError, Context, Delivered, Entry, Output, Rework, Woken};

thread_local! {
    /// Lines are per thread because logging needs no context; a test runs on one.
    static LOG: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn write_log(level: Level, message: &str) {
    LOG.with_borrow_mut(|lines| lines.push((level, message.to_string())));
}

pub(crate) fn take_log() -> Vec<(Level, String)> {
    LOG.take()
}

pub(crate) struct Double {
    entry: Entry,
    prior: Vec<Output>,
    subject: Option<Output>,
    rework: Vec<Rework>,
    delivered: Vec<Delivered>,
    woken: Option<Woken>,
    attempt: u32,
    now: String,
    fuel_left: u64,
    blobs: RefCell<BTreeMap<String, Vec<u8>>>,
    written: RefCell<Vec<Artifact>>,
    model_answers: RefCell<VecDeque<Result<Reply, model::Error>>>,
    model_requests: RefCell<Vec<Request>>,
}

impl Double {
    pub(crate) fn entry(&self) -> Entry {
        self.entry.clone()
    }

    pub(crate) fn prior(&self, stage: &str) -> Option<Output> {
        self.prior.iter().find(|output| output.stage == stage).cloned()
    }

    pub(crate) fn subject(&self) -> Option<Output> {
        self.subject.clone()
    }

    pub(crate) fn rework(&self) -> Vec<Rework> {
        self.rework.clone()
    }

    pub(crate) fn delivered(&self) -> Vec<Delivered> {
        self.delivered.clone()
    }

    pub(crate) fn woken(&self) -> Option<Woken> {
        self.woken.clone()
    }

    pub(crate) fn run_id(&self) -> String {
        "run-test".to_string()
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    pub(crate) fn now(&self) -> String {
        self.now.clone()
    }

    pub(crate) fn fuel_left(&self) -> u64 {
        self.fuel_left
    }

    pub(crate) fn complete(&self, request: &Request) -> Result<Reply, model::Error> {
        self.model_requests.borrow_mut().push(request.clone());
        let message = "no model was granted".to_string();
        let none = || Err(model::Error { code: ErrorCode::NotGranted, message });
        self.model_answers.borrow_mut().pop_front().unwrap_or_else(none)
    }

    pub(crate) fn read(&self, artifact: &Artifact) -> Result<Vec<u8>, ArtifactError> {
        let blobs = self.blobs.borrow();
        blobs.get(&artifact.digest).cloned().ok_or_else(|| not_found(artifact))
    }

    pub(crate) fn read_text(&self, artifact: &Artifact) -> Result<String, ArtifactError> {
        String::from_utf8(self.read(artifact)?).map_err(|_| ArtifactError::Denied {
            artifact: artifact.name.clone(),
            reason: "the bytes are not UTF-8".to_string(),
        })
    }

    pub(crate) fn write(
        &self,
        name: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Artifact, ArtifactError> {
        // The real digest is the host's business; a test needs one that is equal for equal bytes.
        let mut blobs = self.blobs.borrow_mut();
        let known = blobs.iter().find(|(_, held)| held.as_slice() == bytes).map(|(digest, _)| digest.clone());
        let digest = known.unwrap_or_else(|| format!("sha256:{:064x}", blobs.len() + 1));
        blobs.insert(digest.clone(), bytes.to_vec());
        let artifact = Artifact {
            name: name.to_string(),
            media_type: media_type.to_string(),
            digest,
            size_bytes: bytes.len() as u64,
        };
        self.written.borrow_mut().push(artifact.clone());
        Ok(artifact)
    }

    pub(crate) fn write_text(
        &self,
        name: &str,
        media_type: &str,
        text: &str,
    ) -> Result<Artifact, ArtifactError> {
        self.write(name, media_type, text.as_bytes())
    }
}

fn not_found(artifact: &Artifact) -> ArtifactError {
    ArtifactError::NotFound { artifact: artifact.digest.clone() }
}

/// The test double. These functions exist natively only.
impl Context {
    /// A context over plain data: the first attempt at this entry, nothing before it, at the start of 2026, with all
    /// the fuel there is.
    pub fn for_test(entry: Entry) -> Self {
        Context::new(Double {
            entry,
            prior: Vec::new(),
            subject: None,
            rework: Vec::new(),
            delivered: Vec::new(),
            woken: None,
            attempt: 1,
            now: "2026-01-01T00:00:00.000Z".to_string(),
            fuel_left: u64::MAX,
            blobs: RefCell::default(),
            written: RefCell::default(),
            model_answers: RefCell::default(),
            model_requests: RefCell::default(),
        })
    }

    /// Adds what an earlier stage produced; a later one of the same name replaces it.
    pub fn with_prior(mut self, output: Output) -> Self {
        self.host.prior.retain(|held| held.stage != output.stage);
        self.host.prior.push(output);
        self
    }

    /// Sets what a gate judges.
    pub fn with_subject(mut self, output: Output) -> Self {
        self.host.subject = Some(output);
        self
    }

    /// Adds a reason why the work was sent back.
    pub fn with_rework(mut self, rework: Rework) -> Self {
        self.host.rework.push(rework);
        self
    }

    /// Adds what became of an effect.
    pub fn with_delivered(mut self, delivered: Delivered) -> Self {
        self.host.delivered.push(delivered);
        self
    }

    /// Sets what ended the wait before this call.
    pub fn with_woken(mut self, woken: Woken) -> Self {
        self.host.woken = Some(woken);
        self
    }

    /// Sets which try this is.
    pub fn with_attempt(mut self, attempt: u32) -> Self {
        self.host.attempt = attempt;
        self
    }

    /// Sets the time: RFC 3339 in UTC.
    pub fn with_now(mut self, now: &str) -> Self {
        self.host.now = now.to_string();
        self
    }

    /// Sets the fuel that is said to be left; nothing is charged natively.
    pub fn with_fuel_left(mut self, fuel_left: u64) -> Self {
        self.host.fuel_left = fuel_left;
        self
    }

    /// Adds what a model answers to the next request that has no answer yet. Without one, the stage has no model.
    pub fn with_model_answer(self, answer: Result<Reply, model::Error>) -> Self {
        self.host.model_answers.borrow_mut().push_back(answer);
        self
    }

    /// What models were asked so far, in order.
    pub fn model_requests(&self) -> Vec<Request> {
        self.host.model_requests.borrow().clone()
    }

    /// The artifacts written so far, in order.
    pub fn written(&self) -> Vec<Artifact> {
        self.host.written.borrow().clone()
    }

    /// The text of the artifact last written under that name, if there is one and it is text.
    pub fn artifact_text(&self, name: &str) -> Option<String> {
        let written = self.host.written.borrow();
        let artifact = written.iter().rev().find(|artifact| artifact.name == name)?;
        self.host.read_text(artifact).ok()
    }
}
