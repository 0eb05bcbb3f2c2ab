//! A disk that a test can look into, break, and cut the power of; SQLite knows it as a file system.
//!
//! It keeps files in memory and notes every change in the order in which it came. What a power cut leaves of them is computed from
//! these notes afterwards ([`Medium`](super::medium::Medium)), so that one run is enough to cut the power everywhere in it.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, ErrorKind},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlite_vfs::{DatabaseHandle, LockKind, OpenAccess, OpenKind, OpenOptions, Vfs, WalDisabled};

/// The name that SQLite knows these disks by.
pub(crate) const VFS: &str = "disks";

/// What files hold, by path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Something that a program did to a file.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Write {
        at: usize,
        bytes: Arc<[u8]>,
    },
    Resize(usize),
    Sync,
    /// The system gave up: what was not synced by then is never written, as Linux does it.
    FailedSync,
    Delete,
}

/// What a disk refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No file can grow.
    Full,
    /// Writes fail.
    Writes,
    /// Syncs fail.
    Syncs,
    /// Reads fail.
    Reads,
}

/// A disk, wherever it is held.
#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    files: Files,
    notes: Vec<(Arc<str>, Change)>,
    fault: Option<Plan>,
}

/// A fault and when it comes.
struct Plan {
    fault: Fault,
    /// How many operations of its kind go well before.
    after: u32,
    /// How many operations of its kind fail.
    times: u32,
    /// How many have failed.
    met: u32,
}

/// Every disk that is there, by the folder that it stands for.
static DISKS: LazyLock<Mutex<HashMap<String, Disk>>> = LazyLock::new(|| {
    sqlite_vfs::register(VFS, Disks, false).expect("SQLite takes another file system");
    Mutex::default()
});

/// A disk that is there for SQLite until it is dropped.
pub(crate) struct Mounted {
    folder: String,
    pub(crate) disk: Disk,
}

impl Mounted {
    /// A disk with these files; their paths begin with `folder`.
    pub(crate) fn new(folder: &str, files: Files) -> Self {
        let disk = Disk::default();
        disk.lock().files = files;
        lock(&DISKS).insert(folder.to_owned(), disk.clone());
        Self { folder: folder.to_owned(), disk }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        lock(&DISKS).remove(&self.folder);
    }
}

impl Disk {
    /// How much was done to it.
    pub(crate) fn changes(&self) -> usize {
        self.lock().notes.len()
    }

    /// What was done to it, in order.
    pub(crate) fn notes(&self) -> Vec<(Arc<str>, Change)> {
        self.lock().notes.clone()
    }

    /// What its files hold.
    pub(crate) fn files(&self) -> Files {
        self.lock().files.clone()
    }

    /// From here on, after so many operations that go well, so many fail.
    pub(crate) fn fail(&self, fault: Fault, after: u32, times: u32) {
        self.lock().fault = Some(Plan { fault, after, times, met: 0 });
    }

