//! What if the power fails, or the disk does?
//!
//! [`SimDisk`] is a disk in memory that knows which of its bytes and names have been synced. A test runs its script
//! once to count the mutating calls, and then again with a crash at each of them:
//!
//! ```
//! # use vdb_vfs::{Disk, File, Result, sim::SimDisk};
//! fn script(disk: &SimDisk) -> Result<()> {
//!     let file = disk.create("a")?;
//!     file.write_all_at(b"bytes", 0)?;
//!     file.sync_data()?;
//!     disk.sync_dir("")
//! }
//! let whole = SimDisk::new(0);
//! script(&whole)?;
//! for n in 0..whole.calls() {
//!     for seed in 0..8 {
//!         let disk = SimDisk::new(0);
//!         disk.crash_at(n);
//!         assert!(script(&disk).is_err());
//!         let after = disk.crash(seed);
//!         // Recover from `after`, and compare with what was acknowledged.
//!         assert!(after.list("")?.len() <= 1);
//!     }
//! }
//! # Ok::<(), vdb_vfs::Error>(())
//! ```
//!
//! | file | answers |
//! |---|---|
//! | `random.rs` | which choice does a seed stand for? |
//! | `content.rs` | which bytes of a file survive? |
//! | `names.rs` | which names survive? |
//! | `fault.rs` | which faults lie in wait? |
//! | `power.rs` | which call fails, and how? |
//! | `handle.rs` | what does an open file do with all that? |
//!
//! All choices follow from seeds, as long as calls come in the same order.

mod content;
mod fault;
mod handle;
mod names;
mod power;
mod random;

use std::fmt;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};

use self::content::SimFile;
use self::handle::SimHandle;
use self::names::Names;
use self::power::{Fate, Power, failed};
use crate::holder::Holder;
use crate::mem::{self, Locks, fail, shown};
use crate::tree::{Outcome, Step};
use crate::{Disk, Error, File, FileView, LockGuard, Result, path};

pub use self::fault::{Call, Fault};

/// A disk in memory that can crash and fail. Clones are handles to the same disk.
///
/// Calls that change the disk, syncs and locks included, are numbered from 0 in the order they come.
#[derive(Clone)]
pub struct SimDisk(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// Told when calls that wait may go on.
    healed: Condvar,
    locks: Locks,
}

struct State {
    power: Power,
    names: Names,
}

impl SimDisk {
    /// An empty disk. `seed` decides what failed syncs leave behind.
    pub fn new(seed: u64) -> Self {
        SimDisk::with(Names::new(), seed)
    }

    fn with(names: Names, seed: u64) -> Self {
        let state = State {
            power: Power::new(seed),
            names,
        };
        SimDisk(Arc::new(Inner {
            state: Mutex::new(state),
            healed: Condvar::new(),
            locks: Locks::default(),
        }))
    }

    /// How many mutating calls there have been.
    pub fn calls(&self) -> u64 {
        self.state().power.calls
    }

    /// How many calls there have been that change nothing.
    pub fn reads(&self) -> u64 {
        self.state().power.reads
    }

    /// How many of [`SimDisk::calls`] were syncs of a file or directory.
    pub fn syncs(&self) -> u64 {
        self.state().power.syncs
    }

    /// The power goes at mutating call `n`: that call takes effect as far as [`SimDisk::crash`] lets it, but returns
    /// an error, as does every call after it, reading ones too.
    pub fn crash_at(&self, n: u64) {
        self.state().power.crash_at = Some(n);
    }

    /// True when the power has gone.
    pub fn is_dead(&self) -> bool {
        self.state().power.dead
    }

    /// The disk as it is found when the power is back, if it went now. Of what was not synced, `seed` decides what is
    /// kept, lost, torn between sectors of 512 bytes or written in another order. This disk stays as it is.
    pub fn crash(&self, seed: u64) -> SimDisk {
        let mut random = random::Random::new(seed);
        SimDisk::with(self.state().names.crash(&mut random), seed)
    }

    /// The disk as another process finds it if this one died now and the machine did not: nothing is lost, not even
    /// what was not synced; locks are free, faults and counters are reset. This disk stays as it is.
    pub fn restart(&self) -> SimDisk {
        let state = self.state();
        SimDisk::with(state.names.copy(), state.power.seed())
    }

    /// Lays a fault in wait. Where several would hit a call, the one that came first does.
    pub fn inject(&self, fault: Fault) {
        self.state().power.faults.push(fault);
    }

    /// Ends all faults; calls that wait go on. What they have done stays done.
    pub fn heal(&self) {
        self.state().power.faults.clear();
        self.0.healed.notify_all();
    }

    /// Mutating call `n` fails as [`Fault::error`] says.
    pub fn fail_call(&self, n: u64) {
        self.inject(Fault::error().at(n..n + 1));
    }

    /// As [`SimDisk::fail_call`], with syncs of files and directories alone numbered from 0.
    pub fn fail_sync(&self, n: u64) {
        self.state().power.failing_syncs.insert(n);
    }

