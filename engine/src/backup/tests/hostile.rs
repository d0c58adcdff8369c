//! Whatever is not exactly a snapshot is refused, and the database stays as it was.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use vdb_storage::Component;
use vdb_storage::manifest::{CollectionManifest, ManifestStore, NUMBER_END};
use vdb_vfs::{Disk, DynDisk, MemDisk};

use super::*;
use crate::backup::format::{INDEX, Index};
use crate::layout::is_manifest;

/// The database refuses what `source` has become, and stays as it was.
fn refuses(db: &Database, source: &Path, why: &str) {
    let before = (db.collections(), everything(&db.collection("words").unwrap()));
    for mode in [RestoreMode::New, RestoreMode::Replace] {
        let name = if mode == RestoreMode::New {
            "fresh"
        } else {
            "words"
        };
        let restored = db.restore_collection(source, name, mode, &Control::none());
        assert!(restored.is_err(), "{why}");
    }
    assert_eq!(
        (db.collections(), everything(&db.collection("words").unwrap())),
        before,
        "{why}"
    );
    assert!(no_staging(db), "{why}");
}

#[test]
fn a_directory_in_which_anything_is_changed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let db = quiet();
    let c = fill(&db, "words");
    let root = dir.path().join("snapshot");
    c.snapshot_to_dir(&root, &Control::none()).unwrap();
    let files = files_below(&root);
    assert!(files.len() >= 8, "{files:?}");
    let sound = verify_snapshot(&root, &Control::none()).unwrap();
    assert_eq!((sound.problems, sound.files), (Vec::new(), files.len() as u64));
    for path in &files {
        let sound = fs::read(path).unwrap();
        for at in [0, 9, 60, 64, sound.len() / 3, sound.len() / 2, sound.len() - 1] {
            let mut bytes = sound.clone();
            bytes[at] ^= 0x10;
            fs::write(path, bytes).unwrap();
            refuses(&db, &root, &format!("{} at {at}", path.display()));
            let report = verify_snapshot(&root, &Control::none()).unwrap();
            assert!(report.has_lost_data(), "{} at {at}", path.display());
        }
        fs::write(path, &sound[..sound.len() - 1]).unwrap();
        refuses(&db, &root, "cut");
        fs::write(path, [sound.as_slice(), b"x"].concat()).unwrap();
        refuses(&db, &root, "longer");
        fs::remove_file(path).unwrap();
        refuses(&db, &root, "missing");
        fs::write(path, sound).unwrap();
    }
    let payloads: Vec<_> = files
        .iter()
        .filter(|path| path.to_string_lossy().ends_with(".payload"))
        .collect();
    let swap = || {
        let aside = root.join("aside");
        fs::rename(payloads[0], &aside).unwrap();
        fs::rename(payloads[1], payloads[0]).unwrap();
        fs::rename(&aside, payloads[1]).unwrap();
    };
    swap();
    refuses(&db, &root, "two files in each other's place");
    swap();
    for stranger in [
        "extra",
        "collections/extra",
        "collections/00000001/seg-00000099.points",
    ] {
        fs::write(root.join(stranger), b"x").unwrap();
        refuses(&db, &root, stranger);
        fs::remove_file(root.join(stranger)).unwrap();
    }
    fs::create_dir(root.join("collections/00000001/d")).unwrap();
    refuses(&db, &root, "a directory");
    fs::remove_dir(root.join("collections/00000001/d")).unwrap();
    db.restore_collection(&root, "fresh", RestoreMode::New, &Control::none())
        .unwrap();
}

