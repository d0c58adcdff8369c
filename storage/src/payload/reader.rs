//! Finds the payload of a row.

use vdb_vfs::frame::{Frame, FrameInfo};
use vdb_vfs::{Disk, FileSlice};

use super::format::{BLOBS, KIND, Meta, OFFSETS, VERSIONS};
use super::value::ObjectRef;
use crate::section::{self, Array};
use crate::{Error, Result, ValueError};

/// An open file of payloads.
#[derive(Debug)]
pub struct PayloadReader {
    frame: Frame,
    meta: Meta,
    blobs: FileSlice,
    offsets: Array<u64>,
}

impl PayloadReader {
    /// Maps the file at `path`, in time independent of its size.
    pub fn open(disk: &dyn Disk, path: &str) -> Result<Self> {
        let frame = Frame::open(disk, path, KIND, VERSIONS)?;
        let meta: Meta = section::meta(&frame)?;
        let blobs = frame.section(BLOBS)?;
        let offsets = Array::open(&frame, OFFSETS, u64::from(meta.rows) + 1)?;
        Ok(PayloadReader {
            frame,
            meta,
            blobs,
            offsets,
        })
    }

    /// Length and checksum of the file, as its writer returned them.
    pub fn info(&self) -> FrameInfo {
        self.frame.info()
    }

    /// How many rows there are.
    pub fn len(&self) -> u32 {
        self.meta.rows
    }

    /// True when there are no rows.
    pub fn is_empty(&self) -> bool {
        self.meta.rows == 0
    }

    /// The encoded payload of a row; empty where the row has none.
    ///
    /// # Errors
    /// [`Error::NoSuchRow`], and corruption where the file does not say where the payload is.
    pub fn get(&self, row: u32) -> Result<&[u8]> {
        let Some(&[start, end]) = self
            .offsets
            .get(row as usize..)
            .and_then(|offsets| offsets.first_chunk())
        else {
            let path = self.frame.display().to_owned();
            return Err(Error::NoSuchRow {
                path,
                row,
                rows: self.meta.rows,
            });
        };
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        range
            .and_then(|(start, end)| self.blobs.get(start..end))
            .ok_or_else(|| {
                let what = format!(
                    "payload of row {row} at {start} to {end} of {} bytes",
                    self.blobs.len()
                );
                self.frame
                    .corrupt_section(OFFSETS, u64::from(row) * 8, what)
                    .into()
            })
    }

    /// As [`get`](Self::get), compared with its checksums and found to be a payload: for whoever makes another one of it. Reads
    /// each chunk that it touches once while the file is open.
    ///
    /// # Errors
    /// As [`get`](Self::get), and damage to the payload or what lies near it.
    pub fn checked(&self, row: u32) -> Result<&[u8]> {
        if row < self.meta.rows {
            let offsets = section::number_and_next(row);
            self.frame.check_part(OFFSETS, offsets)?;
        }
        let payload = self.get(row)?;
        let start = self.offsets.get(row as usize).copied().unwrap_or_default();
        let bytes = start..start + payload.len() as u64;
        self.frame.check_part(BLOBS, bytes)?;
        self.object(row)?
            .check()
            .map_err(|error| self.damaged(row, error))?;
        Ok(payload)
    }

    /// The payload of a row, to be walked.
    ///
    /// # Errors
    /// As [`PayloadReader::get`]. Damage that shows only while walking is a [`ValueError`], which
    /// [`PayloadReader::damaged`] turns into an error that names the file.
    pub fn object(&self, row: u32) -> Result<ObjectRef<'_>> {
        ObjectRef::from_payload(self.get(row)?).map_err(|error| self.damaged(row, error))
    }

    /// The error that says where the payload lies whose walk has ended in `error`.
    pub fn damaged(&self, row: u32, error: ValueError) -> Error {
        let start = self.offsets.get(row as usize).copied().unwrap_or_default();
        self.frame
            .corrupt_section(BLOBS, start, format!("payload of row {row}: {error}"))
            .into()
    }

    /// Reads the whole file and checks every byte, and that every payload can be walked.
    ///
    /// # Errors
    /// The first damage, and those of the disk.
    pub fn verify(&self, disk: &dyn Disk) -> Result<()> {
        self.frame.verify(disk)?;
        let mut expected = 0;
        for (row, &start) in self.offsets.iter().enumerate() {
            // The first starts at 0; that all others start where one ends follows from `get` and from the last.
            if start < expected || (row == 0 && start != 0) {
                let what = format!("payload {row} starts at {start}, expected {expected}");
                return Err(self.frame.corrupt_section(OFFSETS, row as u64 * 8, what).into());
            }
            expected = start;
        }
        if expected != self.blobs.len() as u64 {
            let what = format!("payloads end at {expected}, expected {}", self.blobs.len());
            return Err(self
                .frame
                .corrupt_section(OFFSETS, u64::from(self.meta.rows) * 8, what)
                .into());
        }
        for row in 0..self.meta.rows {
            self.object(row)?
                .check()
                .map_err(|error| self.damaged(row, error))?;
        }
        Ok(())
    }
}