    /// Limits the lengths of all files together. A write that does not fit writes what does and then fails with
    /// [`Error::NoSpace`]. Holes count as data.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().power.capacity = bytes;
    }

    /// Lengths of all files together, in bytes; a file with several names counts once.
    pub fn used(&self) -> u64 {
        self.state().names.used()
    }

    /// Flips the bits of `mask` in the byte at `offset` of a file, on the medium and for readers.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such file or byte.
    pub fn flip_bits(&self, path: &str, offset: u64, mask: u8) -> Result<()> {
        let file = find_file(&self.state(), path, "flip bits")?;
        let at = mem::to_len(offset).map_err(|e| Error::io(shown(path), "flip bits", e))?;
        if file.0.lock().flip(at, mask) {
            Ok(())
        } else {
            Err(Error::NotFound { path: shown(path) })
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }

    /// Counts a call, having waited where the disk is slow, and says what becomes of it.
    fn enter(&self, call: Call, path: &str) -> Result<(MutexGuard<'_, State>, Fate)> {
        let mut state = self.state();
        while state.power.stalls(call, path) {
            self.0.healed.wait(&mut state);
        }
        let fate = state.power.enter(call, path)?;
        Ok((state, fate))
    }

    /// As `enter`, for a call that changes nothing: one that is not spared fails.
    fn look(&self, call: Call, path: &str) -> Result<MutexGuard<'_, State>> {
        match self.enter(call, path)? {
            (state, Fate::Passes | Fate::Short) => Ok(state),
            (_, fate) => Err(failed(path, call, fate)),
        }
    }

    /// Runs a call that changes names by steps.
    fn change_names<T>(
        &self,
        path: &str,
        call: Call,
        change: impl FnOnce(&mut State) -> Outcome<(T, Vec<Step<SimFile>>)>,
    ) -> Result<T> {
        let (mut state, fate) = self.enter(call, path)?;
        if !matches!(fate, Fate::Passes | Fate::Dies) {
            return Err(failed(path, call, fate));
        }
        let (value, steps) = change(&mut state).map_err(fail(path, call.op()))?;
        state.names.record(steps);
        if fate == Fate::Dies {
            Err(failed(path, call, fate))
        } else {
            Ok(value)
        }
    }
}

fn find_file(state: &State, path: &str, op: &'static str) -> Result<Arc<SimFile>> {
    state.names.live.find_file(path).map_err(fail(path, op))
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimDisk({} calls)", self.calls())
    }
}

impl Disk for SimDisk {
    fn create(&self, path: &str) -> Result<Box<dyn File>> {
        path::check(path)?;
        let file = self.change_names(path, Call::Create, |state| {
            let (file, step) = state.names.live.create(path, SimFile::default)?;
            file.0.lock().set_len(0);
            Ok((file, vec![step]))
        })?;
        Ok(Box::new(SimHandle {
            disk: self.clone(),
            file,
            path: path.to_owned(),
            write: true,
        }))
    }

    fn open(&self, path: &str, write: bool) -> Result<Box<dyn File>> {
        path::check(path)?;
        let state = self.look(Call::Open, path)?;
        let file = find_file(&state, path, Call::Open.op())?;
        drop(state);
        Ok(Box::new(SimHandle {
            disk: self.clone(),
            file,
            path: path.to_owned(),
            write,
        }))
    }

    fn map(&self, path: &str) -> Result<FileView> {
        path::check(path)?;
        let state = self.look(Call::Map, path)?;
        let file = find_file(&state, path, Call::Map.op())?;
        let bytes = Arc::clone(&file.0.lock().live);
        Ok(FileView::from_shared(bytes))
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        path::check_dir(dir)?;
        let state = self.look(Call::List, dir)?;
        state.names.live.list(dir).map_err(fail(dir, Call::List.op()))
    }

    fn exists(&self, path: &str) -> Result<bool> {
        path::check_dir(path)?;
        Ok(self.look(Call::LookUp, path)?.names.live.find(path).is_ok())
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        path::check(from)?;
        path::check(to)?;
        self.change_names(from, Call::Rename, |state| {
            Ok(((), vec![state.names.live.rename(from, to)?]))
        })
    }

    fn remove(&self, path: &str) -> Result<()> {
        path::check(path)?;
        self.change_names(path, Call::Remove, |state| {
            Ok(((), vec![state.names.live.remove(path)?]))
        })
    }

    fn create_dir_all(&self, dir: &str) -> Result<()> {
        path::check_dir(dir)?;
        self.change_names(dir, Call::CreateDir, |state| {
            Ok(((), state.names.live.create_dir_all(dir)?))
        })
    }

    fn remove_dir_all(&self, dir: &str) -> Result<()> {
        path::check(dir)?;
        self.change_names(dir, Call::RemoveDir, |state| {
            Ok(((), state.names.live.remove_dir_all(dir)?))
        })
    }

    fn sync_dir(&self, dir: &str) -> Result<()> {
        path::check_dir(dir)?;
        let call = Call::SyncDir;
        let (mut state, fate) = self.enter(call, dir)?;
        let state = &mut *state;
        let done = match fate {
            Fate::Passes => state.names.sync_dir(dir),
            Fate::Dies | Fate::Full | Fate::Short => Ok(()),
            Fate::Fails => state.names.fail_sync_dir(dir, &mut state.power.random),
        };
        done.map_err(fail(dir, call.op()))?;
        if fate == Fate::Passes {
            Ok(())
        } else {
            Err(failed(dir, call, fate))
        }
    }

    fn hard_link(&self, from: &str, to: &str) -> Result<()> {
        path::check(from)?;
        path::check(to)?;
        self.change_names(from, Call::Link, |state| {
            Ok(((), vec![state.names.live.hard_link(from, to)?]))
        })
    }

    fn lock(&self, path: &str) -> Result<LockGuard> {
        path::check(path)?;
        let file = self.change_names(path, Call::Lock, |state| {
            let (file, step) = state.names.live.create(path, SimFile::default)?;
            Ok((file, vec![step]))
        })?;
        let guard = self.0.locks.take(path)?;
        let mut content = file.0.lock();
        content.set_len(0);
        content.write(Holder::this_process().to_text().as_bytes(), 0);
        Ok(guard)
    }

    fn display(&self, path: &str) -> String {
        shown(path)
    }
}

#[cfg(test)]
mod tests;
