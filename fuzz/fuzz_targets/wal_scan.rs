//! The log: whatever its files hold, it opens with a verdict, replays, salvages, verifies, and goes on writing.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use vdb_fuzz::{Input, bytes_of, damage, put};
use vdb_vfs::{Disk, DynDisk, MemDisk};
use vdb_wal::{Item, Replay, Wal, WalOptions, verify};

const DIR: &str = "wal";

/// A log of a few files, and the note of what it has let go.
static SOUND: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let disk = Arc::new(MemDisk::new());
    let (wal, _) = Wal::open(disk.clone(), DIR, options()).unwrap();
    for number in 0..24_u8 {
        let body = vec![number; usize::from(number) * 17];
        let lsn = wal
            .append(number, u32::from(number % 3), &[b"body", &body])
            .unwrap();
        if number % 5 == 0 {
            wal.sync(lsn).unwrap();
        }
    }
    assert!(wal.release(15).unwrap() > 0, "the first file is gone");
    drop(wal);
    let names = disk.list(DIR).unwrap();
    names
        .into_iter()
        .map(|name| format!("{DIR}/{name}"))
        .map(|path| (path.clone(), bytes_of(&*disk, &path)))
        .collect()
});

fn options() -> WalOptions {
    WalOptions { segment_bytes: 2048 }
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let disk: DynDisk = Arc::new(MemDisk::new());
    disk.create_dir_all(DIR).unwrap();
    let hit = usize::from(input.byte()) % SOUND.len();
    for (index, (path, sound)) in SOUND.iter().enumerate() {
        match index == hit {
            true if input.byte() % 8 == 0 => put(&*disk, path, input.0),
            true => put(&*disk, path, &damage(sound, &mut input)),
            false => put(&*disk, path, sound),
        }
    }
    let _ = verify(&disk, DIR);
    if let Ok(mut replay) = Replay::salvage(&disk, DIR) {
        while let Ok(Some(_)) = replay.next_item() {}
    }
    let Ok((wal, mut recovered)) = Wal::open(disk.clone(), DIR, options()) else {
        return;
    };
    let mut last = 0;
    while let Ok(Some(item)) = recovered.next_item() {
        if let Item::Frame(frame) = item {
            assert!(frame.lsn > last, "frames in order");
            last = frame.lsn;
        }
    }
    drop(recovered);
    // What is acknowledged from here on is there after the next opening.
    let Ok(lsn) = wal.append(1, 1, &[b"after"]) else {
        return;
    };
    if wal.sync(lsn).is_err() {
        return;
    }
    drop(wal);
    let (_wal, mut recovered) = Wal::open(disk, DIR, options()).expect("a log that was open before");
    let mut found = false;
    while let Ok(Some(item)) = recovered.next_item() {
        if let Item::Frame(frame) = item {
            found |= frame.lsn == lsn && frame.body == b"after";
        }
    }
    assert!(found, "the synced record {lsn} is lost");
});
