use super::*;

/// A text as a pickle has it.
fn text(of: &str) -> Vec<u8> {
    let length = u8::try_from(of.len()).unwrap();
    [b"\x8c".as_slice(), &[length], of.as_bytes()].concat()
}

fn document(page: &str) -> Vec<u8> {
    [
        b"clangchain_core.documents.base\nDocument\n)\x81}".as_slice(),
        &text("__dict__"),
        b"}(",
        &text(TEXT),
        &text(page),
        &text(METADATA),
        b"}usb",
    ]
    .concat()
}

/// Reads a store of the documents `a` and `b`, which are at these positions.
fn read(ids: &[(u8, &str)]) -> Result<Documents, RowError> {
    let documents: Vec<Vec<u8>> = ["a", "b"]
        .iter()
        .map(|id| [text(id), document(id)].concat())
        .collect();
    let ids: Vec<Vec<u8>> = ids
        .iter()
        .map(|(position, id)| [vec![b'K', *position], text(id)].concat())
        .collect();
    let pickle = [
        b"clangchain_community.docstore.in_memory\nInMemoryDocstore\n)\x81}".as_slice(),
        &text("_dict"),
        b"}(",
        &documents.concat(),
        b"usb}(",
        &ids.concat(),
        b"u\x86.",
    ]
    .concat();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index.pkl");
    std::fs::write(&path, pickle).unwrap();
    Documents::read(&path, Limits::default(), false)
}

/// The text at each position.
fn pages(ids: &[(u8, &str)]) -> Vec<Json> {
    let documents = read(ids).unwrap();
    let positions = 0..documents.len();
    positions
        .map(|position| documents.at(position).unwrap().1[TEXT].clone())
        .collect()
}

#[test]
fn a_document_is_at_one_position_and_of_one_position_the_later_entry_counts() {
    assert_eq!(pages(&[(0, "b"), (1, "a")]), ["b", "a"]);
    assert_eq!(pages(&[(0, "a"), (0, "b")]), ["b"]);
    assert_eq!(pages(&[(0, "b"), (1, "b"), (0, "a")]), ["a", "b"]);
    for ids in [&[(0, "a"), (1, "a")][..], &[(0, "a"), (1, "b"), (0, "b")]] {
        let error = read(ids).unwrap_err().to_string();
        assert!(
            error.contains("row 1: two positions have one document"),
            "{error}"
        );
    }
}
