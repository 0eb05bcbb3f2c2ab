//! A PostgreSQL server for tests and benchmarks: the system's binaries, as an unprivileged user, on a free port of the loopback, in a temporary
//! folder. With its syncs on, as in earnest.
//!
//! Property wanted: it ends with the process that started it, however that ends. So a shell stands beside it and waits for the end of its
//! input.

use std::{
    fs,
    io::{self, Write as _},
    net::TcpListener,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

/// Tells the tests where it is.
pub(crate) const VARIABLE: &str = "TOLLGATE_TEST_POSTGRES";

const START_WITHIN: Duration = Duration::from_secs(60);

/// Stands beside it. The tests have it too, for when nobody has started a server for them.
const KEEPER: &str = include_str!("../../store/tests/store/postgres/keeper.sh");

/// A server; dropped, it ends and its folder goes.
pub(crate) struct Server {
    url: String,
    binaries: PathBuf,
    folder: PathBuf,
    keeper: Child,
    /// None once it is to end.
    alive: Option<ChildStdin>,
}

impl Server {
    /// Starts one, after installing its program where there is none and that is possible.
    pub(crate) fn start() -> Result<Self> {
        let binaries = match find() {
            Some(binaries) => binaries,
            None => install()?,
        };
        eprintln!("\n== PostgreSQL, by {}", binaries.display());
        let folder = tempfile::Builder::new().prefix("tollgate-postgres-").tempdir()?.keep();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut keeper = unprivileged(&folder)?;
        keeper.args(["sh", "-c", KEEPER, "keeper"]).arg(&binaries).arg(&folder).arg(port.to_string());
        let spawned = keeper.stdin(Stdio::piped()).current_dir("/").spawn();
        let mut keeper = spawned.context("cannot start the server's keeper")?;
        let alive = keeper.stdin.take();
        let url = format!("postgres://tollgate@127.0.0.1:{port}/postgres");
        let mut server = Self { url, binaries, folder, keeper, alive };
        server.wait_until_it_answers()?;
        Ok(server)
    }

    /// Where it is, with the database that every server has.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where it is, without a database.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_end_matches("/postgres")
    }

    /// The folder that its own is in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs statements in a database of it; what they say, a row a line.
    pub(crate) fn ask(&self, database: &str, statements: &str) -> Result<String> {
        let mut psql = Command::new(self.binaries.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        psql.arg(format!("{}/{database}", self.address()));
        let mut psql = psql
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start psql")?;
        let mut input = psql.stdin.take().context("psql has no input")?;
        input.write_all(statements.as_bytes())?;
        drop(input);
        let said = psql.wait_with_output()?;
        ensure!(said.status.success(), "psql: {}", String::from_utf8_lossy(&said.stderr));
        Ok(String::from_utf8(said.stdout)?.trim().to_owned())
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let began = Instant::now();
        loop {
            let mut psql = Command::new(self.binaries.join("psql"));
            let asked =
                psql.args(["-X", "-q", "-c", "SELECT 1", &self.url]).output().context("cannot start psql")?;
            if asked.status.success() {
                return Ok(());
            }
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            ensure!(self.keeper.try_wait()?.is_none(), "PostgreSQL ended at once:\n{log}");
            ensure!(began.elapsed() < START_WITHIN, "PostgreSQL does not answer:\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.alive.take());
        // It has been told; how it ends changes nothing any more.
        let _ended = self.keeper.wait();
    }
}

/// The folder of the server's programs: Debian's, the newest of the versions that it keeps side by side; else what `pg_config` or the
/// path says.
fn find() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|version| version.path().join("bin")).filter(|bin| is_whole(bin));
    let number = |bin: &PathBuf| bin.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    debian.max_by_key(number).or_else(by_pg_config).or_else(by_path)
}

fn by_pg_config() -> Option<PathBuf> {
    let said = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim());
    Some(folder).filter(|folder| is_whole(folder))
}

fn by_path() -> Option<PathBuf> {
    let said = Command::new("sh").args(["-c", "command -v postgres"]).output().ok()?;
    let program = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim()).canonicalize().ok()?;
    program.parent().map(Path::to_owned).filter(|folder| is_whole(folder))
}

fn is_whole(folder: &Path) -> bool {
    ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).exists())
}

/// Installs Debian's package, without the server that it would start by itself.
fn install() -> Result<PathBuf> {
    const HOW: &str =
        "install it (Debian: `apt-get install postgresql`; macOS: `brew install postgresql`) and try again";
    let has_apt = Command::new("apt-get").arg("--version").output().is_ok_and(|out| out.status.success());
    if !is_root() || !has_apt {
        bail!("PostgreSQL's server is needed, which this machine lacks; {HOW}");
    }
    eprintln!("\n== installing PostgreSQL, which this machine lacks");
    let no_cluster = "mkdir -p /etc/postgresql-common && \
                      { [ -e /etc/postgresql-common/createcluster.conf ] || \
                        echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf; }";
    let steps: [&[&str]; 3] = [
        &["sh", "-c", no_cluster],
        &["apt-get", "update", "-q"],
        &["apt-get", "install", "-q", "-y", "--no-install-recommends", "postgresql"],
    ];
    for step in steps {
        let mut run = Command::new(step[0]);
        // What is printed is the outcome of whoever needs the server.
        run.args(&step[1..]).env("DEBIAN_FRONTEND", "noninteractive").stdout(io::stderr());
        let ran = run.status();
        ensure!(ran.is_ok_and(|status| status.success()), "`{}` failed; {HOW}", step.join(" "));
    }
    find().with_context(|| format!("PostgreSQL was installed and is not to be found; {HOW}"))
}

/// A command that runs as somebody who may run a server: `postgres` refuses to be root.
fn unprivileged(folder: &Path) -> Result<Command> {
    if !is_root() {
        return Ok(Command::new("env"));
    }
    let given = Command::new("chown").arg("nobody").arg(folder).status().context("cannot start chown")?;
    ensure!(given.success(), "{} cannot be given away", folder.display());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]);
    Ok(command)
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_answers_with_its_syncs_on_and_leaves_nothing_behind() {
        let server = Server::start().unwrap();
        let ask = |query: &str| server.ask("postgres", query).unwrap();
        assert_eq!(ask("SHOW fsync"), "on");
        let data = PathBuf::from(ask("SHOW data_directory"));
        assert!(data.exists());
        drop(server);
        assert!(!data.parent().unwrap().exists());
    }
}
