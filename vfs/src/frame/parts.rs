//! Compares parts of an open file with their checksums, each chunk once.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::format::{CHUNK, SUM_LEN, Section, sums_len};
use super::reader::{Frame, difference};
use crate::Result;

/// Bits of a word of [`SoundChunks`].
const WORD: u64 = u64::BITS as u64;

/// Which chunks of one section of an open file have been found to be what was written: a bit each, once there is one.
#[derive(Debug, Default)]
pub struct SoundChunks(OnceLock<Box<[AtomicU64]>>);

impl Frame {
    /// Compares the chunks that hold a part of section `index` with their checksums, as the mapping has them, but for those that
    /// are known to be sound. For whoever writes that part into another file, whose checksums would hide the damage: reads up
    /// to [`CHUNK`] bytes for each chunk that is met for the first time, and next to nothing later.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::Error::Corrupt) for the first chunk that is damaged, and where the section has no such part.
    pub fn check_part(&self, index: u32, part: Range<u64>, sound: &SoundChunks) -> Result<()> {
        let Some(section) = self.sections.get(index as usize) else {
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
        let known = match sound.0.get() {
            Some(known) => known,
            None => {
                self.check_sums(index, section)?;
                let words = (sums_len(section.len) / SUM_LEN).div_ceil(WORD);
                sound
                    .0
                    .get_or_init(|| (0..words).map(|_| AtomicU64::new(0)).collect())
            }
        };
        for chunk in part.start / CHUNK as u64..part.end.div_ceil(CHUNK as u64) {
            let bit = 1 << (chunk % WORD);
            let word = known.get((chunk / WORD) as usize);
            // The bytes never change: nothing else has to be seen with the bit.
            if word.is_some_and(|word| word.load(Ordering::Relaxed) & bit != 0) {
                continue;
            }
            self.check_chunk(index, section, chunk)?;
            if let Some(word) = word {
                word.fetch_or(bit, Ordering::Relaxed);
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
        let crc = crc32fast::hash(sums);
        if crc == section.sums_crc {
            return Ok(());
        }
        let what = format!(
            "checksums of section {index} give {crc:08x}, expected {:08x}",
            section.sums_crc
        );
        Err(self.corrupt(section.sums, what))
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