    /// Nothing fails any more; how many operations did.
    pub(crate) fn mend(&self) -> u32 {
        self.lock().fault.take().map_or(0, |plan| plan.met)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

impl State {
    /// Whether an operation of this kind is to fail now.
    fn fails(&mut self, fault: Fault) -> bool {
        let Some(plan) = self.fault.as_mut().filter(|plan| plan.fault == fault) else { return false };
        match plan.after.checked_sub(1) {
            Some(left) => plan.after = left,
            None if plan.met < plan.times => {
                plan.met += 1;
                return true;
            }
            None => {}
        }
        false
    }

    fn write(&mut self, name: &Arc<str>, at: usize, bytes: &[u8]) -> io::Result<()> {
        let end = at + bytes.len();
        let grows = self.files.get(&**name).is_none_or(|file| file.len() < end);
        if grows && self.fails(Fault::Full) {
            return Err(ErrorKind::WriteZero.into());
        }
        if self.fails(Fault::Writes) {
            return Err(io::Error::other("the disk does not write"));
        }
        write(self.files.entry(name.to_string()).or_default(), at, bytes);
        self.notes.push((Arc::clone(name), Change::Write { at, bytes: bytes.into() }));
        Ok(())
    }
}

/// Writes into a file, which grows by zeros where it is too short.
pub(crate) fn write(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All of them, as SQLite sees them.
struct Disks;

/// An open file.
struct OpenFile {
    disk: Disk,
    name: Arc<str>,
}

impl Disks {
    /// The disk that a file is on: that of the folder it is in.
    fn of(path: &str) -> io::Result<Disk> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let disks = lock(&DISKS);
        disks.get(folder).cloned().ok_or_else(|| io::Error::from(ErrorKind::NotFound))
    }
}

impl Vfs for Disks {
    type Handle = OpenFile;

    fn open(&self, path: &str, options: OpenOptions) -> io::Result<OpenFile> {
        assert!(
            matches!(options.kind, OpenKind::MainDb | OpenKind::MainJournal | OpenKind::Wal),
            "{:?}: what is temporary is kept in memory",
            options.kind
        );
        let disk = Self::of(path)?;
        let name: Arc<str> = path.into();
        let mut state = disk.lock();
        if !state.files.contains_key(path) {
            if matches!(options.access, OpenAccess::Read | OpenAccess::Write) {
                return Err(ErrorKind::NotFound.into());
            }
            state.files.insert(path.to_owned(), vec![]);
            state.notes.push((Arc::clone(&name), Change::Resize(0)));
        }
        drop(state);
        Ok(OpenFile { disk, name })
    }

    fn delete(&self, path: &str) -> io::Result<()> {
        let disk = Self::of(path)?;
        let mut state = disk.lock();
        state.files.remove(path).ok_or(ErrorKind::NotFound)?;
        state.notes.push((path.into(), Change::Delete));
        Ok(())
    }

    fn exists(&self, path: &str) -> io::Result<bool> {
        Ok(Self::of(path)?.lock().files.contains_key(path))
    }

    fn temporary_name(&self) -> String {
        unreachable!("what is temporary is kept in memory")
    }

    /// The same every time: the log's salt is drawn from it, and any will do.
    fn random(&self, buffer: &mut [i8]) {
        buffer.fill(7);
    }

    fn sleep(&self, duration: Duration) -> Duration {
        duration
    }
}

/// The store has one connection to it, so nobody is ever locked out.
impl DatabaseHandle for OpenFile {
    type WalIndex = WalDisabled;

    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.lock().files.get(&*self.name).map_or(0, Vec::len) as u64)
    }

    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.lock();
        if state.fails(Fault::Reads) {
            return Err(io::Error::other("the disk does not read"));
        }
        let file = state.files.get(&*self.name).map_or(&[] as &[u8], Vec::as_slice);
        let from = file.len().min(offset as usize);
        let found = &file[from..file.len().min(from + buffer.len())];
        buffer[..found.len()].copy_from_slice(found);
        // SQLite wants zeros where the file ends.
        buffer[found.len()..].fill(0);
        if found.len() == buffer.len() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.lock().write(&self.name, offset as usize, bytes)
    }

    fn sync(&mut self, _: bool) -> io::Result<()> {
        let mut state = self.disk.lock();
        let fails = state.fails(Fault::Syncs);
        let change = if fails { Change::FailedSync } else { Change::Sync };
        state.notes.push((Arc::clone(&self.name), change));
        if fails { Err(io::Error::other("the disk does not sync")) } else { Ok(()) }
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.disk.lock();
        let length = length as usize;
        let grows = state.files.get(&*self.name).is_none_or(|file| file.len() < length);
        if grows && state.fails(Fault::Full) {
            return Err(ErrorKind::WriteZero.into());
        }
        if state.fails(Fault::Writes) {
            return Err(io::Error::other("the disk does not write"));
        }
        state.files.entry(self.name.to_string()).or_default().resize(length, 0);
        state.notes.push((Arc::clone(&self.name), Change::Resize(length)));
        Ok(())
    }

    fn lock(&mut self, _: LockKind) -> io::Result<bool> {
        Ok(true)
    }

    fn reserved(&mut self) -> io::Result<bool> {
        Ok(false)
    }

    fn current_lock(&self) -> io::Result<LockKind> {
        Ok(LockKind::None)
    }

    fn wal_index(&self, _: bool) -> io::Result<WalDisabled> {
        Ok(WalDisabled)
    }
}
