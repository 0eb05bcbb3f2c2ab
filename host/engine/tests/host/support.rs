//! A project in a temporary folder, and hosts that run on it.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use tollgate_core::{Clock, HostId, RunId, course::End, run::RunState, time::SystemClock};
use tollgate_engine::{
    Host, HostOptions, Outcome, Parts, Shutdown, Trackers,
    adapter::{artifacts::StoredArtifacts, machine::ThisMachine},
    observer::{Notice, Observer},
};
use tollgate_policy::Policy;
use tollgate_registry::{Origin, Registry, Version};
use tollgate_sandbox::{
    CallModels, Sandbox, SandboxOptions,
    port::{Extension, Model},
};
use tollgate_store::{
    OpenMode, SqliteOptions, SqliteStore, Store,
    artifacts::ArtifactFolder,
    port::{ClaimOutcome, ClaimRequest, RunDetail, RunFilter},
};

use crate::probe::Probe;

/// A project, its store and its guests.
pub(crate) struct Project {
    folder: tempfile::TempDir,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) probe: Arc<Probe>,
    sandbox: Sandbox,
    models: Arc<dyn Model>,
    registry: Arc<Registry>,
}

/// Remembers what a host said.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Vec<Notice>>);

impl Observer for Heard {
    fn notice(&self, notice: &Notice) {
        self.0.lock().unwrap().push(notice.clone());
    }
}

impl Heard {
    /// Everything that was said so far.
    pub(crate) fn all(&self) -> Vec<Notice> {
        self.0.lock().unwrap().clone()
    }

    /// How many calls of this stage began so far.
    pub(crate) fn calls_of(&self, stage: &str) -> usize {
        let is_call =
            |notice: &&Notice| matches!(notice, Notice::StepStarted { step, .. } if step.name.stage == stage);
        self.all().iter().filter(is_call).count()
    }

    /// Everything that was said so far, as text.
    pub(crate) fn text(&self) -> String {
        format!("{:#?}", self.0.lock().unwrap())
    }
}

/// A pipeline of one stage, with guests of the tests.
pub(crate) fn stage(name: &str, with: &str) -> String {
    format!(
        "owner = \"team\"\nbudget = {{ cost = \"$5\", time = \"5m\" }}\n\n[[stage]]\nname = \"{name}\"\nplugin = \
         \"hostile-stage\"\nbudget = {{ fuel = \"200M\", time = \"10s\", memory = \"64MiB\" }}\nwith = {with}\n"
    )
}

/// A pipeline of one stage that asks the probe.
pub(crate) fn probing(with: &str) -> String {
    stage("ask", with).replace("hostile-stage\"", "probe-stage\"\ngrant = [\"probe\"]")
}

/// A gate behind the stage before it.
pub(crate) fn gate(name: &str, with: &str, rework_to: &str) -> String {
    format!(
        "\n  [[stage.gate]]\n  name = \"{name}\"\n  plugin = \"hostile-gate\"\n  rework_to = \"{rework_to}\"\n  with = {with}\n"
    )
}

impl Project {
    /// A project whose backlog sends an item with `kind: <name>` through the pipeline of that name.
    pub(crate) async fn with_pipelines(pipelines: &[(&str, String)]) -> Self {
        Self::with_clock(pipelines, Arc::new(SystemClock::default())).await
    }