#[test]
fn an_index_that_was_made_to_fit_changed_files_does_not_help() {
    let dir = tempfile::tempdir().unwrap();
    let db = quiet();
    let c = fill(&db, "words");
    let root = dir.path().join("snapshot");
    c.snapshot_to_dir(&root, &Control::none()).unwrap();
    let index_path = root.join(INDEX);
    let index = || Index::decode(&fs::read(&index_path).unwrap(), "index").unwrap();
    let sound = index();
    for at in 0..sound.collections[0].files.len() {
        let mut forged = sound.clone();
        let entry = &mut forged.collections[0].files[at];
        let path = root.join("collections/00000001").join(&entry.name);
        let bytes = fs::read(&path).unwrap();
        let mut changed = bytes.clone();
        changed[bytes.len() / 2] ^= 1;
        entry.crc = crc32fast::hash(&changed);
        fs::write(&path, changed).unwrap();
        fs::write(&index_path, forged.encode().unwrap()).unwrap();
        refuses(&db, &root, &path.to_string_lossy());
        fs::write(&path, bytes).unwrap();
    }
    let forge = |change: &dyn Fn(&mut Index), why: &str| {
        let mut forged = sound.clone();
        change(&mut forged);
        fs::write(&index_path, forged.encode().unwrap()).unwrap();
        refuses(&db, &root, why);
    };
    for name in [
        "../x",
        "..",
        "/x",
        "",
        "x",
        "manifest-/../../x",
        "manifest-a",
        "seg-00000001.points/x",
        "snapshot",
    ] {
        forge(
            &|index| index.collections[0].files[0].name = name.to_owned(),
            name,
        );
    }
    forge(&|index| index.collections[0].files[0].len = u64::MAX, "a length");
    forge(
        &|index| {
            index.collections[0]
                .files
                .iter_mut()
                .for_each(|f| f.len = u64::MAX / 2)
        },
        "lengths",
    );
    forge(&|index| index.collections[0].files.truncate(3), "files left out");
    forge(&|index| index.collections[0].points += 1, "points");
    forge(&|index| index.collections[0].id = 2, "another number");
    forge(&|index| index.collections[0].id = 0, "number 0");
    forge(&|index| index.collections[0].name = "a/b".to_owned(), "a name");
    forge(
        &|index| index.collections[0].aliases = vec!["words".to_owned(); 2],
        "names twice",
    );
    forge(&|index| index.collections.clear(), "no collection");
    forge(
        &|index| index.collections.push(index.collections[0].clone()),
        "twice the same",
    );
    fs::write(&index_path, sound.encode().unwrap()).unwrap();
    db.restore_collection(&root, "fresh", RestoreMode::New, &Control::none())
        .unwrap();
}

#[test]
fn numbers_that_leave_none_to_go_on_from_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let db = quiet();
    let c = fill(&db, "words");
    let root = dir.path().join("snapshot");
    c.snapshot_to_dir(&root, &Control::none()).unwrap();
    let index = Index::decode(&fs::read(root.join(INDEX)).unwrap(), "index").unwrap();
    let names = index.collections[0].files.iter().map(|file| &file.name);
    let at = names.clone().position(|name| is_manifest(name)).unwrap();
    let name = index.collections[0].files[at].name.clone();
    let path = root.join("collections/00000001").join(&name);
    let sound = fs::read(&path).unwrap();
    let disk_with = |bytes: &[u8]| -> DynDisk {
        let disk = MemDisk::new();
        disk.create_dir_all("c").unwrap();
        if !bytes.is_empty() {
            let file = disk.create(&format!("c/{name}")).unwrap();
            file.write_all_at(bytes, 0).unwrap();
        }
        Arc::new(disk)
    };
    let forge = |change: &dyn Fn(&mut CollectionManifest)| {
        let mut manifest: CollectionManifest = ManifestStore::new(disk_with(&sound), "c")
            .load()
            .unwrap()
            .unwrap();
        change(&mut manifest);
        let disk = disk_with(&[]);
        ManifestStore::new(disk.clone(), "c").commit(&manifest).unwrap();
        let bytes = disk.map(&format!("c/{name}")).unwrap().to_vec();
        let mut forged = index.clone();
        let entry = &mut forged.collections[0].files[at];
        (entry.len, entry.crc) = (bytes.len() as u64, crc32fast::hash(&bytes));
        fs::write(&path, bytes).unwrap();
        fs::write(root.join(INDEX), forged.encode().unwrap()).unwrap();
    };
    type Change = fn(&mut CollectionManifest);
    let cases: [(&str, Change); 5] = [
        ("seq_floor", |m| m.seq_floor = NUMBER_END - 1),
        ("seq_floor", |m| m.seq_floor = NUMBER_END / 2 + 1),
        ("next_segment_id", |m| m.next_segment_id = NUMBER_END - 1),
        ("the schema (revision)", |m| m.schema.revision = u64::MAX),
        ("Tombstones of segment", |m| {
            let components = m.segments.iter_mut().flat_map(|segment| &mut segment.components);
            let dead = components.filter(|record| record.component() == Some(Component::Tombstones));
            dead.for_each(|record| record.revision = u32::MAX - 1);
        }),
    ];
    for (field, change) in cases {
        forge(&change);
        refuses(&db, &root, field);
        let refused = db.restore_collection(&root, "fresh", RestoreMode::New, &Control::none());
        let said = refused.unwrap_err().to_string();
        assert!(said.contains(field) && said.contains(&name), "{field}: {said}");
    }
    forge(&|manifest| {
        (manifest.seq_floor, manifest.next_segment_id) = (NUMBER_END / 2, NUMBER_END / 2);
    });
    let fresh = db
        .restore_collection(&root, "fresh", RestoreMode::New, &Control::none())
        .unwrap();
    fresh.upsert(points(0..3, 9)).unwrap();
    fresh.flush().unwrap();
}

