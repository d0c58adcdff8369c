use std::io::Read;

use proptest::prelude::*;

use super::*;

const FORMATS: [Format; 6] = [
    Format::Npy,
    Format::Fvecs,
    Format::Bvecs,
    Format::Csv,
    Format::Tsv,
    Format::JsonLines,
];

#[test]
fn the_ending_names_the_format_in_any_case() {
    for (name, format) in [
        ("a.npy", Format::Npy),
        ("a.FVECS", Format::Fvecs),
        ("dir.csv/a.bvecs", Format::Bvecs),
        ("a.tar.csv", Format::Csv),
        ("a.Tsv", Format::Tsv),
        ("a.jsonl", Format::JsonLines),
        ("a.ndjson", Format::JsonLines),
        ("a.jsonl.gz", Format::JsonLines),
        ("a.csv.GZ", Format::Csv),
        ("a.jsonl.zst", Format::JsonLines),
        ("-", Format::JsonLines),
    ] {
        assert_eq!(Format::of(Path::new(name)).unwrap(), format);
    }
}

#[test]
fn other_endings_are_refused_with_the_way_out() {
    for (name, advice) in [
        ("a.npy.gz", "gzip -dc"),
        ("a.csv.gz.gz", "gzip -dc"),
        ("a.gz", "gzip -dc"),
        ("-.gz", "gzip -dc"),
        ("a.npy.zst", "zstd -dc"),
        ("a.json", "jq -c"),
        ("a", "no ending"),
        ("a.txt", ".txt"),
    ] {
        let message = Format::of(Path::new(name)).unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("{name}: expected a file that ends in")),
            "{message}"
        );
        assert!(message.contains(advice), "{message}");
        // What a build does not unpack is not promised.
        let expected = message.split("found").next().unwrap();
        assert_eq!(expected.contains("or .zst"), cfg!(feature = "zstd"), "{message}");
    }
}

#[test]
fn files_that_cannot_be_opened_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let options = ReadOptions::default();
    let missing = open(&dir.path().join("none.jsonl"), &options)
        .err()
        .unwrap()
        .to_string();
    assert!(
        missing.contains("none.jsonl: cannot be read: No such file"),
        "{missing}"
    );
    let folder = dir.path().join("folder.csv");
    std::fs::create_dir(&folder).unwrap();
    let folder = open(&folder, &options).err().unwrap().to_string();
    assert!(
        folder.contains("it is a directory; name the files in it"),
        "{folder}"
    );
}

#[test]
fn a_file_that_carries_payloads_takes_none_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let rows = dir.path().join("rows.jsonl");
    std::fs::write(&rows, "{}").unwrap();
    let message = open_with_payload(&rows, &rows, &ReadOptions::default())
        .err()
        .unwrap()
        .to_string();
    assert!(message.contains("its rows carry their own payload"), "{message}");
}

#[test]
fn the_demo_set_is_read_whole_with_its_payloads() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/wordnet");
    let vectors = data.join("wordnet-5k.f16.npy");
    let rows = open_with_payload(&vectors, &data.join("wordnet-5k.jsonl"), &ReadOptions::default()).unwrap();
    assert_eq!(
        (rows.dim_hint(), rows.progress().total_rows),
        (Some(384), Some(5000))
    );
    let rows: Vec<_> = rows.map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5000);
    let lengths = rows.iter().map(|row| {
        row.vectors
            .dense("")
            .unwrap()
            .iter()
            .map(|number| number * number)
            .sum::<f32>()
    });
    assert!(lengths.into_iter().all(|length| (length - 1.0).abs() < 2e-3));
    assert_eq!(rows[127].payload.as_ref().unwrap()["words"][0], "owl");
}

/// Delivers a byte at a time, as the slowest pipe would.
struct Drip(std::io::Cursor<Vec<u8>>);

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(1);
        self.0.read(buffer.get_mut(..most).unwrap_or_default())
    }
}

