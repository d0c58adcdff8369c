//! What the fuzz targets share: files that are sound, and ways to damage them.
//!
//! Random bytes rarely get past a checksum. So a target builds a sound file once, and the fuzzer's bytes say how to
//! damage it: as edits to the file, or as edits to what the checksums protect, sealed anew. The second is what only a
//! fault before the checksums were made, or somebody with bad intentions, can produce.

pub mod operations;
pub mod sources;

use vdb_vfs::frame::{FileKind, Frame, FrameWriter};
use vdb_vfs::{Disk, MemDisk};

/// The fuzzer's bytes, read from the front; zeros when they run out.
pub struct Input<'a>(pub &'a [u8]);

impl Input<'_> {
    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first
    }

    /// The next two bytes.
    pub fn short(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// The next eight bytes.
    pub fn long(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// Whether any bytes are left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Changes `bytes` as the next few bytes of input say.
    fn edit(&mut self, bytes: &mut Vec<u8>) {
        let at = usize::from(self.short()) % (bytes.len() + 1);
        match self.byte() % 6 {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, self.byte()),
            2 => {
                let value = self.long().to_le_bytes();
                bytes
                    .iter_mut()
                    .skip(at)
                    .zip(value)
                    .for_each(|(byte, new)| *byte = new);
            }
            3 => {
                // Neighbours of a number are where bounds are off by one.
                let by = self.byte();
                bytes
                    .iter_mut()
                    .skip(at)
                    .take(1)
                    .for_each(|byte| *byte = byte.wrapping_add(by));
            }
            4 => bytes
                .iter_mut()
                .skip(at)
                .take(usize::from(self.byte() % 16))
                .for_each(|byte| *byte = 0xff),
            _ => bytes.extend(self.0.iter().take(64).copied()),
        }
    }
}

/// The bytes of a file.
pub fn bytes_of(disk: &dyn Disk, path: &str) -> Vec<u8> {
    disk.map(path).map(|view| view.to_vec()).unwrap_or_default()
}

/// A disk in memory that holds one file.
pub fn disk_with(path: &str, bytes: &[u8]) -> MemDisk {
    let disk = MemDisk::new();
    put(&disk, path, bytes);
    disk
}

/// Makes `bytes` the file at `path`.
pub fn put(disk: &dyn Disk, path: &str, bytes: &[u8]) {
    disk.create(path).unwrap().write_all_at(bytes, 0).unwrap();
}

/// The sound file `bytes` damaged as `input` says.
pub fn damage(bytes: &[u8], input: &mut Input<'_>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    while !input.is_empty() {
        input.edit(&mut bytes);
    }
    bytes
}

/// The sound frame `bytes`, a file of its own, damaged as `input` says; in three cases of four its checksums hold.
pub fn damage_frame(bytes: &[u8], input: &mut Input<'_>) -> Vec<u8> {
    match input.byte() % 4 {
        0 if input.byte() % 2 == 0 => input.0.to_vec(),
        0 => damage(bytes, input),
        _ => reseal(bytes, input),
    }
}

/// Takes a frame apart, edits its parts, and writes them as a frame of the same kind.
fn reseal(bytes: &[u8], input: &mut Input<'_>) -> Vec<u8> {
    const PATH: &str = "file";
    let disk = disk_with(PATH, bytes);
    // Kinds belong to the crates that define them; the file at hand says which one it is (vfs/src/frame/format.rs).
    let magic = std::array::from_fn(|at| bytes[4 + at]);
    let version = u16::from_le_bytes([bytes[8], bytes[9]]);
    let kind = FileKind {
        magic,
        name: "fuzz",
        version,
    };
    let frame = Frame::open(&disk, PATH, kind, version..=version).expect("the sound file");
    let mut parts = vec![frame.meta().to_vec()];
    parts.extend((0..frame.sections()).map(|index| frame.section(index).expect("a sound section").to_vec()));
    while !input.is_empty() {
        let which = usize::from(input.byte()) % parts.len();
        input.edit(&mut parts[which]);
    }
    let mut writer = FrameWriter::create(&disk, PATH, kind, &parts[0]).unwrap();
    for part in &parts[1..] {
        writer.begin_section().unwrap();
        writer.write(part).unwrap();
    }
    writer.finish().unwrap();
    bytes_of(&disk, PATH)
}
