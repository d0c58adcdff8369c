//! Reading one log file through a bounded window: headers, bodies, and the search for frames behind damage.
//!
//! Never modifies, never trusts: a frame that does not check out is `None`, not an error. Errors are the disk's own.

use vdb_vfs::{Disk, File};

use crate::error::Result;
use crate::format::{
    self, FILE_HEADER_BYTES, FRAME_ALIGN, FRAME_HEADER_BYTES, FileHeader, FrameHeader, HeaderFault,
};

const WINDOW_BYTES: usize = 256 << 10;
/// Looked at in one go where zeros are passed over.
static ZEROS: [u8; 1 << 10] = [0; 1 << 10];

/// A log file open for reading.
#[derive(Debug)]
pub(crate) struct Cursor {
    file: Box<dyn File>,
    len: u64,
    /// As long as any window of this file; made once, so that nothing is cleared only to be read over.
    buffer: Vec<u8>,
    /// So many bytes at the beginning of `buffer` are the file's, from `window_at` on.
    window_len: usize,
    window_at: u64,
}

impl Cursor {
    pub(crate) fn open(disk: &dyn Disk, path: &str) -> Result<Cursor> {
        let file = disk.open(path, false)?;
        let len = file.len()?;
        Ok(Cursor {
            file,
            len,
            buffer: Vec::new(),
            window_len: 0,
            window_at: 0,
        })
    }

    /// Length of the file when it was opened; bytes beyond are not looked at.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn file_header(&mut self) -> Result<Result<FileHeader, HeaderFault>> {
        Ok(FileHeader::decode(self.peek(0, FILE_HEADER_BYTES)?))
    }

    /// The frame header at `offset`, if there is a sound one of this salt (of any salt for `None`).
    pub(crate) fn frame_header(&mut self, offset: u64, salt: Option<u32>) -> Result<Option<FrameHeader>> {
        let found = FrameHeader::decode(self.peek(offset, FRAME_HEADER_BYTES)?, offset);
        Ok(found.filter(|header| salt.is_none_or(|salt| salt == header.salt)))
    }

    /// Like [`frame_header`](Self::frame_header), but reads the file again rather than the window: another process
    /// may have written since.
    pub(crate) fn frame_header_afresh(&mut self, offset: u64, salt: u32) -> Result<Option<FrameHeader>> {
        self.window_len = 0;
        self.frame_header(offset, Some(salt))
    }

    /// The first sound frame header of this salt (of any salt for `None`) at or after `from`.
    pub(crate) fn seek(&mut self, from: u64, salt: Option<u32>) -> Result<Option<(u64, FrameHeader)>> {
        let mut at = from.next_multiple_of(FRAME_ALIGN);
        loop {
            let window = self.peek(at, WINDOW_BYTES)?;
            if window.len() < FRAME_HEADER_BYTES {
                return Ok(None);
            }
            let starts = window.len() - FRAME_HEADER_BYTES + 1;
            for start in (0..starts).step_by(FRAME_ALIGN as usize) {
                let bytes = &window[start..];
                let tag = format::salt_tag(bytes);
                // The tag is a cheap test before the CRC; it needs a known salt.
                if salt.is_some() && tag != salt {
                    continue;
                }
                let offset = at + start as u64;
                if let Some(header) = FrameHeader::decode(bytes, offset) {
                    return Ok(Some((offset, header)));
                }
            }
            at += (starts as u64).next_multiple_of(FRAME_ALIGN);
        }
    }

    /// Reads the body of the frame at `offset` into `body`; false when it is not what was written.
    pub(crate) fn read_body(
        &mut self,
        offset: u64,
        header: &FrameHeader,
        body: &mut Vec<u8>,
    ) -> Result<bool> {
        let at = offset + FRAME_HEADER_BYTES as u64;
        // Bounded by the file before anything is allocated.
        if at + u64::from(header.body_len) > self.len {
            body.clear();
            return Ok(false);
        }
        let len = header.body_len as usize;
        let read = if len <= WINDOW_BYTES {
            body.clear();
            body.extend_from_slice(self.peek(at, len)?);
            body.len()
        } else {
            reserve_zeros(body, len);
            body.truncate(len);
            fill(&*self.file, body, at)?
        };
        Ok(read == len && crc32fast::hash(body) == header.body_crc)
    }

    /// True when the body of the frame at `offset` is what was written; holds no more than the window.
    pub(crate) fn check_body(&mut self, offset: u64, header: &FrameHeader) -> Result<bool> {
        let mut at = offset + FRAME_HEADER_BYTES as u64;
        let end = at + u64::from(header.body_len);
        if end > self.len {
            return Ok(false);
        }
        let mut crc = crc32fast::Hasher::new();
        while at < end {
            let want = (end - at).min(WINDOW_BYTES as u64) as usize;
            let bytes = self.peek(at, want)?;
            if bytes.is_empty() {
                return Ok(false);
            }
            crc.update(bytes);
            at += bytes.len() as u64;
        }
        Ok(crc.finalize() == header.body_crc)
    }

    /// The offset behind the last byte that is not zero, and at least `from`.
    pub(crate) fn written_end(&mut self, from: u64) -> Result<u64> {
        let mut end = from;
        let mut at = from;
        loop {
            let bytes = self.peek(at, WINDOW_BYTES)?;
            if bytes.is_empty() {
                return Ok(end);
            }
            match written(bytes) {
                0 => {}
                len => end = at + len as u64,
            }
            at += bytes.len() as u64;
        }
    }

    /// Up to `want` bytes at `offset`; fewer only at the end of the file. `want` is at most the window.
    pub(crate) fn peek(&mut self, offset: u64, want: usize) -> Result<&[u8]> {
        let want = want
            .min(WINDOW_BYTES)
            .min(usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX));
        let inside =
            offset >= self.window_at && offset + want as u64 <= self.window_at + self.window_len as u64;
        if !inside {
            let room = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
            let wanted = WINDOW_BYTES.min(room);
            reserve_zeros(&mut self.buffer, wanted);
            // Should reading fail, no later call must take stale bytes for the file's.
            self.window_len = 0;
            self.window_at = offset;
            self.window_len = fill(&*self.file, &mut self.buffer[..wanted], offset)?;
        }
        let start = usize::try_from(offset - self.window_at)
            .unwrap_or(usize::MAX)
            .min(self.window_len);
        let end = (start + want).min(self.window_len);
        Ok(&self.buffer[start..end])
    }
}

/// Makes a buffer that will be read into at least so long. What it held is lost where it was shorter: fresh zeros cost
/// nothing, and clearing bytes one by one is what most of opening a small log would consist of.
fn reserve_zeros(buffer: &mut Vec<u8>, len: usize) {
    if buffer.len() < len {
        *buffer = vec![0; len];
    }
}

/// The length without the zeros at the end.
fn written(bytes: &[u8]) -> usize {
    let mut end = bytes.len();
    while let Some(start) = end.checked_sub(ZEROS.len())
        && bytes[start..end] == ZEROS
    {
        end = start;
    }
    bytes[..end]
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
}

/// Reads until `buf` is full or the file ends.
fn fill(file: &dyn File, buf: &mut [u8], offset: u64) -> Result<usize> {
    let mut read = 0;
    while read < buf.len() {
        match file.read_at(&mut buf[read..], offset + read as u64)? {
            0 => break,
            n => read += n,
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests;
