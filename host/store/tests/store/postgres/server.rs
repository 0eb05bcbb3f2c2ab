//! A PostgreSQL server of the tests' own: the system's binaries, as an unprivileged user, on a free port of the loopback, in a temporary
//! folder. It ends with the process that runs the tests, however that ends. Where `TOLLGATE_TEST_POSTGRES` has the address of one, as
//! `cargo xtask test` sees to, that one is used.

use std::{
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// Stands beside the server.
const KEEPER: &str = include_str!("keeper.sh");

/// What it answers is lost with its folder anyway. What one of its processes wrote before it was killed, the system has.
const SETTINGS: [&str; 2] = ["-c", "fsync=off"];

/// What it says when one of its processes was killed, and none of those is left that serve anybody.
const BEGINS_ANEW: &str = "all server processes terminated; reinitializing";

const START_WITHIN: Duration = Duration::from_secs(60);

/// A server, which ends when this does.
pub(crate) struct Server {
    port: u16,
    folder: PathBuf,
    /// Of a server of our own: the input is closed when the process ends.
    keeper: Option<(Child, ChildStdin)>,
}

static SERVER: OnceLock<Server> = OnceLock::new();

impl Server {
    /// One for this process alone, which may be killed.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("tollgate-postgres-").tempdir().unwrap().keep();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut keeper = unprivileged(&folder);
        keeper
            .args(["sh", "-c", KEEPER, "keeper"])
            .arg(binaries())
            .arg(&folder)
            .arg(port.to_string())
            .args(SETTINGS);
        let mut keeper = keeper.stdin(Stdio::piped()).current_dir("/").spawn().unwrap();
        let alive = keeper.stdin.take().unwrap();
        let server = Self { port, folder, keeper: Some((keeper, alive)) };
        server.wait_until_it_answers();
        server
    }

    /// The address of a database in which nothing is, made with these options of `CREATE DATABASE`.
    pub(crate) fn new_database(&self, options: &str) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        // A server that is shared has databases of other processes.
        let name = format!("test{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::SeqCst));
        let create = format!("CREATE DATABASE {name} {options}");
        let made = psql(self.port).args(["-q", "-c", &create]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        format!("postgres://tollgate@127.0.0.1:{}/{name}?sslmode=disable", self.port)
    }

    /// Kills all its processes at once, as a power cut does, and waits until they are gone.
    pub(crate) fn kill(&self) {
        let pid_file = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let first: i32 = pid_file.lines().next().unwrap().trim().parse().unwrap();
        // It makes no more of them meanwhile: one that is left would keep the next server from starting.
        signal("STOP", &[first]);
        let entries = std::fs::read_dir("/proc").unwrap();
        let all = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let children = all.filter(|pid| Process::of(*pid).is_some_and(|process| process.parent == first));
        let processes: Vec<i32> = std::iter::once(first).chain(children).collect();
        // One that ended meanwhile is as good as killed.
        kill(&processes);
        while processes.iter().any(|pid| Process::of(*pid).is_some()) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills one of its processes that serve somebody, and waits until it has noticed: then it has ended all others as well, and recovers.
    pub(crate) fn kill_backend(&self, process: i32) {
        let recoveries = || self.log().matches(BEGINS_ANEW).count();
        let (before, began) = (recoveries(), Instant::now());
        kill(&[process]);
        while recoveries() == before {
            assert!(began.elapsed() < START_WITHIN, "the server does not notice: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Begins to start it again after it was killed.
    pub(crate) fn begin_again(&mut self) {
        let (_, keeper) = self.keeper.as_mut().expect("only a server of our own is killed");
        writeln!(keeper).unwrap();
    }

    /// What it said so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub(crate) fn wait_until_it_answers(&self) {
        let began = Instant::now();
        while !psql(self.port).args(["-q", "-c", "SELECT 1"]).output().unwrap().status.success() {
            assert!(began.elapsed() < START_WITHIN, "the server does not answer: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A process that is alive.
struct Process {
    parent: i32,
}

impl Process {
    fn of(pid: i32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut facts = stat.rsplit_once(')')?.1.split_whitespace();
        facts.next().filter(|state| *state != "Z")?;
        Some(Self { parent: facts.next()?.parse().ok()? })
    }
}

/// Ends processes as nothing else does.
pub(crate) fn kill(processes: &[i32]) {
    signal("KILL", processes);
}

fn signal(name: &str, processes: &[i32]) {
    let processes = processes.iter().map(ToString::to_string);
    drop(Command::new("kill").arg(format!("-{name}")).args(processes).output().unwrap());
}

/// What the server said so far.
pub(crate) fn log() -> String {
    SERVER.get().expect("somebody made a database").log()
}

/// The address of a database in which nothing is.
pub(crate) fn new_database() -> String {
    new_database_with("")
}

/// The same, made with these options of `CREATE DATABASE`.
pub(crate) fn new_database_with(options: &str) -> String {
    SERVER.get_or_init(|| given().unwrap_or_else(Server::start)).new_database(options)
}

/// The certificate of who signed the server's, which is for `localhost`.
pub(crate) fn issuer() -> PathBuf {
    SERVER.get().expect("somebody made a database").folder.join("issuer.pem")
}

/// Takes everything out of the database of a store but the store's own row. Nobody has it open.
pub(crate) fn empty(url: &str) {
    const EMPTY: &str = "DO $$ BEGIN
        EXECUTE (SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') || ' RESTART IDENTITY CASCADE' FROM pg_tables
                 WHERE schemaname = 'public' AND tablename NOT IN ('schema_migration', 'store'));
        UPDATE store SET seen_at = 0;
    END $$";
    let (server, name) = url.split_once('?').unwrap().0.rsplit_once('/').unwrap();
    let port = server.rsplit_once(':').unwrap().1.parse().unwrap();
    let emptied = psql(port).args(["-q", "-d", name, "-c", EMPTY]).output().unwrap();
    assert!(emptied.status.success(), "{}", String::from_utf8_lossy(&emptied.stderr));
}

/// Ends every connection to a database, as a restart of the server does.
pub(crate) fn end_connections(url: &str) {
    let (server, name) = url.split_once('?').unwrap().0.rsplit_once('/').unwrap();
    let port = server.rsplit_once(':').unwrap().1.parse().unwrap();
    let end =
        format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'");
    let ended = psql(port).args(["-A", "-t", "-c", &end]).output().unwrap();
    assert!(String::from_utf8_lossy(&ended.stdout).lines().any(|line| line == "t"), "none was there");
}

/// What a query answers, a line each.
pub(crate) fn ask(url: &str, query: &str) -> String {
    let mut psql = Command::new(binaries().join("psql"));
    let asked =
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", query, url]).output().unwrap();
    assert!(asked.status.success(), "{query}: {}", String::from_utf8_lossy(&asked.stderr));
    String::from_utf8(asked.stdout).unwrap()
}

/// The server that whoever runs the tests has started.
fn given() -> Option<Server> {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says so by it")]
    let url = std::env::var("TOLLGATE_TEST_POSTGRES").ok()?;
    let (_, place) = url.rsplit_once('@').unwrap();
    let port = place.split(['/', '?']).next().unwrap().rsplit_once(':').unwrap().1.parse().unwrap();
    // It is made as ours is.
    let data = PathBuf::from(ask(&url, "SHOW data_directory").trim());
    Some(Server { port, folder: data.parent().unwrap().to_owned(), keeper: None })
}

/// A command that runs as somebody who may run a server: `postgres` refuses to be root.
fn unprivileged(folder: &Path) -> Command {
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !is_root {
        return Command::new("env");
    }
    let given = Command::new("chown").arg("nobody").arg(folder).status().unwrap();
    assert!(given.success(), "{} could not be given away", folder.display());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]);
    command
}

fn psql(port: u16) -> Command {
    let mut command = Command::new(binaries().join("psql"));
    command.args(["-X", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", "tollgate", "-d", "postgres"]);
    command
}

/// The newest of the versions that Debian keeps side by side.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let bins = versions.map(|version| version.unwrap().path().join("bin"));
    let newest = bins.filter(|bin| bin.join("postgres").exists() && bin.join("initdb").exists()).max();
    newest.expect("PostgreSQL's server is installed (Debian: `apt-get install postgresql`)")
}
