use vdb_vfs::sim::SimDisk;

use super::*;
use crate::testing::*;

#[test]
fn what_is_written_ends_with_the_last_byte_that_is_not_zero() {
    let block = ZEROS.len();
    for len in [0, 1, block - 1, block, block + 1, 3 * block + 7] {
        let mut bytes = vec![0; len];
        assert_eq!(written(&bytes), 0, "of {len} zeros");
        let places = [
            0,
            1,
            block - 1,
            block,
            2 * block + 6,
            2 * block + 7,
            len.saturating_sub(1),
        ];
        for at in places.into_iter().filter(|at| *at < len) {
            bytes[at] = 1;
            assert_eq!(written(&bytes), at + 1, "of {len} bytes");
            bytes[at] = 0;
        }
    }
}

#[test]
fn bodies_longer_and_shorter_than_the_window_are_read_in_any_order() {
    let disk = SimDisk::new(1);
    let (wal, _) = open(&disk).unwrap();
    let lens = [
        10,
        WINDOW_BYTES + 10,
        1,
        2 * WINDOW_BYTES,
        WINDOW_BYTES,
        WINDOW_BYTES + 1,
        5,
    ];
    for len in lens {
        append_synced(&wal, len).unwrap();
    }
    let expected: Vec<_> = (1..).zip(lens).map(|(lsn, len)| record(lsn, len)).collect();
    assert!(
        read_sound(&disk.crash(1)) == expected,
        "what is read is what was written"
    );
}