    /// The same by another clock.
    pub(crate) async fn with_clock(pipelines: &[(&str, String)], clock: Arc<dyn Clock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let routes = pipelines
            .iter()
            .map(|(name, _)| format!("{{ use = \"{name}\", when = 'field.kind == \"{name}\"' }}"));
        let routes = routes.collect::<Vec<_>>().join(", ");
        write(
            folder.path(),
            "tollgate.toml",
            &format!(
                "[instance]\nlease = \"5s\"\n\n[backlog.work]\nowner = \"team\"\npipeline = [{routes}]\neligible = \
                 'true'\norder_by = [\"key\"]\n\n[[backlog.work.source]]\nfolder = \"backlog\"\nsettle = \
                 \"0s\"\n\n[backlog.work.fields]\nkind = {{ type = \"string\", purpose = \"routing\", from = \
                 \"front-matter:kind\" }}\n"
            ),
        );
        for (name, text) in pipelines {
            write(folder.path(), &format!("pipelines/{name}.toml"), text);
        }
        std::fs::create_dir(folder.path().join("backlog")).unwrap();
        let store = open_store(folder.path(), &clock);
        let probe = Arc::new(Probe::new());
        let extensions = vec![Arc::clone(&probe) as Arc<dyn Extension>];
        let sandbox = Sandbox::new(SandboxOptions { extensions, ..SandboxOptions::default() }).unwrap();
        let mut registry = Registry::shipped();
        for guest in ["hostile-stage", "hostile-gate", "idle-stage", "idle-gate", "probe-stage"] {
            registry.add(guest_version(guest)).unwrap();
        }
        let models = CallModels::none().port;
        Self { folder, store, clock, probe, sandbox, models, registry: Arc::new(registry) }
    }

    /// The same, with more in `tollgate.toml`.
    pub(crate) fn policy(self, text: &str) -> Self {
        let path = self.path().join("tollgate.toml");
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{before}\n{text}\n")).unwrap();
        self
    }

    /// Another pipeline: the files of somebody who is ahead of whoever read them before.
    pub(crate) fn add_pipeline(&self, name: &str, text: &str) {
        write(self.path(), &format!("pipelines/{name}.toml"), text);
        let policy = std::fs::read_to_string(self.path().join("tollgate.toml")).unwrap();
        let route = format!("pipeline = [{{ use = \"{name}\", when = 'field.kind == \"{name}\"' }}, ");
        write(self.path(), "tollgate.toml", &policy.replace("pipeline = [", &route));
    }

    /// Writes an item.
    pub(crate) fn item(&self, key: &str, kind: &str) -> &Self {
        let text =
            format!("---\nid: {key}\ntitle: Item {key}\nkind: {kind}\ncreated: 2026-01-01\n---\n\nText.\n");
        write(self.folder.path(), &format!("backlog/{key}.md"), &text);
        self
    }

