use super::*;

#[test]
fn paths_are_what_follows_five_fields_whatever_is_in_them() {
    let maps = "7f0000000000-7f0000001000 r--p 00000000 fe:00 1234                       /data/a b/vectors\n\
                7f0000002000-7f0000003000 rw-p 00000000 00:00 0 \n\
                7f0000004000-7f0000005000 rw-p 00000000 00:00 0                          [heap]\n\
                7f0000006000-7f0000007000 r--p 00001000 fe:00 1234                       /data/a b/vectors\n";
    let expected: Vec<PathBuf> = vec!["/data/a b/vectors".into()];
    assert_eq!(paths(maps).into_iter().collect::<Vec<_>>(), expected);
}

#[test]
#[cfg(target_os = "linux")]
fn only_mapped_files_below_the_directory_count_and_they_can_be_forgotten() {
    // Memory file systems keep what they hold, so the file lies where builds do.
    let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let (mapped, other) = (dir.path().join("mapped"), dir.path().join("other"));
    for path in [&mapped, &other] {
        std::fs::write(path, vec![7; 100_000]).unwrap();
    }
    let open = Map::new(&File::open(&mapped).unwrap(), 100_000).unwrap();
    let files = MappedFiles::below(dir.path()).unwrap();
    assert_eq!(files.bytes(), 100_000);
    let before = files.resident_bytes().unwrap();
    assert!(before >= 100_000);
    drop(open);
    files.forget().unwrap();
    assert!(files.resident_bytes().unwrap() < before);
}
