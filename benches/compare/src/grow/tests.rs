use super::*;

#[test]
fn a_file_has_the_vectors_that_are_pushed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.fvecs");
    let vectors = [[1.0, -2.5, 0.0], [4.0, 1e-20, 6.0]];
    let mut file = Fvecs::create(&path).unwrap();
    for vector in &vectors {
        file.push(vector).unwrap();
    }
    file.finish().unwrap();
    assert_eq!(Dataset::vectors_of(&path).unwrap(), (vectors.concat(), 3));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_with_the_file_and_what_to_do() {
    let path = Path::new("/dev/full");
    let mut file = Fvecs::create(path).unwrap();
    file.push(&[1.0; 8]).unwrap();
    let error = file.finish().unwrap_err().to_string();
    assert!(error.starts_with("/dev/full: No space left"), "{error}");
    assert!(error.contains("another disk with --out"), "{error}");
}
