//! Compares parts of an open file with their checksums, each chunk once.

use std::ops::Range;

use super::format::{CHUNK, SUM_LEN, Section};
use super::reader::{Frame, difference, sums_difference};
use crate::Result;

impl Frame {
    /// Compares the chunks that hold a part of section `index` with their checksums, as the mapping has them, but for those that
    /// are known to be sound. For whoever writes that part into another file, whose checksums would hide the damage: reads up
    /// to [`CHUNK`] bytes for each chunk that is met for the first time while the file is open, and next to nothing later.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::Error::Corrupt) for the first chunk that is damaged, and where the section has no such part.
    pub fn check_part(&self, index: u32, part: Range<u64>) -> Result<()> {
        let found = self.sections.get(index as usize);
        let Some((section, sound)) = found.zip(self.sound.get(index as usize)) else {
            return self.section(index).map(drop);
        };
        if part.is_empty() {
            return Ok(());
        }
        if part.end > section.len {
            let what = format!(
                "bytes {} to {} of section {index}, which has {}",
                part.start, part.end, section.len
            );
            return Err(self.corrupt_section(index, 0, what));
        }
        if !sound.has_begun() {
            self.check_sums(index, section)?;
            sound.begin(section.sums_len() / SUM_LEN);
        }
        for chunk in part.start / CHUNK as u64..part.end.div_ceil(CHUNK as u64) {
            if !sound.has(chunk) {
                self.check_chunk(index, section, chunk)?;
                sound.note(chunk);
            }
        }
        Ok(())
    }

    /// Bytes that lie within the file, as opening it has found.
    fn bytes(&self, at: u64, len: u64) -> &[u8] {
        self.view.get(at as usize..(at + len) as usize).unwrap_or(&[])
    }

    /// Checks the list of checksums itself: otherwise its damage would pass for damage of the data.
    fn check_sums(&self, index: u32, section: &Section) -> Result<()> {
        let sums = self.bytes(section.sums, section.sums_len());
        match sums_difference(index as usize, section, crc32fast::hash(sums)) {
            None => Ok(()),
            Some(what) => Err(self.corrupt(section.sums, what)),
        }
    }

    fn check_chunk(&self, index: u32, section: &Section, chunk: u64) -> Result<()> {
        let at = chunk * CHUNK as u64;
        let data = self.bytes(section.offset + at, (section.len - at).min(CHUNK as u64));
        let sum = self.bytes(section.sums + chunk * SUM_LEN, SUM_LEN);
        let sum = sum.first_chunk().copied().unwrap_or_default();
        match difference(index as usize, data, sum) {
            None => Ok(()),
            Some(what) => Err(self.corrupt_section(index, at, what)),
        }
    }
}