/// Reads to the end or to a fatal error: every row, or its message.
fn drain(input: Input, format: Format) -> Vec<Result<String, String>> {
    let options = ReadOptions {
        max_row_bytes: 64,
        ..ReadOptions::default()
    };
    match read(input, format, &options) {
        Ok(mut rows) => {
            let mut seen = Vec::new();
            while let Some(row) = rows.next() {
                let fatal = row.as_ref().is_err_and(|error| !error.is_skippable());
                seen.push(
                    row.map(|row| format!("{row:?}"))
                        .map_err(|error| error.to_string()),
                );
                assert!(!fatal || rows.next().is_none(), "rows after a fatal error");
            }
            seen
        }
        Err(error) => vec![Err(error.to_string())],
    }
}

/// Bytes that get past the first check of some reader, with noise behind them.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    let start = prop::sample::select(vec![
        &b""[..],
        b"\x93NUMPY\x01\x00\x3b\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)}",
        b"\x93NUMPY\x02\x00",
        b"\x02\x00\x00\x00",
        b"id,vector,w\n1,\"[1,2]\",x\n",
        b"v0,v1\n1,2\n",
        b"{\"id\":1,\"vector\":[1,2]}\n{",
    ]);
    let noise = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[\\[\\]{}:,\"0-9a-z\\n.-]{0,200}".prop_map(String::into_bytes),
    ];
    (start, noise).prop_map(|(start, noise)| [start, &noise].concat())
}

proptest! {
    #[test]
    fn no_bytes_panic_and_a_pipe_yields_what_a_file_yields(bytes in plausible()) {
        for format in FORMATS {
            let file = drain(Input::from_bytes("x", bytes.clone()), format);
            let pipe = drain(Input::from_reader("x", Drip(std::io::Cursor::new(bytes.clone()))), format);
            // A file's length is checked ahead, so it may be refused where a pipe yields rows first.
            if !(file.len() == 1 && file[0].is_err()) {
                prop_assert_eq!(file, pipe);
            }
        }
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, text).unwrap();
    packed.finish().unwrap()
}

/// That two rows of JSON, with ids 1 and 2, are read of packed bytes, however they come, and that progress counts these bytes.
fn assert_unpacked(packed: &[u8]) {
    for input in [
        Input::from_bytes("x", packed.to_vec()),
        Input::from_reader("x", Drip(std::io::Cursor::new(packed.to_vec()))),
    ] {
        let mut rows = read(input, Format::JsonLines, &ReadOptions::default()).unwrap();
        let ids: Vec<String> = rows.by_ref().map(|row| row.unwrap().id.to_string()).collect();
        assert_eq!(ids, ["1", "2"]);
        assert_eq!(rows.progress().bytes, packed.len() as u64);
    }
}

#[test]
fn text_that_gzip_packed_is_unpacked_as_it_is_read() {
    // Of two members, as files that were put together have them.
    let packed = [gzip(b"{\"id\": 1}\n{\"id\""), gzip(b": 2}\n")].concat();
    assert_unpacked(&packed);
    let table = Input::from_bytes("x", gzip(b"id,v0\n7,1\n"));
    let rows = read(table, Format::Csv, &ReadOptions::default()).unwrap();
    assert_eq!(
        rows.map(|row| row.unwrap().id.to_string()).collect::<Vec<_>>(),
        ["7"]
    );
}

#[test]
fn what_is_packed_and_damaged_is_an_error_that_ends_the_rows() {
    let text: String = (0..2_000).map(|id| format!("{{\"id\": {id}}}\n")).collect();
    let packed = gzip(text.as_bytes());
    for cut in [3, 12, packed.len() / 2, packed.len() - 1] {
        let input = Input::from_bytes("x", packed[..cut].to_vec());
        let rows: Vec<_> = read(input, Format::JsonLines, &ReadOptions::default())
            .unwrap()
            .collect();
        let last = rows.last().unwrap().as_ref().unwrap_err();
        assert!(
            !last.is_skippable() && last.to_string().contains("cannot be read: what gzip packed"),
            "{cut}: {last}"
        );
    }
    // The checksum at its end tells what nothing else does.
    let mut changed = packed.clone();
    let at = changed.len() - 6;
    changed[at] ^= 1;
    let input = Input::from_bytes("x", changed);
    let rows: Vec<_> = read(input, Format::JsonLines, &ReadOptions::default())
        .unwrap()
        .collect();
    let last = rows.last().unwrap().as_ref().unwrap_err();
    assert!(last.to_string().contains("gzip"), "{last}");
}

