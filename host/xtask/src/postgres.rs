//! A PostgreSQL server for the tests: the system's binaries, as an unprivileged user, on a free port of the loopback, in a temporary
//! folder. With its syncs on, as in earnest.
//!
//! Property wanted: it ends with the process that started it, however that ends. So a shell stands beside it and waits for the end of its
//! input.

use std::{
    fs,
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
        println!("\n== PostgreSQL for the tests, by {}", binaries.display());
        let folder = tempfile::Builder::new().prefix("tollgate-postgres-").tempdir()?.keep();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut keeper = unprivileged(&folder)?;
        keeper.args(["sh", "-c", KEEPER, "keeper"]).arg(&binaries).arg(&folder).arg(port.to_string());
        let spawned = keeper.stdin(Stdio::piped()).current_dir("/").spawn();
        let mut keeper = spawned.context("cannot start the server's keeper")?;
        let alive = keeper.stdin.take();
        let url = format!("postgres://tollgate@127.0.0.1:{port}/postgres");
        let mut server = Self { url, keeper, alive };
        server.wait_until_it_answers(&binaries, &folder)?;
        Ok(server)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn wait_until_it_answers(&mut self, binaries: &Path, folder: &Path) -> Result<()> {
        let began = Instant::now();
        loop {
            let mut psql = Command::new(binaries.join("psql"));
            let asked =
                psql.args(["-X", "-q", "-c", "SELECT 1", &self.url]).output().context("cannot start psql")?;
            if asked.status.success() {
                return Ok(());
            }
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
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
        bail!("the tests need PostgreSQL's server, which this machine lacks; {HOW}");
    }
    println!("\n== installing PostgreSQL, which this machine lacks");
    let no_cluster = "mkdir -p /etc/postgresql-common && \
                      { [ -e /etc/postgresql-common/createcluster.conf ] || \
                        echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf; }";
    let steps: [&[&str]; 3] = [
        &["sh", "-c", no_cluster],
        &["apt-get", "update", "-q"],
        &["apt-get", "install", "-q", "-y", "--no-install-recommends", "postgresql"],
    ];
    for step in steps {
        let ran = Command::new(step[0]).args(&step[1..]).env("DEBIAN_FRONTEND", "noninteractive").status();
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
        let ask = |query: &str| {
            let psql = Command::new(find().unwrap().join("psql"))
                .args(["-X", "-A", "-t", "-c", query, server.url()])
                .output();
            String::from_utf8(psql.unwrap().stdout).unwrap().trim().to_owned()
        };
        assert_eq!(ask("SHOW fsync"), "on");
        let data = PathBuf::from(ask("SHOW data_directory"));
        assert!(data.exists());
        drop(server);
        assert!(!data.parent().unwrap().exists());
    }
}
