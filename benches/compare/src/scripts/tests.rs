use super::*;
use crate::options::tests::{DEMO, args};

/// As text, without the script.
fn told(args: &Args, data: &DataArgs, rows: Option<usize>) -> String {
    let arguments = arguments(args, Path::new("p.py"), data, rows);
    let texts: Vec<_> = arguments.iter().map(|one| one.to_string_lossy()).collect();
    texts[1..].join(" ").replace(DEMO, "DEMO")
}

#[test]
fn scripts_are_asked_at_sizes_only_for_systems_that_are_named() {
    let names = |options: &[&str]| -> Vec<(String, Part)> {
        let scripts = [
            "--peers",
            "a/peers.py",
            "--peers",
            "other.py",
            "--sizes",
            "10,9000",
        ];
        let args = args(&[&scripts[..], options].concat());
        steps(&args, &args.data)
            .into_iter()
            .map(|step| (step.name, step.part))
            .collect()
    };
    let all = |script: &str| (format!("script-{script}"), Part::Peers);
    let sized = |rows, script: &str| (format!("rows-{rows}-script-{script}"), Part::Sizes);
    assert_eq!(names(&[]), [all("peers"), all("other")]);
    assert_eq!(
        names(&["--sizes-peers", "hnswlib"]),
        [
            sized(10, "peers"),
            sized(9000, "peers"),
            all("peers"),
            sized(10, "other"),
            sized(9000, "other"),
            all("other")
        ]
    );
}

#[test]
fn a_script_is_told_how_many_rows_and_which_systems_last() {
    let args = args(&[
        "--smoke",
        "--peers",
        "p.py",
        "--peers-arg",
        "--only",
        "--peers-arg",
        "svs-f32",
        "--sizes",
        "10",
        "--sizes-peers",
        "hnswlib,faiss-hnsw",
    ]);
    let usual = "--data DEMO --queries 50 --passes 2 --seconds 0 --only svs-f32";
    assert_eq!(told(&args, &args.data, None), usual);
    assert_eq!(
        told(&args, &args.data, Some(10)),
        format!("{usual} --only hnswlib,faiss-hnsw --rows 10")
    );
}

#[test]
fn a_grown_set_is_written_as_ours_grows_and_goes_with_its_handle() {
    let out = tempfile::tempdir().unwrap();
    let args = args(&["--peers", "p.py", "--sizes", "5100", "--sizes-peers", "hnswlib"]);
    let set = Dataset::read(&args.data.source(None)).unwrap();
    let mut ours = set.clone();
    ours.grow(5100).unwrap();
    let grown = Written::grown(&set, 5100, &out.path().join("grown")).unwrap();

    // As a script reads it, and as it is before lengths are made one again, which changes a last bit at the most.
    let theirs = Dataset::read(&grown.data.source(Some(5100))).unwrap();
    assert_eq!((theirs.name.as_str(), theirs.len()), ("wordnet-5k", 5100));
    let (file, dim) = Dataset::vectors_of(&grown.data.data).unwrap();
    assert_eq!(file, [ours.vectors.clone(), ours.queries.concat()].concat());
    assert_eq!((dim, theirs.queries.len()), (384, 50));
    let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert_eq!(theirs.vectors.len(), ours.vectors.len());
    assert!(apart(&theirs.vectors, &ours.vectors) < 1e-7);
    assert!(apart(&theirs.queries.concat(), &ours.queries.concat()) < 1e-7);

    let told = told(&args, &grown.data, Some(5100));
    assert!(
        told.contains("--split ") && told.contains("--distance cosine"),
        "{told}"
    );
    drop(grown);
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}

