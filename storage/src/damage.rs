//! Damages the files of a test in every way that matters, and watches what reading them does.

use std::fmt::Debug;

use vdb_vfs::frame::{FileKind, FrameWriter};
use vdb_vfs::{Disk, MemDisk};

use crate::{Result, codec};

/// The bytes of a file.
pub(crate) fn bytes(disk: &dyn Disk, path: &str) -> Vec<u8> {
    disk.map(path).unwrap().to_vec()
}

/// Makes `bytes` a file.
pub(crate) fn put(disk: &dyn Disk, path: &str, bytes: &[u8]) {
    disk.create(path).unwrap().write_all_at(bytes, 0).unwrap();
}

/// `read` opens the file at `path`, looks at all of it, and verifies it. With any one bit flipped and with any number
/// of bytes cut off or added it must report corruption, and with none of that nothing.
pub(crate) fn assert_found(disk: &dyn Disk, path: &str, read: impl Fn(&dyn Disk) -> Result<()>) {
    let mut damaged = bytes(disk, path);
    let copy = MemDisk::new();
    let check = |bytes: &[u8], what: String| {
        put(&copy, path, bytes);
        let error = read(&copy).expect_err(&what);
        assert!(error.is_corruption(), "{what}: {error}");
        assert!(
            error.to_string().contains(vdb_vfs::path::split(path).1),
            "{what} does not name the file: {error}"
        );
    };
    put(&copy, path, &damaged);
    read(&copy).unwrap();
    for at in 0..damaged.len() {
        check(&damaged[..at], format!("cut to {at} bytes"));
        for bit in [at % 8, (at / 8 + 3) % 8] {
            damaged[at] ^= 1 << bit;
            check(&damaged, format!("bit {bit} of byte {at} flipped"));
            damaged[at] ^= 1 << bit;
        }
    }
    damaged.push(0);
    check(&damaged, "a byte added".to_owned());
}

/// With any one bit of the file at `path` flipped, `read` gives what it gives of the sound one, or reports corruption.
pub(crate) fn assert_same_or_found<T: PartialEq + Debug>(
    disk: &dyn Disk,
    path: &str,
    read: impl Fn(&dyn Disk) -> Result<T>,
) {
    let (sound, mut damaged) = (read(disk).unwrap(), bytes(disk, path));
    let copy = MemDisk::new();
    let mut found = 0;
    for at in 0..damaged.len() {
        for bit in [at % 8, (at / 8 + 3) % 8] {
            damaged[at] ^= 1 << bit;
            put(&copy, path, &damaged);
            match read(&copy) {
                Ok(now) => assert_eq!(now, sound, "bit {bit} of byte {at} flipped"),
                Err(error) => {
                    assert!(error.is_corruption(), "bit {bit} of byte {at}: {error}");
                    found += 1;
                }
            }
            damaged[at] ^= 1 << bit;
        }
    }
    assert!(found > 0);
}

/// A well-formed frame with whatever meta and sections: what only damage before the checksums were made, or somebody
/// with bad intentions, can produce.
pub(crate) fn forge<T: bincode::Encode>(
    disk: &dyn Disk,
    path: &str,
    kind: FileKind,
    meta: &T,
    sections: &[&[u8]],
) {
    let mut frame = FrameWriter::create(disk, path, kind, &codec::encode(meta).unwrap()).unwrap();
    for section in sections {
        frame.begin_section().unwrap();
        frame.write(section).unwrap();
    }
    frame.finish().unwrap();
}
