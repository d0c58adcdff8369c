//! Streams a file of payloads out.

use vdb_vfs::Disk;
use vdb_vfs::frame::{FrameInfo, FrameWriter};

use super::format::{KIND, Meta};
use crate::{Error, Result, codec};

/// Writes the payloads of a segment, row by row. Keeps 8 bytes a row in memory.
#[derive(Debug)]
pub struct PayloadWriter {
    frame: FrameWriter,
    path: String,
    /// Where each payload starts, and where the next one will.
    offsets: Vec<u64>,
}

impl PayloadWriter {
    /// Creates the file at `path`, or truncates it.
    pub fn create(disk: &dyn Disk, path: &str) -> Result<Self> {
        let mut frame = FrameWriter::create(disk, path, KIND, &[])?;
        frame.begin_section()?;
        Ok(PayloadWriter {
            frame,
            path: disk.display(path),
            offsets: vec![0],
        })
    }

    /// Appends the payload of the next row, as [`encode_payload`](super::encode_payload) made it, and returns the
    /// number of the row. A row without payload has an empty one.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a row too many; those of the disk.
    pub fn push(&mut self, payload: &[u8]) -> Result<u32> {
        let row = u32::try_from(self.offsets.len() - 1).unwrap_or(u32::MAX);
        if row == u32::MAX {
            let reason = format!("more than {} payloads", u32::MAX);
            return Err(Error::Invalid {
                path: self.path.clone(),
                reason,
            });
        }
        self.frame.write(payload)?;
        self.offsets.push(self.frame.section_len());
        Ok(row)
    }

    /// Writes the rest and syncs the file. The caller syncs the directory.
    pub fn finish(mut self) -> Result<FrameInfo> {
        let rows = (self.offsets.len() - 1) as u32;
        self.frame.begin_section()?;
        self.frame.write(bytemuck::cast_slice(&self.offsets))?;
        self.frame.set_meta(&codec::encode(&Meta { rows })?)?;
        Ok(self.frame.finish()?)
    }
}
