//! Reads a damaged frame: which of its bytes are still what was written?
//!
//! Every chunk is read and compared with its own checksum, so that damage costs the chunk it lies in and no other.
//! What leads to the chunks is made good where it can be:
//!
//! - A damaged prelude says nothing that does not follow from the length of the file and the table at its end, and
//!   its own checksum, in it or in a manifest, tells whether what follows is right.
//! - Where table or meta are damaged, the table is believed if its entries fit each other; meta is not.
//! - A damaged list of checksums costs only chunks whose own checksum in it is.

use std::ops::{Range, RangeInclusive};

use super::format::{
    CHUNK, ENTRY_LEN, FileKind, MAX_META, PRELUDE_LEN, Prelude, SECTION_ALIGN, SUM_LEN, Section,
    crc_in_prelude, decode_entries, decode_prelude, encode_prelude,
};
use super::reader::Reader;
use crate::{Disk, Error, FileView, Result};

/// A file as far as it can be read.
#[derive(Debug)]
pub struct Salvage {
    view: FileView,
    shown: String,
    sections: Vec<Section>,
    /// For each section, the ranges of its data that are lost, ascending.
    lost: Vec<Vec<Range<u64>>>,
    meta: Option<Vec<u8>>,
    faults: Vec<Error>,
}

impl Salvage {
    /// Reads all of the file at `path`, which should be of `kind` and of one of `versions` and have this many
    /// `sections`. `known` is the checksum of its prelude, where something else than the file says it.
    ///
    /// # Errors
    /// When the file is missing, of another version, or so damaged that it cannot be told what lies where in it.
    pub fn open(
        disk: &dyn Disk,
        path: &str,
        kind: FileKind,
        versions: RangeInclusive<u16>,
        sections: RangeInclusive<u32>,
        known: Option<u32>,
    ) -> Result<Salvage> {
        let file = disk.open(path, false)?;
        let len = file.len()?;
        let reader = Reader {
            file,
            shown: disk.display(path),
        };
        let mut faults = Vec::new();
        let mut head = [0; PRELUDE_LEN];
        let read = reader.fill(&mut head, 0);
        let prelude = read.and_then(|()| decode_prelude(&head, len, &reader.shown, kind, &versions));
        let prelude = match prelude {
            Ok(prelude) => prelude,
            Err(error @ Error::Version { .. }) => return Err(error),
            Err(error) => {
                let wanted = [known, Some(crc_in_prelude(&head))];
                let Some(found) = rebuild(&reader, len, kind, versions, sections, &wanted)? else {
                    return Err(error);
                };
                faults.push(error);
                found
            }
        };
        // Bounded by the limits on sections and meta, which `decode_prelude` and `rebuild` have checked.
        let mut footer = vec![0; (len - prelude.table) as usize];
        reader.fill(&mut footer, prelude.table)?;
        let is_sound = crc32fast::hash(&footer) == prelude.footer_crc;
        let table = decode_entries(&footer, &prelude, &reader.shown)?;
        if !is_sound {
            let what = "the checksum of table and meta does not fit".to_owned();
            faults.push(reader.corrupt(prelude.table, what));
        }
        let meta = footer.split_off(table.len() * ENTRY_LEN);
        let mut lost = Vec::with_capacity(table.len());
        for (index, section) in table.iter().enumerate() {
            lost.push(check(&reader, index, section, &mut faults));
        }
        Ok(Salvage {
            view: disk.map(path)?,
            shown: reader.shown,
            sections: table,
            lost,
            meta: is_sound.then_some(meta),
            faults,
        })
    }

    /// The meta that the writer was given; `None` when it is damaged.
    pub fn meta(&self) -> Option<&[u8]> {
        self.meta.as_deref()
    }

    /// Where the file lies, for messages to people.
    pub fn display(&self) -> &str {
        &self.shown
    }

    /// All that is wrong with the file.
    pub fn faults(&self) -> &[Error] {
        &self.faults
    }

    /// The first thing that is wrong with the data, for whoever cannot do without it.
    pub fn into_fault(self) -> Error {
        let behind_prelude =
            |fault: &Error| !matches!(fault, Error::Corrupt { offset, .. } if *offset < PRELUDE_LEN as u64);
        let at = self.faults.iter().position(behind_prelude).unwrap_or(0);
        self.faults.into_iter().nth(at).unwrap_or(Error::Corrupt {
            path: self.shown,
            offset: 0,
            what: "it is not what its reader expects".to_owned(),
        })
    }

    /// How many sections the file has.
    pub fn sections(&self) -> u32 {
        self.sections.len() as u32
    }

