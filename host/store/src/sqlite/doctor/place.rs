//! Where a store is: whether it is there, may be changed, has room, and is on a disk of this machine.

use std::{
    fs,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access, statvfs};

use crate::doctor::{Examination, Finding, FindingKind};

/// What every database of SQLite begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Less room than this is little: the log alone may need so much.
const ROOM_MIN_MIB: u64 = 256;

/// Looks at the place; false when there is nothing that could be opened.
pub(super) fn look(path: &Path, found: &mut Examination) -> bool {
    let finding = match first_bytes(path) {
        Ok(bytes) if bytes.is_empty() => nothing_in(path),
        Ok(bytes) if bytes.starts_with(MAGIC) => {
            surroundings(path, found);
            return true;
        }
        Ok(_) => Finding::fault(
            FindingKind::Database,
            format!("{} is no database: it begins with something else", path.display()),
            super::begin_anew(path),
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => Finding::fault(
            FindingKind::Place,
            format!("there is no store at {}", path.display()),
            "if there was one, put a backup there, or have a new one made of the records in the trackers: `tollgate backlog take-over \
             --reason …`. If nothing has run here yet, `tollgate run` makes one",
        ),
        Err(error) => Finding::fault(
            FindingKind::Place,
            format!("{} cannot be read: {error}", path.display()),
            "see to it that it is a file, that whoever runs tollgate may read and write it, and that its disk works",
        ),
    };
    found.add(finding);
    false
}

fn nothing_in(path: &Path) -> Finding {
    match with_suffix(path, "-wal").metadata() {
        Ok(log) if log.len() > 0 => Finding::fault(
            FindingKind::Database,
            format!("{} is empty, and there is a log beside it", path.display()),
            "if another file belongs to this log, put it back before anything else; without it the log says nothing",
        ),
        _ => Finding::risk(
            FindingKind::Database,
            format!("{} is empty: nothing was ever committed to it", path.display()),
            "`tollgate run` makes a store of it; if there was one, put a backup in its place",
        ),
    }
}

fn first_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn surroundings(path: &Path, found: &mut Examination) {
    // A host that ends in good order removes both; one that does not leaves both.
    if with_suffix(path, "-shm").exists() && !with_suffix(path, "-wal").exists() {
        found.add(Finding::fault(
            FindingKind::Log,
            format!("the log {}-wal is gone, and its index is still there", path.display()),
            "if somebody moved it, put it back before anything else: what was committed last is in it. If it is lost, so is that; \
             `tollgate audit verify` names the records in trackers that the store does not know",
        ));
    }
    let folder = folder_of(path);
    if !is_writable(path) {
        found.add(Finding::fault(
            FindingKind::Place,
            format!("{} and its folder cannot both be written", path.display()),
            "a host needs that; see to the rights of whoever runs tollgate, and that the disk is not mounted for reading only",
        ));
    }
    if let Some(room_mib) = room_mib(folder).filter(|room| *room < ROOM_MIN_MIB) {
        found.add(Finding::risk(
            FindingKind::Room,
            format!("there are {room_mib} MiB left on the disk of {}", folder.display()),
            format!("make room: a host needs {ROOM_MIN_MIB} MiB to be at ease, and where there is none it stops and loses nothing"),
        ));
    }
    if let Some(name) = network(folder) {
        found.add(Finding::risk(
            FindingKind::Place,
            format!("{} is on a network file system ({name})", folder.display()),
            "locks and syncs do not hold there: move the store to a disk of the machine that the host runs on, or use `postgres://…`",
        ));
    }
}

/// Whether a host could write it.
pub(super) fn is_writable(path: &Path) -> bool {
    [path, folder_of(path)].iter().all(|place| access(*place, Access::WRITE_OK).is_ok())
}

fn room_mib(folder: &Path) -> Option<u64> {
    let disk = statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize) >> 20)
}

/// The name of the network file system that a folder is on; none for what is not known to be one.
#[cfg(target_os = "linux")]
fn network(folder: &Path) -> Option<&'static str> {
    // From the system's `magic.h`.
    const KINDS: &[(u32, &str)] = &[
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x0102_1997, "9P"),
        (0x5346_414f, "AFS"),
        (0x00c3_6400, "Ceph"),
    ];
    let kind = rustix::fs::statfs(folder).ok()?.f_type;
    KINDS
        .iter()
        .find(|(magic, _)| i128::from(kind) & 0xffff_ffff == i128::from(*magic))
        .map(|(_, name)| *name)
}

#[cfg(not(target_os = "linux"))]
fn network(_: &Path) -> Option<&'static str> {
    None
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
