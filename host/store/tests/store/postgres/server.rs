//! A PostgreSQL server of the tests' own: the system's binaries, as an unprivileged user, on a free port of the loopback, in a temporary
//! folder. It ends with the process that runs the tests, however that ends.

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

/// Stands beside the server, and waits for the end of its input: that is the end of whoever started it. What it answers is lost with
/// the folder anyway, so nothing is synced.
const KEEPER: &str = r#"
bin=$1 folder=$2 port=$3
trap '' INT TERM
"$bin/initdb" -D "$folder/data" -U tollgate --auth=trust --encoding=UTF8 --locale=C --no-sync > "$folder/log" 2>&1 || exit 1
"$bin/postgres" -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$folder" \
    -c fsync=off -c full_page_writes=off -c max_connections=400 >> "$folder/log" 2>&1 < /dev/null &
server=$!
read -r _
kill -QUIT "$server"
wait "$server"
rm -rf "$folder"
"#;

const START_WITHIN: Duration = Duration::from_secs(60);

struct Server {
    port: u16,
    folder: PathBuf,
    _keeper: Child,
    /// Closed when the process ends.
    _alive: ChildStdin,
}

static SERVER: OnceLock<Server> = OnceLock::new();

/// What the server said so far.
pub(crate) fn log() -> String {
    let server = SERVER.get().expect("somebody made a database");
    std::fs::read_to_string(server.folder.join("log")).unwrap()
}

/// The address of a database in which nothing is.
pub(crate) fn new_database() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(start);
    let name = format!("test{}", MADE.fetch_add(1, Ordering::SeqCst));
    let made = psql(server.port).args(["-q", "-c", &format!("CREATE DATABASE {name}")]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    format!("postgres://tollgate@127.0.0.1:{}/{name}", server.port)
}

/// Ends every connection to a database, as a restart of the server does.
pub(crate) fn end_connections(url: &str) {
    let (server, name) = url.rsplit_once('/').unwrap();
    let port = server.rsplit_once(':').unwrap().1.parse().unwrap();
    let end =
        format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'");
    let ended = psql(port).args(["-A", "-t", "-c", &end]).output().unwrap();
    assert!(String::from_utf8_lossy(&ended.stdout).lines().any(|line| line == "t"), "none was there");
}

/// A connection of the test's own.
pub(crate) async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, io) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    drop(tokio::spawn(io));
    client
}

fn start() -> Server {
    let folder = tempfile::Builder::new().prefix("tollgate-postgres-").tempdir().unwrap().keep();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut keeper = unprivileged(&folder);
    keeper.args(["sh", "-c", KEEPER, "keeper"]).arg(binaries()).arg(&folder).arg(port.to_string());
    let mut keeper = keeper.stdin(Stdio::piped()).current_dir("/").spawn().unwrap();
    let alive = keeper.stdin.take().unwrap();
    let began = Instant::now();
    while !psql(port).args(["-q", "-c", "SELECT 1"]).output().unwrap().status.success() {
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(keeper.try_wait().unwrap().is_none(), "the server ended: {log}");
        assert!(began.elapsed() < START_WITHIN, "the server does not answer: {log}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Server { port, folder, _keeper: keeper, _alive: alive }
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
