//! Hosts of Tollgate, a process each, that share a store in PostgreSQL and drive entries through three stages that do nothing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{commands::binary, plugins::repository, postgres::Server};

const DATABASE: &str = "hosts";

/// Runs that a host drives at once: as many as the others have jobs.
const WORKERS: &str = "10";

/// Driven before anything is measured, so that components are loaded and connections made.
const WARM_UP: u64 = 50;
const ENTRIES_PER_BLOCK: u64 = 500;

/// What the keys of entries begin with that come in one by one.
const ADDED: &str = "ADDED";

const PATIENCE: Duration = Duration::from_secs(600);

/// Makes entries that wait, as the store would have written them.
const ENTRIES: &str = include_str!("../../../../store/benches/fill/entries.sql");

const PIPELINE_HEAD: &str = "owner = \"team\"\nbudget = { cost = \"$5\", time = \"5m\" }\n";

/// A project whose store is on the server.
pub(super) struct Hosts<'s> {
    server: &'s Server,
    binary: PathBuf,
    /// In memory where there is such a place: records are written beside entries, and what is measured is the store.
    folder: tempfile::TempDir,
    made: u64,
}

/// From the first claim on.
pub(super) struct EntriesPerSecond {
    /// Until the last run is over, and its record durable.
    pub(super) done: f64,
    /// Until the last record is delivered.
    pub(super) delivered: f64,
}

/// Hosts that run; dropped, they end.
struct Running(Vec<Child>);