    /// Every file of the backlog that is not hidden, relative to it.
    pub(crate) fn files(&self) -> Vec<String> {
        let root = self.path().join("backlog");
        let mut files = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                if path.is_dir() {
                    folders.push(path);
                } else if !name.starts_with('.') {
                    files.push(name);
                }
            }
        }
        files.sort();
        files
    }

    /// Writes another policy in place of one of its texts.
    pub(crate) fn with_policy(self, from: &str, to: &str) -> Self {
        let policy = std::fs::read_to_string(self.path().join("tollgate.toml")).unwrap();
        assert!(policy.contains(from), "{policy}");
        write(self.path(), "tollgate.toml", &policy.replace(from, to));
        self
    }

    /// Claims whatever is ready for a host that vanishes at once: its leases have lapsed and were swept.
    pub(crate) async fn claim_and_vanish(&self, host: &str) -> usize {
        let lanes = self.store.applied_policy().await.unwrap().unwrap().lanes;
        let request = || ClaimRequest {
            host: HostId(host.into()),
            lease: Duration::ZERO,
            lanes: lanes.iter().map(|lane| lane.id).collect(),
            new_run: RunId::generate(),
            only_begun: false,
            only: Vec::new(),
        };
        let mut claimed = 0;
        while let ClaimOutcome::Claimed(_) = self.store.claim(request()).await.unwrap() {
            claimed += 1;
        }
        assert_eq!(self.store.sweep().await.unwrap().lapsed_runs.len(), claimed);
        claimed
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A host that has started and not run yet.
    pub(crate) async fn host(&self, name: &str) -> (Host, Arc<Heard>) {
        self.host_that(name, true).await
    }

    /// The same on other trackers than the policy's.
    pub(crate) async fn host_on(&self, name: &str, trackers: Trackers) -> (Host, Arc<Heard>) {
        self.start(name, self.read_policy(), trackers, true).await
    }

    async fn host_that(&self, name: &str, drain: bool) -> (Host, Arc<Heard>) {
        let policy = self.read_policy();
        let trackers = Trackers::open(&policy, self.path(), &self.clock).unwrap();
        self.start(name, policy, trackers, drain).await
    }

    fn read_policy(&self) -> Arc<Policy> {
        Arc::new(Policy::load_for(self.path(), &["probe"]).unwrap_or_else(|error| panic!("{error}")))
    }

    async fn start(
        &self,
        name: &str,
        policy: Arc<Policy>,
        trackers: Trackers,
        drain: bool,
    ) -> (Host, Arc<Heard>) {
        let heard = Arc::new(Heard::default());
        let parts = Parts {
            project: self.path().to_owned(),
            trackers,
            policy,
            registry: Arc::clone(&self.registry),
            guests: Arc::new(self.sandbox.clone()),
            models: Arc::clone(&self.models),
            store: Arc::clone(&self.store),
            artifacts: Arc::new(StoredArtifacts::new(Arc::new(
                ArtifactFolder::open(self.path().join(".tollgate/artifacts")).unwrap(),
            ))),
            clock: Arc::clone(&self.clock),
            machine: Arc::new(ThisMachine),
            observer: Arc::clone(&heard) as _,
        };
        let options = HostOptions {
            id: HostId(name.into()),
            workers: 2,
            drain,
            items: None,
            only: Vec::new(),
            labels: Vec::new(),
        };
        (Host::start(parts, options).await.unwrap_or_else(|error| panic!("{error}")), heard)
    }

    /// A host in the background that goes on until it is told to stop; its switch comes with it.
    pub(crate) async fn spawn_for_ever(&self) -> (tokio::task::JoinHandle<Outcome>, Shutdown, Arc<Heard>) {
        let (host, heard) = self.host_that("first", false).await;
        let shutdown = host.shutdown();
        (tokio::spawn(async move { host.run().await.unwrap() }), shutdown, heard)
    }

    /// Runs a host until nothing is left.
    pub(crate) async fn drain(&self) -> (Outcome, Arc<Heard>) {
        let (host, heard) = self.host("first").await;
        let outcome = host.run().await.unwrap_or_else(|error| panic!("{error}\n{}", heard.text()));
        (outcome, heard)
    }

    /// Runs a host in the background; its switch comes with it.
    pub(crate) async fn spawn(&self, name: &str) -> (tokio::task::JoinHandle<Outcome>, Shutdown, Arc<Heard>) {
        let (host, heard) = self.host(name).await;
        let shutdown = host.shutdown();
        (tokio::spawn(async move { host.run().await.unwrap() }), shutdown, heard)
    }

    /// The newest run of an entry.
    pub(crate) async fn run_of(&self, key: &str) -> RunDetail {
        let filter = RunFilter { key: Some(key.into()), limit: 1, ..RunFilter::default() };
        let page = self.store.runs(filter).await.unwrap();
        self.store.run(page.rows.first().unwrap_or_else(|| panic!("{key} has no run")).id).await.unwrap()
    }

    /// Checks how the newest run of an entry ended.
    #[track_caller]
    pub(crate) fn check_end(&self, detail: &RunDetail, state: RunState, words: &str) {
        assert_eq!(detail.summary.state, state, "{:?}", detail.summary);
        let record = detail.record.as_ref().expect("a run that is over has a record");
        let said = match &record.end {
            End::Done => "done".to_owned(),
            End::Failed(stopped) | End::Escalated { stopped, .. } => stopped.reason.clone(),
            End::Cancelled { reason } => reason.clone(),
        };
        assert!(said.contains(words), "{said:?} does not say {words:?}");
    }
}

fn open_store(folder: &Path, clock: &Arc<dyn Clock>) -> Arc<dyn Store> {
    let options =
        SqliteOptions::at(folder.join(".tollgate/tollgate.db"), OpenMode::Host).with_clock(Arc::clone(clock));
    Arc::new(SqliteStore::open(options).unwrap())
}

fn guest_version(name: &str) -> Version {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/guests/dist/{name}.wasm"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Version::read(bytes, Origin::File(path)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
