//! Up to where was the log released? Without knowing, an oldest file that got lost would look like one let go.

use vdb_vfs::Disk;

use crate::Lsn;
use crate::error::{Error, Result};
use crate::format::{self, RELEASED_NAME, RELEASED_SLOT_BYTES, RELEASED_SLOTS};
use crate::segment::Failure;

/// What the log's directory says about releases.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Released {
    /// Records up to this one may be gone.
    pub(crate) lsn: Lsn,
    /// The slot that is written next: not the one that counts.
    slot: usize,
    /// That slot cannot be read. It is made anew by the next note.
    pub(crate) damaged: bool,
    /// The note is on the medium. One that was read may have been left in the system's memory by a process that was
    /// killed, or saw its sync fail.
    durable: bool,
}

impl Released {
    /// What is noted; nothing where there is no note. Both slots damaged is [`Error::Corrupt`].
    pub(crate) fn read(disk: &dyn Disk, dir: &str) -> Result<Released> {
        let path = format::path_in(dir, RELEASED_NAME);
        let file = match disk.open(&path, false) {
            Err(vdb_vfs::Error::NotFound { .. }) => return Ok(Released::default()),
            file => file?,
        };
        let mut found = Vec::with_capacity(RELEASED_SLOTS);
        for slot in 0..RELEASED_SLOTS {
            // What is not there yet reads as zeros.
            let mut bytes = [0; RELEASED_SLOT_BYTES];
            file.read_at(&mut bytes, (slot * RELEASED_SLOT_BYTES) as u64)?;
            found.extend(format::decode_released(&bytes).map(|lsn| (lsn, slot)));
        }
        let damaged = found.len() < RELEASED_SLOTS;
        let Some((lsn, slot)) = found.into_iter().max() else {
            return Err(Error::Corrupt {
                path: disk.display(&path),
                offset: 0,
                what: "up to where the log was released cannot be read".to_owned(),
            });
        };
        Ok(Released {
            lsn,
            slot: (slot + 1) % RELEASED_SLOTS,
            damaged,
            durable: false,
        })
    }

    /// Makes room for the notes to come, since on a full disk there would be none. The caller syncs the directory.
    pub(crate) fn create(disk: &dyn Disk, dir: &str) -> vdb_vfs::Result<Released> {
        let file = disk.create(&format::path_in(dir, RELEASED_NAME))?;
        file.write_all_at(&[0; RELEASED_SLOTS * RELEASED_SLOT_BYTES], 0)?;
        file.sync_all()?;
        Ok(Released::default())
    }

    /// Sees to it that it is noted, durably, that records up to `lsn` are about to go.
    pub(crate) fn ensure(&mut self, disk: &dyn Disk, dir: &str, lsn: Lsn) -> Result<(), Failure> {
        if self.durable && self.lsn >= lsn {
            return Ok(());
        }
        self.note(disk, dir, lsn.max(self.lsn))
    }

    fn note(&mut self, disk: &dyn Disk, dir: &str, lsn: Lsn) -> Result<(), Failure> {
        let refused = |error: vdb_vfs::Error| Failure::Refused(error.into());
        let broken = |error: vdb_vfs::Error| Failure::Broken(error.into());
        let path = format::path_in(dir, RELEASED_NAME);
        if !disk.exists(&path).map_err(refused)? {
            Released::create(disk, dir).map_err(refused)?;
            disk.sync_dir(dir).map_err(broken)?;
        }
        let file = disk.open(&path, true).map_err(refused)?;
        let at = (self.slot * RELEASED_SLOT_BYTES) as u64;
        file.write_all_at(&format::encode_released(lsn), at)
            .map_err(refused)?;
        file.sync_all().map_err(broken)?;
        *self = Released {
            lsn,
            slot: (self.slot + 1) % RELEASED_SLOTS,
            damaged: false,
            durable: true,
        };
        Ok(())
    }
}