#[test]
fn a_tar_file_in_which_any_byte_is_changed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let db = quiet();
    let c = db.create_collection("words", config()).unwrap();
    c.upsert(points(0..3, 0)).unwrap();
    let path = dir.path().join("snapshot.tar");
    c.snapshot_to_tar(&path, &Control::none()).unwrap();
    let sound = fs::read(&path).unwrap();
    // A header spells its checksum in octal, and one number has several spellings.
    let is_spelling = |at: usize| (148..156).contains(&(at % 512));
    for at in (0..sound.len()).step_by(7).filter(|&at| !is_spelling(at)) {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, bytes).unwrap();
        refuses(&db, &path, &format!("byte {at}"));
    }
    for len in (0..sound.len()).step_by(509) {
        fs::write(&path, &sound[..len]).unwrap();
        refuses(&db, &path, &format!("cut to {len}"));
    }
    fs::write(&path, &sound).unwrap();
    db.restore_collection(&path, "fresh", RestoreMode::New, &Control::none())
        .unwrap();
}

/// A sound tar file with one more entry in front.
fn with_entry(sound: &[u8], name: &[u8], kind: tar::EntryType, link: Option<&str>) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_mode(0o644);
    if let Some(link) = link {
        header.set_link_name(link).unwrap();
    }
    header.set_cksum();
    [header.as_bytes(), sound].concat()
}

#[test]
fn a_tar_file_cannot_lead_out_of_its_place() {
    use tar::EntryType;
    let dir = tempfile::tempdir().unwrap();
    let db = quiet();
    let c = fill(&db, "words");
    let path = dir.path().join("snapshot.tar");
    c.snapshot_to_tar(&path, &Control::none()).unwrap();
    let sound = fs::read(&path).unwrap();
    let plain = EntryType::Regular;
    let cases: [(&[u8], EntryType, Option<&str>); 14] = [
        (b"../escape", plain, None),
        (b"/tmp/escape", plain, None),
        (b"collections/../../escape", plain, None),
        (b"collections/./x", plain, None),
        (b"", plain, None),
        (b"a\\b", plain, None),
        (b"\xff\xfe", plain, None),
        (b"extra", plain, None),
        (b"snapshot", plain, None),
        (b"link", EntryType::Symlink, Some("/etc/passwd")),
        (b"link", EntryType::Link, Some("/etc/passwd")),
        (b"device", EntryType::Char, None),
        (b"pipe", EntryType::Fifo, None),
        (b"elsewhere", EntryType::Directory, None),
    ];
    for (name, kind, link) in cases {
        fs::write(&path, with_entry(&sound, name, kind, link)).unwrap();
        refuses(&db, &path, &format!("{} {kind:?}", name.escape_ascii()));
    }
    fs::write(&path, b"certainly not a snapshot").unwrap();
    refuses(&db, &path, "text");
    fs::write(&path, vec![0; 4096]).unwrap();
    refuses(&db, &path, "zeros");
    refuses(&db, &dir.path().join("nowhere"), "nothing");
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        1,
        "nothing was unpacked beside it"
    );
}