impl<'s> Hosts<'s> {
    pub(super) fn new(server: &'s Server) -> Result<Self> {
        let binary = binary::build(&["--release", "--locked", "--workspace"])?;
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory)?,
            false => tempfile::tempdir()?,
        };
        server.ask("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
        let hosts = Self { server, binary, folder, made: 0 };
        hosts.make_project()?;
        // The store is made, the components are compiled, and there is an entry to make others after.
        hosts.tollgate(&["run", "--drain"])?;
        let text = ["--title", "Show the opening hours", "--body", "They are missing in the search results."];
        hosts.tollgate(&[&["backlog", "add", "--key", "WORK"], &text[..]].concat())?;
        hosts.tollgate(&["run", "--drain"])?;
        Ok(hosts)
    }

    fn make_project(&self) -> Result<()> {
        let folder = self.folder.path();
        let store = format!("{}/{DATABASE}?sslmode=disable", self.server.address());
        let policy = format!(
            "[instance]\nstore = \"{store}\"\nlease = \"60s\"\n\n[backlog.work]\nowner = \"team\"\npipeline = \"idle\"\n\
             eligible = 'true'\npriority = '0'\nintake = {{ per_author = \"100000 / 1h\", per_source = \"100000 / 1h\" }}\n\n[[backlog.work.source]]\ninternal = true\n"
        );
        let stage =
            |number: u32| format!("\n[[stage]]\nname = \"stage-{number}\"\nplugin = \"idle-stage\"\n");
        let pipeline = (1..=3).fold(PIPELINE_HEAD.to_owned(), |text, number| text + &stage(number));
        for made in ["pipelines", "plugins"] {
            fs::create_dir(folder.join(made))?;
        }
        fs::write(folder.join("tollgate.toml"), policy)?;
        fs::write(folder.join("pipelines/idle.toml"), pipeline)?;
        let guest = repository().join("tests/guests/dist/idle-stage.wasm");
        fs::copy(guest, folder.join("plugins/idle-stage.wasm"))
            .context("the tests' guests were not built")?;
        Ok(())
    }

    /// Entries a second that so many hosts drive. They stand idle when the entries come in all at once.
    pub(super) fn per_second(&mut self, count: usize) -> Result<EntriesPerSecond> {
        // They are in memory.
        let records = self.folder.path().join(".tollgate/internal");
        fs::remove_dir_all(&records).with_context(|| format!("failed to remove {}", records.display()))?;
        let running = self.start(count)?;
        self.drive(WARM_UP)?;
        let per_second = self.drive(ENTRIES_PER_BLOCK)?;
        running.end()?;
        Ok(per_second)
    }

    /// Milliseconds from the arrival of each of so many entries, which come in one after the other while a host stands idle, to the claim
    /// of its run.
    pub(super) fn starts_ms(&mut self, entries: u64) -> Result<Vec<f64>> {
        let running = self.start(1)?;
        self.drive(WARM_UP)?;
        let first = self.made;
        for number in first..first + entries {
            let key = format!("{ADDED}-{number}");
            self.tollgate(&[
                "backlog",
                "add",
                "--key",
                &key,
                "--title",
                "Show the way",
                "--body",
                "To the desk.",
            ])?;
            let settled = format!(
                "SELECT count(*) FROM outbox JOIN entry ON entry.id = outbox.entry_id
                 WHERE entry.key = '{key}' AND outbox.kind = 'record' AND outbox.state = 'settled'"
            );
            self.wait_until(&settled, 1)?;
            // It is idle at any moment between two looks that it takes by itself.
            std::thread::sleep(Duration::from_millis(number * 97 % 250));
        }
        self.made += entries;
        running.end()?;
        let took = format!(
            "SELECT run.started_at - entry.first_seen_at FROM run JOIN entry ON entry.id = run.entry_id
             WHERE entry.key LIKE '{ADDED}-%' AND substr(entry.key, length('{ADDED}-') + 1)::bigint >= {first}"
        );
        let said = self.server.ask(DATABASE, &took)?;
        said.lines().map(|line| line.parse().with_context(|| format!("no number: {line}"))).collect()
    }

    fn drive(&mut self, entries: u64) -> Result<EntriesPerSecond> {
        let before: u64 = self.ask("SELECT coalesce(max(id), 0) FROM outbox")?;
        let parameters = [(":model", "'WORK'".to_owned()), (":first", self.made.to_string())];
        let parameters = parameters.into_iter().chain([(":count", entries.to_string())]);
        let fill = parameters.fold(ENTRIES.to_owned(), |text, (name, value)| text.replace(name, &value));
        self.server.ask(DATABASE, &fill)?;
        self.made += entries;
        let settled = format!("SELECT count(*) FROM outbox WHERE id > {before} AND state = 'settled'");
        self.wait_until(&settled, entries)?;
        let since_first_claim = |end: &str| {
            let query = format!(
                "SELECT max({end}) - min(run.started_at) FROM outbox JOIN run ON run.seq = outbox.run_seq
                 WHERE outbox.id > {before}"
            );
            self.ask(&query).map(|took_ms| entries as f64 * 1e3 / took_ms as f64)
        };
        Ok(EntriesPerSecond {
            done: since_first_claim("run.ended_at")?,
            delivered: since_first_claim("outbox.settled_at")?,
        })
    }

    /// Starts hosts and waits until they are at work.
    fn start(&self, count: usize) -> Result<Running> {
        let mut running = Running(Vec::new());
        for number in 0..count {
            let mut host = self.command(&["run", "--workers", WORKERS]);
            // It would tell of every entry.
            host.env("TOLLGATE_HOST", format!("bench-{number}")).stderr(Stdio::null());
            running.0.push(host.spawn().context("cannot start a host")?);
        }
        let at_work = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND application_name = 'tollgate-hints'";
        self.wait_until(at_work, count as u64)?;
        Ok(running)
    }

    fn wait_until(&self, query: &str, number: u64) -> Result<()> {
        let began = Instant::now();
        loop {
            let found: u64 = self.ask(query)?;
            if found == number {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "waited for {number} and found {found}: {query}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn ask(&self, query: &str) -> Result<u64> {
        let said = self.server.ask(DATABASE, query)?;
        said.parse().with_context(|| format!("{query} said {said}"))
    }

    fn tollgate(&self, args: &[&str]) -> Result<()> {
        let status = self.command(args).status().context("cannot start the binary")?;
        if !status.success() {
            bail!("`tollgate {}` failed", args.join(" "));
        }
        Ok(())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command.env("TOLLGATE_CACHE", self.folder.path().join("cache"));
        command
    }
}

impl Running {
    /// Has them end in good order.
    fn end(mut self) -> Result<()> {
        for host in &self.0 {
            let told = Command::new("kill").arg("-INT").arg(host.id().to_string()).status();
            ensure!(told.is_ok_and(|status| status.success()), "a host is gone that nobody stopped");
        }
        for mut host in self.0.drain(..) {
            host.wait()?;
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for host in &mut self.0 {
            // It may have ended by itself; then there is nothing to do.
            let _ended = host.kill().and_then(|()| host.wait());
        }
    }
}
