use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use roaring::RoaringBitmap;
use vdb_vfs::MemDisk;

use super::format::{KIND, Meta};
use super::*;
use crate::Error;
use crate::damage::{assert_found, forge};

const PATH: &str = "seg-00000007.tomb-1";

fn tombstones(rows: u32, deleted: impl IntoIterator<Item = u32>) -> Tombstones {
    Tombstones {
        segment_id: 7,
        rows,
        max_seq: 99,
        deleted: deleted.into_iter().collect(),
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(deleted in btree_set(0u32..200_000, 0..200), run in 0u32..5000) {
        let disk = MemDisk::new();
        let mut written = tombstones(300_000, deleted);
        written.deleted.insert_range(210_000..210_000 + run);
        let info = write(&disk, PATH, &written).unwrap();
        prop_assert_eq!(read(&disk, PATH).unwrap(), (written, info));
    }

    #[test]
    fn forged_files_are_read_without_panic(rows: u32, deleted in 0u32..9, bitmap in vec(any::<u8>(), 0..60), flip: u16) {
        let disk = MemDisk::new();
        let meta = Meta { segment_id: 7, rows, deleted, max_seq: 1 };
        forge(&disk, PATH, KIND, &meta, &[&bitmap]);
        prop_assert!(read(&disk, PATH).is_err());
        let mut real = Vec::new();
        let deleted: RoaringBitmap = (0..9).chain(70_000..75_000).collect();
        deleted.serialize_into(&mut real).unwrap();
        let at = usize::from(flip >> 3) % real.len();
        real[at] ^= 1 << (flip & 7);
        forge(&disk, PATH, KIND, &meta, &[&real]);
        let _ = read(&disk, PATH);
    }
}

#[test]
fn any_damage_is_found() {
    let disk = MemDisk::new();
    write(&disk, PATH, &tombstones(1000, [1, 5, 999])).unwrap();
    assert_found(&disk, PATH, |disk| read(disk, PATH).map(drop));
}

#[test]
fn a_row_that_the_segment_does_not_have_cannot_be_deleted() {
    let disk = MemDisk::new();
    assert!(matches!(
        write(&disk, PATH, &tombstones(5, [5])),
        Err(Error::Invalid { .. })
    ));
}
