//! Random calls must have the same outcome on the real disk and on those in memory.

use proptest::prelude::*;

use super::*;
use crate::sim::SimDisk;
use crate::{Error, MemDisk, OsDisk};

#[derive(Clone, Debug)]
enum Call {
    Create(String),
    Write(String, u64, Vec<u8>),
    SetLen(String, u64),
    Allocate(String, u64),
    Rename(String, String),
    HardLink(String, String),
    Remove(String),
    CreateDirAll(String),
    RemoveDirAll(String),
    Sync(String),
    Exists(String),
    List(String),
}

/// Few names, so that calls meet.
fn a_path() -> impl Strategy<Value = String> {
    let name = || prop_oneof![Just("a"), Just("b"), Just("c")];
    proptest::collection::vec(name(), 1..4).prop_map(|names| names.join("/"))
}

fn a_call() -> impl Strategy<Value = Call> {
    let data = (any::<u8>(), 0..2000usize).prop_map(|(byte, len)| vec![byte; len]);
    prop_oneof![
        3 => a_path().prop_map(Call::Create),
        3 => (a_path(), 0..3000u64, data).prop_map(|(path, at, data)| Call::Write(path, at, data)),
        1 => (a_path(), 0..3000u64).prop_map(|(path, len)| Call::SetLen(path, len)),
        1 => (a_path(), 0..3000u64).prop_map(|(path, len)| Call::Allocate(path, len)),
        3 => (a_path(), a_path()).prop_map(|(from, to)| Call::Rename(from, to)),
        2 => (a_path(), a_path()).prop_map(|(from, to)| Call::HardLink(from, to)),
        1 => a_path().prop_map(Call::Remove),
        3 => a_path().prop_map(Call::CreateDirAll),
        1 => a_path().prop_map(Call::RemoveDirAll),
        1 => a_path().prop_map(Call::Sync),
        1 => a_path().prop_map(Call::Exists),
        1 => a_path().prop_map(Call::List),
    ]
}

fn make(disk: &dyn Disk, call: &Call) -> Result<()> {
    match call {
        Call::Create(path) => disk.create(path).map(drop),
        Call::Write(path, at, data) => disk.open(path, true)?.write_all_at(data, *at),
        Call::SetLen(path, len) => disk.open(path, true)?.set_len(*len),
        Call::Allocate(path, len) => disk.open(path, true)?.allocate(*len),
        Call::Rename(from, to) => disk.rename(from, to),
        Call::HardLink(from, to) => disk.hard_link(from, to),
        Call::Remove(path) => disk.remove(path),
        Call::CreateDirAll(path) => disk.create_dir_all(path),
        Call::RemoveDirAll(path) => disk.remove_dir_all(path),
        Call::Sync(path) => disk.sync_dir(path),
        Call::Exists(path) if disk.exists(path)? => Ok(()),
        Call::Exists(path) => Err(Error::NotFound { path: path.clone() }),
        Call::List(path) => disk.list(path).map(drop),
    }
}

/// What callers can tell apart. Of two paths both may be at fault, and which one a system names is its own affair.
fn sort(call: &Call, outcome: &Result<()>) -> &'static str {
    let two_paths = matches!(call, Call::Rename(..) | Call::HardLink(..));
    match outcome {
        Ok(()) => "ok",
        Err(Error::NotFound { .. }) if !two_paths => "not found",
        Err(_) => "error",
    }
}

/// Every file with its bytes, every directory, by path.
fn contents(disk: &dyn Disk, dir: &str, out: &mut Vec<(String, Option<Vec<u8>>)>) {
    for name in disk.list(dir).unwrap() {
        let path = crate::path::join(dir, &name);
        match disk.map(&path) {
            Ok(view) => out.push((path, Some(view.to_vec()))),
            Err(_) => {
                out.push((path.clone(), None));
                contents(disk, &path, out);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn disks_in_memory_do_what_the_real_disk_does(calls in proptest::collection::vec(a_call(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let real = OsDisk::open(dir.path(), false).unwrap();
        let others: [&dyn Disk; 2] = [&MemDisk::new(), &SimDisk::new(0)];
        for call in &calls {
            let wanted = make(&real, call);
            for disk in others {
                let found = make(disk, call);
                prop_assert_eq!(sort(call, &found), sort(call, &wanted), "{:?}: {:?}, {:?}", call, found, wanted);
            }
        }
        let mut wanted = Vec::new();
        contents(&real, "", &mut wanted);
        for disk in others {
            let mut found = Vec::new();
            contents(disk, "", &mut found);
            prop_assert_eq!(&found, &wanted);
        }
    }
}
