//! An open file of a simulated disk.

use std::io;
use std::sync::Arc;

use super::SimDisk;
use super::content::{Content, SimFile};
use super::fault::Call;
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
    fn change(&self, call: Call, end: u64, change: impl FnOnce(&mut Content, usize, Fate)) -> Result<()> {
        let op = call.op();
        if !self.write {
            return Err(fail(&self.path, op)(io::ErrorKind::PermissionDenied));
        }
        let (state, fate) = self.disk.enter(call, &self.path)?;
        let end = mem::to_len(end).map_err(|e| Error::io(shown(&self.path), op, e))?;
        let len = self.file.0.lock().live.len();
        let room = match state.power.capacity {
            _ if fate == Fate::Full => len,
            Some(capacity) if end > len => {
                let free = capacity.saturating_sub(state.names.used());
                len.saturating_add(usize::try_from(free).unwrap_or(usize::MAX))
            }
            _ => usize::MAX,
        };
        change(&mut self.file.0.lock(), end.min(room), fate);
        match fate {
            Fate::Passes | Fate::Full | Fate::Short if end <= room => Ok(()),
            Fate::Passes | Fate::Full | Fate::Short => Err(failed(&self.path, call, Fate::Full)),
            Fate::Dies | Fate::Fails => Err(failed(&self.path, call, fate)),
        }
    }

    fn resize(&self, call: Call, len: u64, only_grow: bool) -> Result<()> {
        self.change(call, len, |content, end, fate| {
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
        let half = buf.len() / 2;
        let (_state, fate) = self.disk.enter(Call::Read, &self.path)?;
        let buf = match fate {
            Fate::Passes => buf,
            Fate::Short => &mut buf[..half],
            Fate::Dies | Fate::Fails | Fate::Full => return Err(failed(&self.path, Call::Read, fate)),
        };
        Ok(mem::read_at(&self.file.0.lock().live, buf, offset))
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> Result<()> {
        let end = offset.saturating_add(data.len() as u64);
        self.change(Call::Write, end, |content, end, fate| {
            // In range: the end, which is not before it, has passed the check.
            let start = offset as usize;
            let fits = data.len().min(end.saturating_sub(start));
            let n = if fate == Fate::Fails { fits / 2 } else { fits };
            content.write(&data[..n], start);
        })
    }

    fn len(&self) -> Result<u64> {
        let _state = self.disk.look(Call::LookUp, &self.path)?;
        Ok(self.file.0.lock().live.len() as u64)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.resize(Call::SetLen, len, false)
    }

    fn allocate(&self, len: u64) -> Result<()> {
        self.resize(Call::Allocate, len, true)
    }

    fn sync_data(&self) -> Result<()> {
        let (mut state, fate) = self.disk.enter(Call::Sync, &self.path)?;
        let mut content = self.file.0.lock();
        match fate {
            Fate::Passes => {
                content.sync();
                return Ok(());
            }
            Fate::Dies | Fate::Full | Fate::Short => {}
            Fate::Fails => content.fail_sync(&mut state.power.random),
        }
        Err(failed(&self.path, Call::Sync, fate))
    }

    fn sync_all(&self) -> Result<()> {
        self.sync_data()
    }
}
