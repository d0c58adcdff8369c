//! An open file of a simulated disk.

use std::io;
use std::sync::Arc;

use super::SimDisk;
use super::content::{Content, SimFile};
use super::power::{Fate, failed};
use crate::mem::{self, fail, shown};
use crate::{Error, File, Result};

#[derive(Debug)]
pub(super) struct SimHandle {
    pub(super) disk: SimDisk,
    pub(super) file: Arc<SimFile>,
    pub(super) path: String,
    pub(super) write: bool,
}

impl SimHandle {
    /// Runs a call that extends the file to `end`, with `change` told how far it may go and whether it is to fail.
    fn change(
        &self,
        op: &'static str,
        end: u64,
        change: impl FnOnce(&mut Content, usize, Fate),
    ) -> Result<()> {
        if !self.write {
            return Err(fail(&self.path, op)(io::ErrorKind::PermissionDenied));
        }
        let mut state = self.disk.state();
        let fate = state.power.enter(&self.path, op)?;
        let end = mem::to_len(end).map_err(|e| Error::io(shown(&self.path), op, e))?;
        let len = self.file.0.lock().live.len();
        let room = match state.power.capacity {
            Some(capacity) if end > len => {
                let free = capacity.saturating_sub(state.names.used());
                len.saturating_add(usize::try_from(free).unwrap_or(usize::MAX))
            }
            _ => usize::MAX,
        };
        change(&mut self.file.0.lock(), end.min(room), fate);
        match fate {
            Fate::Passes if end <= room => Ok(()),
            Fate::Passes => Err(Error::io(
                shown(&self.path),
                op,
                io::ErrorKind::StorageFull.into(),
            )),
            Fate::Dies | Fate::Fails => Err(failed(&self.path, op, fate)),
        }
    }

    fn resize(&self, op: &'static str, len: u64, only_grow: bool) -> Result<()> {
        self.change(op, len, |content, end, fate| {
            let refused = fate == Fate::Fails || (end as u64) < len;
            let needed = !only_grow || end > content.live.len();
            if needed && !refused {
                content.set_len(end);
            }
        })
    }
}

impl File for SimHandle {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        self.disk.check_alive(&self.path, "read")?;
        Ok(mem::read_at(&self.file.0.lock().live, buf, offset))
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> Result<()> {
        let end = offset.saturating_add(data.len() as u64);
        self.change("write", end, |content, end, fate| {
            // In range: the end, which is not before it, has passed the check.
            let start = offset as usize;
            let fits = data.len().min(end.saturating_sub(start));
            let n = if fate == Fate::Fails { fits / 2 } else { fits };
            content.write(&data[..n], start);
        })
    }

    fn len(&self) -> Result<u64> {
        self.disk.check_alive(&self.path, "look up")?;
        Ok(self.file.0.lock().live.len() as u64)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.resize("set the length", len, false)
    }

    fn allocate(&self, len: u64) -> Result<()> {
        self.resize("allocate", len, true)
    }

    fn sync_data(&self) -> Result<()> {
        let state = &mut *self.disk.state();
        let fate = state.power.enter_sync(&self.path, "sync")?;
        let mut content = self.file.0.lock();
        match fate {
            Fate::Passes => {
                content.sync();
                return Ok(());
            }
            Fate::Dies => {}
            Fate::Fails => content.fail_sync(&mut state.power.random),
        }
        Err(failed(&self.path, "sync", fate))
    }

    fn sync_all(&self) -> Result<()> {
        self.sync_data()
    }
}
