//! Faults that are laid in wait for calls: by kind, by path, by number, once or for good.

use std::ops::Range;

/// A kind of disk call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// [`Disk::create`](crate::Disk::create).
    Create,
    /// [`Disk::open`](crate::Disk::open).
    Open,
    /// [`Disk::map`](crate::Disk::map).
    Map,
    /// [`Disk::list`](crate::Disk::list).
    List,
    /// [`Disk::exists`](crate::Disk::exists) and [`File::len`](crate::File::len).
    LookUp,
    /// [`File::read_at`](crate::File::read_at).
    Read,
    /// [`File::write_all_at`](crate::File::write_all_at).
    Write,
    /// [`File::set_len`](crate::File::set_len).
    SetLen,
    /// [`File::allocate`](crate::File::allocate).
    Allocate,
    /// [`File::sync_data`](crate::File::sync_data) and [`File::sync_all`](crate::File::sync_all).
    Sync,
    /// [`Disk::sync_dir`](crate::Disk::sync_dir).
    SyncDir,
    /// [`Disk::rename`](crate::Disk::rename).
    Rename,
    /// [`Disk::hard_link`](crate::Disk::hard_link).
    Link,
    /// [`Disk::remove`](crate::Disk::remove).
    Remove,
    /// [`Disk::create_dir_all`](crate::Disk::create_dir_all).
    CreateDir,
    /// [`Disk::remove_dir_all`](crate::Disk::remove_dir_all).
    RemoveDir,
    /// [`Disk::lock`](crate::Disk::lock).
    Lock,
}

impl Call {
    /// What the call tries to do, for messages.
    pub(super) fn op(self) -> &'static str {
        match self {
            Call::Create => "create",
            Call::Open => "open",
            Call::Map => "map",
            Call::List => "list",
            Call::LookUp => "look up",
            Call::Read => "read",
            Call::Write => "write",
            Call::SetLen => "set the length",
            Call::Allocate => "allocate",
            Call::Sync => "sync",
            Call::SyncDir => "sync the directory",
            Call::Rename => "rename",
            Call::Link => "link",
            Call::Remove => "remove",
            Call::CreateDir => "create the directory",
            Call::RemoveDir => "remove the directory",
            Call::Lock => "lock",
        }
    }

    /// True for calls that change nothing.
    pub(super) fn reads(self) -> bool {
        matches!(
            self,
            Call::Open | Call::Map | Call::List | Call::LookUp | Call::Read
        )
    }

    /// True for calls that may need room that is not there.
    fn takes_room(self) -> bool {
        matches!(
            self,
            Call::Create
                | Call::Write
                | Call::SetLen
                | Call::Allocate
                | Call::Link
                | Call::CreateDir
                | Call::Lock
        )
    }
}

/// What a fault does to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Error,
    Full,
    Short,
    Stall,
}

/// Something that goes wrong with certain calls. By itself with all that change the disk, and for good.
///
/// ```
/// # use vdb_vfs::{Disk, sim::{Call, Fault, SimDisk}};
/// let disk = SimDisk::new(0);
/// // The second sync of a file of the log fails, once.
/// disk.inject(Fault::error().on(Call::Sync).under("wal").skip(1).once());
/// # disk.create("x")?;
/// # Ok::<(), vdb_vfs::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) effect: Effect,
    kind: Kind,
    under: Option<String>,
    numbers: Range<u64>,
    skip: u64,
    left: u64,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Changing,
    Reading,
    One(Call),
}

impl Fault {
    fn new(effect: Effect, kind: Kind) -> Self {
        Fault {
            effect,
            kind,
            under: None,
            numbers: 0..u64::MAX,
            skip: 0,
            left: u64::MAX,
        }
    }

    /// An I/O error. A write that fails has written its first half, a sync leaves unknown which data is durable and
    /// forgets about the rest; other calls have no effect.
    pub fn error() -> Self {
        Fault::new(Effect::Error, Kind::Changing)
    }

    /// The medium is full: nothing grows and nothing is created, what is there can be written over and removed.
    pub fn full() -> Self {
        Fault::new(Effect::Full, Kind::Changing)
    }

    /// A read gets half of what it asked for, as where a file has lost its end. (A write that comes too short is one
    /// that fails: [`Fault::error`].)
    pub fn short_reads() -> Self {
        Fault::new(Effect::Short, Kind::One(Call::Read))
    }

    /// The disk is slow: calls wait until [`SimDisk::heal`](super::SimDisk::heal).
    pub fn stall() -> Self {
        Fault::new(Effect::Stall, Kind::Changing)
    }

    /// Only calls of this kind.
    #[must_use]
    pub fn on(mut self, call: Call) -> Self {
        self.kind = Kind::One(call);
        self
    }

    /// Only calls that change nothing.
    #[must_use]
    pub fn on_reads(mut self) -> Self {
        self.kind = Kind::Reading;
        self
    }

    /// Only calls about paths that start so.
    #[must_use]
    pub fn under(mut self, path: &str) -> Self {
        self.under = Some(path.to_owned());
        self
    }

    /// Only calls with these numbers, as [`SimDisk::calls`](super::SimDisk::calls) counts them; for calls that change
    /// nothing, as [`SimDisk::reads`](super::SimDisk::reads) does.
    #[must_use]
    pub fn at(mut self, numbers: Range<u64>) -> Self {
        self.numbers = numbers;
        self
    }

    /// Spares the first `n` calls that it would hit.
    #[must_use]
    pub fn skip(mut self, n: u64) -> Self {
        self.skip = n;
        self
    }

    /// Is over with the first call that it hits.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.left = 1;
        self
    }

    /// Whether it hits a call, which has `number` among its like.
    pub(super) fn hits(&mut self, call: Call, path: &str, number: u64) -> bool {
        let kind = match self.kind {
            Kind::Changing => !call.reads(),
            Kind::Reading => call.reads(),
            Kind::One(one) => one == call,
        };
        let fits = kind
            && self.left > 0
            && self.numbers.contains(&number)
            && self.under.as_deref().is_none_or(|under| path.starts_with(under))
            && (self.effect != Effect::Full || call.takes_room());
        if !fits {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.left -= 1;
        true
    }
}
