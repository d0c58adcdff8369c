//! One file: what the process sees, what the medium holds, and what is on its way.
//!
//! A page cache writes whole sectors back whenever it likes. So what the medium holds of a sector after a crash is
//! what the sector was after any one of the writes since the last sync, or at that sync; independently for each
//! sector, and for the length. Every write is recorded as the sectors it left behind, in full.

use std::sync::Arc;

use parking_lot::Mutex;
use vdb_sys::aligned::AlignedBuf;

use super::random::Random;
use crate::mem;

/// What the medium writes whole or not at all.
pub(super) const SECTOR: usize = 512;

#[derive(Debug, Default)]
pub(super) struct SimFile(pub(super) Mutex<Content>);

#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    /// Shared with views, and replaced rather than changed while it is.
    pub(super) live: Arc<AlignedBuf>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

/// An effect that the medium may not have yet.
#[derive(Clone, Debug)]
enum Pending {
    /// Whole sectors from the one with this number on.
    Sectors(usize, Vec<u8>),
    /// All sectors from this one on are gone.
    Cut(usize),
    Len(usize),
}

/// How much of the pending effects a crash leaves.
#[derive(Clone, Copy, Debug)]
enum Fate {
    All,
    None,
    /// Those before one point in time, and of the effect at that point some sectors.
    Until(usize),
    /// Each sector, and the length, as of a time of its own.
    Scattered,
}

impl Content {
    /// A file that was on the medium before the power came.
    pub(super) fn durable(bytes: Vec<u8>) -> Self {
        Content {
            live: Arc::new(AlignedBuf::from_slice(&bytes)),
            durable: bytes,
            pending: Vec::new(),
        }
    }

    /// Writes `data`; its end must have passed `mem::to_len`.
    pub(super) fn write(&mut self, data: &[u8], offset: usize) {
        let old = self.live.len();
        let live = Arc::make_mut(&mut self.live);
        let end = offset + data.len();
        if end > old && !data.is_empty() {
            mem::set_len(live, end);
        }
        if !data.is_empty() {
            live[offset..end].copy_from_slice(data);
            self.record(offset / SECTOR, end.div_ceil(SECTOR));
        }
        if self.live.len() != old {
            self.pending.push(Pending::Len(self.live.len()));
        }
    }

    pub(super) fn set_len(&mut self, len: usize) {
        let old = self.live.len();
        mem::set_len(Arc::make_mut(&mut self.live), len);
        if len < old {
            self.record(len / SECTOR, len.div_ceil(SECTOR));
            self.pending.push(Pending::Cut(len.div_ceil(SECTOR)));
        }
        if len != old {
            self.pending.push(Pending::Len(len));
        }
    }

    fn record(&mut self, first: usize, end: usize) {
        if first < end {
            let mut bytes = self.live[first * SECTOR..self.live.len().min(end * SECTOR)].to_vec();
            set_len(&mut bytes, (end - first) * SECTOR);
            self.pending.push(Pending::Sectors(first, bytes));
        }
    }

    pub(super) fn sync(&mut self) {
        let durable = std::mem::take(&mut self.durable);
        self.durable = self.image(durable, Fate::All, &mut Random::new(0));
        self.pending.clear();
    }

    /// A sync that failed: part of the data has reached the medium, and the system has forgotten that the rest has
    /// not, so that no later sync writes it. The process goes on seeing all of it.
    pub(super) fn fail_sync(&mut self, random: &mut Random) {
        let durable = std::mem::take(&mut self.durable);
        self.durable = self.image(durable, Fate::Scattered, random);
        self.pending.clear();
    }

    /// What the medium holds after a crash now.
    pub(super) fn crash(&self, random: &mut Random) -> Vec<u8> {
        let fate = match random.below(4) {
            0 => Fate::All,
            1 => Fate::None,
            2 => Fate::Until(random.below(self.pending.len())),
            _ => Fate::Scattered,
        };
        self.image(self.durable.clone(), fate, random)
    }

    /// Flips the bits of `mask` on the medium and in memory alike.
    pub(super) fn flip(&mut self, offset: usize, mask: u8) -> bool {
        if let Some(byte) = self.durable.get_mut(offset) {
            *byte ^= mask;
        }
        let live = Arc::make_mut(&mut self.live).get_mut(offset);
        live.map(|byte| *byte ^= mask).is_some()
    }

    /// The bytes on the medium, `image` to begin with, after the pending effects that `fate` lets through.
    fn image(&self, mut image: Vec<u8>, fate: Fate, random: &mut Random) -> Vec<u8> {
        let mut len = image.len();
        let count = self.pending.len();
        let len_until = match fate {
            Fate::All => count,
            Fate::None => 0,
            Fate::Until(n) => n + usize::from(random.coin()),
            Fate::Scattered => some_time(random, count),
        };
        let salt = random.next();
        let reaches = |time: usize, sector: usize| {
            // The same answer whenever the sector is asked for: each has one time up to which it was written.
            let mut random = Random::new(salt ^ sector as u64);
            match fate {
                Fate::All => true,
                Fate::None => false,
                Fate::Until(n) => time < n || (time == n && random.coin()),
                Fate::Scattered => time < some_time(&mut random, count),
            }
        };
        for (time, effect) in self.pending.iter().enumerate() {
            match effect {
                Pending::Sectors(first, bytes) => {
                    let reach = first * SECTOR + bytes.len();
                    if reach > image.len() {
                        set_len(&mut image, reach);
                    }
                    for (i, bytes) in bytes.chunks(SECTOR).enumerate() {
                        let sector = first + i;
                        if reaches(time, sector) {
                            image[sector * SECTOR..][..bytes.len()].copy_from_slice(bytes);
                        }
                    }
                }
                Pending::Cut(first) => {
                    for (i, old) in image.chunks_mut(SECTOR).enumerate().skip(*first) {
                        if reaches(time, i) {
                            old.fill(0);
                        }
                    }
                }
                Pending::Len(new) if time < len_until => len = *new,
                Pending::Len(_) => {}
            }
        }
        set_len(&mut image, len);
        image
    }
}

/// As `Vec::resize` with zeros, which goes byte by byte where it is not optimised, as in tests.
fn set_len(bytes: &mut Vec<u8>, len: usize) {
    match len.checked_sub(bytes.len()) {
        Some(more) => bytes.extend_from_slice(&vec![0; more]),
        None => bytes.truncate(len),
    }
}

/// A point among `count` effects; often one of the ends, which is where mistakes show.
fn some_time(random: &mut Random, count: usize) -> usize {
    match random.below(4) {
        0 => 0,
        1 => count,
        _ => random.below(count + 1),
    }
}