    /// Length of a section's data; 0 where there is none.
    pub fn len_of(&self, section: u32) -> u64 {
        self.sections.get(section as usize).map_or(0, |s| s.len)
    }

    /// True when all of a section is what was written.
    pub fn is_whole(&self, section: u32) -> bool {
        self.lost.get(section as usize).is_some_and(Vec::is_empty)
    }

    /// Bytes of a section; `None` when one of them is not what was written, or the section not so long.
    pub fn get(&self, section: u32, range: Range<u64>) -> Option<&[u8]> {
        let at = self.sections.get(section as usize)?;
        let lost = self.lost.get(section as usize)?;
        if range.start > range.end || range.end > at.len {
            return None;
        }
        // The first lost range that does not end before this one begins.
        let first = lost.partition_point(|lost| lost.end <= range.start);
        if lost.get(first).is_some_and(|lost| lost.start < range.end) {
            return None;
        }
        let start = usize::try_from(at.offset + range.start).ok()?;
        let end = usize::try_from(at.offset + range.end).ok()?;
        self.view.get(start..end)
    }
}

/// Compares the chunks of a section with their checksums. Returns the ranges that are lost.
fn check(reader: &Reader, index: usize, section: &Section, faults: &mut Vec<Error>) -> Vec<Range<u64>> {
    let mut lost: Vec<Range<u64>> = Vec::new();
    let mut lists = crc32fast::Hasher::new();
    let mut lists_read = true;
    let mut buf = Vec::new();
    let mut at = 0;
    let mut sum_at = section.sums;
    while at < section.len {
        let end = section.len.min(at + CHUNK as u64);
        let mut sum = [0; SUM_LEN as usize];
        let sum_read = reader.fill(&mut sum, sum_at);
        lists.update(&sum);
        lists_read &= sum_read.is_ok();
        let checked = sum_read
            .and_then(|()| reader.read_chunk(&mut buf, section.offset + at, section.offset + end))
            .and_then(|()| reader.compare(index, &buf, section.offset + at, sum));
        if let Err(error) = checked {
            faults.push(error);
            match lost.last_mut() {
                Some(last) if last.end == at => last.end = end,
                _ => lost.push(at..end),
            }
        }
        at = end;
        sum_at += SUM_LEN;
    }
    if lists_read && lists.finalize() != section.sums_crc {
        let what = format!("the checksums of section {index} are not those that the table names");
        faults.push(reader.corrupt(section.sums, what));
    }
    faults.extend(reader.check_padding(index, section, &mut buf).err());
    lost
}

/// The prelude that a file of this length must have had, if there is one whose checksum is among those `wanted`.
fn rebuild(
    reader: &Reader,
    len: u64,
    kind: FileKind,
    versions: RangeInclusive<u16>,
    sections: RangeInclusive<u32>,
    wanted: &[Option<u32>],
) -> Result<Option<Prelude>> {
    let room = len.saturating_sub(PRELUDE_LEN as u64);
    let most = u64::from(*sections.end()) * ENTRY_LEN as u64 + u64::from(MAX_META);
    let from = len - room.min(most);
    let mut end = vec![0; (len - from) as usize];
    reader.fill(&mut end, from)?;
    let first = (PRELUDE_LEN as u64).to_le_bytes();
    for at in (0..end.len()).rev() {
        let footer = end.get(at..).unwrap_or_default();
        // Every table begins with where its first section does, or is empty.
        if *sections.start() > 0 && !footer.starts_with(&first) {
            continue;
        }
        for count in sections.clone() {
            let Some(meta_len) = footer.len().checked_sub(count as usize * ENTRY_LEN) else {
                continue;
            };
            if meta_len > MAX_META as usize {
                continue;
            }
            for version in versions.clone() {
                let mut prelude = Prelude {
                    kind: kind.magic,
                    version,
                    sections: count,
                    file_len: len,
                    table: from + at as u64,
                    meta_len: meta_len as u32,
                    footer_crc: crc32fast::hash(footer),
                    crc: 0,
                };
                let (_, crc) = encode_prelude(&prelude);
                prelude.crc = crc;
                if wanted.contains(&Some(crc)) && decode_entries(footer, &prelude, &reader.shown).is_ok() {
                    return Ok(Some(prelude));
                }
            }
        }
    }
    Ok(None)
}

// Chunks begin at multiples of the alignment of sections, so that a number never lies in two of them.
const _: () = assert!((CHUNK as u64).is_multiple_of(SECTION_ALIGN));

#[cfg(test)]
mod tests;