/// A script for `sh` that keeps what it was given beside itself, and ends with `status`.
#[cfg(unix)]
fn script(dir: &Path, status: u8) -> PathBuf {
    let path = dir.join("peers.sh");
    let text = format!(
        "echo \"$*\" >'{0}/told'\n[ -e \"$2\" ] && cp \"$2\" '{0}/read'\n\
         echo '{{\"system\": \"other\", \"setting\": \"ef=1\", \"recall\": 1, \"qps\": 5, \"rows\": 5100}}'\nexit {status}\n",
        dir.display()
    );
    std::fs::write(&path, text).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn a_script_finds_the_grown_set_and_it_is_gone_when_the_script_has_ended_well_or_not() {
    for status in [0, 3] {
        let dir = tempfile::tempdir().unwrap();
        let (out, script) = (dir.path().join("out"), script(dir.path(), status));
        let mut args = args(&["--peers", "p.py", "--python", "sh", "--sizes", "5100"]);
        args.sizes_peers = vec!["hnswlib".to_owned()];
        args.out = out.clone();
        let found = measure(&args, &args.data, &script, 5100).unwrap();
        assert_eq!(found.lines.len(), 1);
        let told = std::fs::read_to_string(dir.path().join("told")).unwrap();
        assert!(told.ends_with(" --only hnswlib --rows 5100\n"), "{told}");
        let (file, dim) = {
            let copy = dir.path().join("copy.fvecs");
            std::fs::rename(dir.path().join("read"), &copy).unwrap();
            Dataset::vectors_of(&copy).unwrap()
        };
        assert_eq!(file.len(), (5100 + 50) * dim);
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0);
        match status {
            0 => assert_eq!(found.failures, Vec::<String>::new()),
            _ => assert!(
                found.failures[0].ends_with("exit status: 3 (over 5100 rows)"),
                "{:?}",
                found.failures
            ),
        }
    }
}

#[cfg(unix)]
#[test]
fn rows_that_the_data_has_are_not_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (out, script) = (dir.path().join("out"), script(dir.path(), 0));
    let mut args = args(&["--peers", "p.py", "--python", "sh", "--sizes", "4950"]);
    args.sizes_peers = vec!["hnswlib".to_owned()];
    args.out = out.clone();
    measure(&args, &args.data, &script, 4950).unwrap();
    let told = std::fs::read_to_string(dir.path().join("told")).unwrap();
    assert_eq!(
        told.trim_end(),
        format!("--data {DEMO} --queries 50 --only hnswlib --rows 4950")
    );
    assert!(!out.exists());
}

#[test]
fn what_is_written_of_a_set_that_cannot_grow_goes() {
    let out = tempfile::tempdir().unwrap();
    let mut set = Dataset::read(&args(&[]).data.source(Some(1))).unwrap();
    set.queries.truncate(1);
    let error = Written::grown(&set, 5, &out.path().join("grown"))
        .err()
        .map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("two at least")));
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn programs_that_read_no_hdf5_are_given_the_same_set_in_another_file() {
    let out = tempfile::tempdir().unwrap();
    let mut args = args(&["--peers", "p.py"]);
    args.out = out.path().to_owned();
    assert!(Written::for_programs(&args).unwrap().is_none());
    args.data.data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/small-angular.hdf5");
    args.data.split = None;
    let ours = Dataset::read(&args.data.source(None)).unwrap();
    let all = std::mem::replace(&mut args.parts, vec![Part::Plain]);
    assert!(
        Written::for_programs(&args).unwrap().is_none(),
        "no program is run"
    );
    args.parts = all;

    let written = Written::for_programs(&args).unwrap().unwrap();
    let told = told(&args, &written.data, None);
    assert!(
        told.contains("small-angular.fvecs --split ") && told.contains("--distance cosine"),
        "{told}"
    );
    let theirs = Dataset::read(&written.data.source(None)).unwrap();
    assert_eq!((theirs.len(), theirs.dim), (ours.len(), ours.dim));
    assert_eq!(
        (theirs.queries.len(), &theirs.name),
        (ours.queries.len(), &ours.name)
    );
    assert_eq!(theirs.truth(10), ours.truth(10));
    drop(written);
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}