#[cfg(not(feature = "zstd"))]
#[test]
fn text_that_zstandard_packed_is_told_how_to_unpack() {
    let input = Input::from_bytes("rows.jsonl.zst", b"\x28\xb5\x2f\xfdrest".to_vec());
    let error = read(input, Format::JsonLines, &ReadOptions::default())
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .contains("found Zstandard; unpack it on the way: zstd -dc"),
        "{error}"
    );
}

#[cfg(feature = "zstd")]
#[test]
fn text_that_zstandard_packed_is_unpacked_as_it_is_read() {
    let pack = |text: &[u8]| zstd::encode_all(text, 3).unwrap();
    // Of two frames, as files that were put together have them.
    let packed = [pack(b"{\"id\": 1}\n{\"id\""), pack(b": 2}\n")].concat();
    assert_unpacked(&packed);
    let text: String = (0..2_000).map(|id| format!("{{\"id\": {id}}}\n")).collect();
    let packed = pack(text.as_bytes());
    let damaged = [
        &packed[..packed.len() / 2],
        &packed[..packed.len() - 1],
        &[&packed[..], b"more"].concat(),
    ];
    for bytes in damaged {
        let rows: Vec<_> = read(
            Input::from_bytes("x", bytes.to_vec()),
            Format::JsonLines,
            &ReadOptions::default(),
        )
        .unwrap()
        .collect();
        let last = rows.last().unwrap().as_ref().unwrap_err();
        assert!(
            !last.is_skippable() && last.to_string().contains("cannot be read: what Zstandard packed"),
            "{last}"
        );
    }
    // A frame that asks for a window of 2 GiB, which memory would have to hold.
    let wide = [&b"\x28\xb5\x2f\xfd\x00\xa8"[..], &[0; 16]].concat();
    let rows = read(
        Input::from_bytes("x", wide),
        Format::JsonLines,
        &ReadOptions::default(),
    )
    .unwrap();
    let error = rows.last().unwrap().unwrap_err();
    for part in [
        "what Zstandard packed",
        "needs more memory than is allowed",
        "zstd -dc --long=31",
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn what_stands_beside_vectors_may_be_packed() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let vectors = file("v.bvecs", &[1, 0, 0, 0, 5, 1, 0, 0, 0, 6]);
    let payloads = file("p.jsonl.gz", &gzip(b"{\"a\": 1}\nnull\n"));
    let rows = file("r.jsonl.gz", &gzip(b"{\"id\": 7}\n{\"id\": 8}\n"));
    let options = ReadOptions::default();
    let paired: Vec<_> = open_with_payload(&vectors, &payloads, &options)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(paired.len(), 2);
    assert_eq!(paired[0].payload.as_ref().unwrap()["a"], 1);
    let joined: Vec<String> = open_with_rows(&vectors, &rows, &options)
        .unwrap()
        .map(|row| row.unwrap().id.to_string())
        .collect();
    assert_eq!(joined, ["7", "8"]);
}

#[test]
fn packed_files_of_other_kinds_are_told_as_such() {
    for (start, format, expected) in [
        (&b"\x1f\x8b\x08\x00rest"[..], Format::Npy, "found gzip; unpack it"),
        (
            b"\x28\xb5\x2f\xfdrest",
            Format::Fvecs,
            "found Zstandard; unpack it",
        ),
        (b"PK\x03\x04rest", Format::Csv, "found a zip archive; unpack it"),
    ] {
        let input = Input::from_bytes("rows", start.to_vec());
        let error = read(input, format, &ReadOptions::default()).err().unwrap();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let short = Input::from_bytes("rows.jsonl", b"\x1f".to_vec());
    assert_eq!(
        read(short, Format::JsonLines, &ReadOptions::default())
            .unwrap()
            .count(),
        1
    );
}
