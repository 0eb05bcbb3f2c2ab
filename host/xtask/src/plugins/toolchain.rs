//! Finding a Rust compiler that can build for wasm32-unknown-unknown.
//!
//! A compiler can if its standard library for that target is installed (`rustup target add`), or if the sources of
//! the standard library are (`rust-src`, or Debian's `rust-web-src`) and a linker for wasm is at hand. The first
//! is tried first on every compiler that is found, since it is quicker and what most people have.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler that can build for [`TARGET`]. Its text names everything about it that decides the bytes.
pub(crate) struct Toolchain {
    compiler: Compiler,
    std: Std,
}

enum Std {
    Installed,
    FromSource { linker: Linker },
}

struct Linker {
    program: PathBuf,
    version: String,
}

struct Compiler {
    cargo: PathBuf,
    rustc: PathBuf,
    /// The first line of `rustc --version`.
    version: String,
    sysroot: PathBuf,
    host: String,
}

/// No compiler was found; a sentence that says what to install.
#[derive(Debug)]
pub(crate) struct NoToolchain(pub(crate) String);

impl fmt::Display for NoToolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoToolchain {}

impl Toolchain {
    /// The compiler on the path if it can, else the system's.
    ///
    /// # Errors
    ///
    /// [`NoToolchain`] when none can.
    pub(crate) fn find() -> Result<Self, NoToolchain> {
        let found: Vec<Compiler> = [("cargo", "rustc"), ("/usr/bin/cargo", "/usr/bin/rustc")]
            .into_iter()
            .filter_map(|(cargo, rustc)| Compiler::ask(cargo, rustc))
            .collect();
        let linker = find_linker(&found);
        let mut sourced = None;
        for compiler in found {
            if compiler.has_target() {
                return Ok(Toolchain { compiler, std: Std::Installed });
            }
            if compiler.has_source() && sourced.is_none() {
                sourced = Some(compiler);
            }
        }
        match (sourced, linker) {
            (Some(compiler), Some(linker)) => Ok(Toolchain { compiler, std: Std::FromSource { linker } }),
            (Some(_), None) => Err(NoToolchain(
                "no linker for wasm was found; `apt-get install lld`, or a rustup toolchain, has one"
                    .to_owned(),
            )),
            (None, _) => Err(NoToolchain(format!(
                "no Rust compiler here can build for {TARGET}; `rustup target add {TARGET}` installs what is \
                 missing, or on Debian `apt-get install rustc-web cargo-web rust-web-src lld`"
            ))),
        }
    }

    /// A cargo that builds for [`TARGET`] with this compiler, with none of the caller's own flags.
    pub(crate) fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new(&self.compiler.cargo);
        for name in [
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "CARGO_BUILD_TARGET",
            "CARGO_TARGET_DIR",
        ] {
            cargo.env_remove(name);
        }
        cargo.env("RUSTC", &self.compiler.rustc).arg(command).args(["--target", TARGET]);
        if let Std::FromSource { linker } = &self.std {
            // Building the standard library is not stable yet; on a released compiler this is the way to ask for it.
            cargo
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &linker.program)
                .arg("-Zbuild-std=std,panic_abort");
        }
        cargo
    }

    /// Folders in which the sources of the standard library are, by every name they may appear under.
    pub(crate) fn std_sources(&self) -> Vec<PathBuf> {
        let source = self.compiler.sysroot.join("lib/rustlib/src/rust");
        let real = source.canonicalize().ok();
        [Some(source), real].into_iter().flatten().collect()
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.std {
            Std::Installed => write!(f, "{}, std as installed", self.compiler.version),
            Std::FromSource { linker } => {
                write!(f, "{}, std from source, {}", self.compiler.version, linker.version)
            }
        }
    }
}

impl Compiler {
    fn ask(cargo: &str, rustc: &str) -> Option<Self> {
        let verbose = answer(Path::new(rustc), &["--version", "--verbose"])?;
        answer(Path::new(cargo), &["--version"])?;
        Some(Compiler {
            cargo: cargo.into(),
            rustc: rustc.into(),
            version: verbose.lines().next()?.to_owned(),
            sysroot: answer(Path::new(rustc), &["--print", "sysroot"])?.into(),
            host: verbose.lines().find_map(|line| line.strip_prefix("host: "))?.to_owned(),
        })
    }

    fn has_target(&self) -> bool {
        self.sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
    }

    fn has_source(&self) -> bool {
        self.sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file()
    }
}

/// Any linker will do that cargo knows by its name; those that come with a compiler go first.
fn find_linker(compilers: &[Compiler]) -> Option<Linker> {
    let own = compilers
        .iter()
        .map(|compiler| compiler.sysroot.join("lib/rustlib").join(&compiler.host).join("bin/rust-lld"));
    own.chain(["rust-lld".into(), "wasm-ld".into()]).find_map(|program| {
        let flavor: &[&str] = if program.ends_with("rust-lld") { &["-flavor", "wasm"] } else { &[] };
        let version = answer(&program, &[flavor, &["--version"]].concat())?;
        // Where the linker itself was built follows in brackets and decides nothing.
        let version = version.split(" (").next()?.to_owned();
        Some(Linker { program, version })
    })
}

fn answer(program: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
