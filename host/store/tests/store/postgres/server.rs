//! A PostgreSQL server of the tests' own: the system's binaries, as an unprivileged user, on a free port of the loopback, in a temporary
//! folder. It ends with the process that runs the tests, however that ends. Where `TOLLGATE_TEST_POSTGRES` has the address of one, as
//! `cargo xtask test` sees to, that one is used.

use std::{
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

/// What it answers is lost with its folder anyway.
const SETTINGS: [&str; 4] = ["-c", "fsync=off", "-c", "full_page_writes=off"];

const START_WITHIN: Duration = Duration::from_secs(60);

struct Server {
    port: u16,
    folder: PathBuf,
    /// Of a server of our own: the input is closed when the process ends.
    _keeper: Option<(Child, ChildStdin)>,
}

static SERVER: OnceLock<Server> = OnceLock::new();

/// A server that a test has for itself, and what it does to its settings happens to nobody else.
pub(crate) struct Own(Server);

impl Own {
    pub(crate) fn start() -> Self {
        Self(start())
    }

    pub(crate) fn new_database(&self) -> String {
        new_database_on(&self.0, "")
    }
}

/// What the server said so far.
pub(crate) fn log() -> String {
    let server = SERVER.get().expect("somebody made a database");
    std::fs::read_to_string(server.folder.join("log")).unwrap()
}

/// The address of a database in which nothing is.
pub(crate) fn new_database() -> String {
    new_database_with("")
}

/// The same, made with these options of `CREATE DATABASE`.
pub(crate) fn new_database_with(options: &str) -> String {
    new_database_on(SERVER.get_or_init(|| given().unwrap_or_else(start)), options)
}

fn new_database_on(server: &Server, options: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    // A server that is shared has databases of other processes.
    let name = format!("test{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::SeqCst));
    let made =
        psql(server.port).args(["-q", "-c", &format!("CREATE DATABASE {name} {options}")]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    format!("postgres://tollgate@127.0.0.1:{}/{name}?sslmode=disable", server.port)
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
    Some(Server { port, folder: data.parent().unwrap().to_owned(), _keeper: None })
}

fn start() -> Server {
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
    let began = Instant::now();
    while !psql(port).args(["-q", "-c", "SELECT 1"]).output().unwrap().status.success() {
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(keeper.try_wait().unwrap().is_none(), "the server ended: {log}");
        assert!(began.elapsed() < START_WITHIN, "the server does not answer: {log}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Server { port, folder, _keeper: Some((keeper, alive)) }
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
