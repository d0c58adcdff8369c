use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::*;

/// Answers one request with these bytes, and tells what was asked.
fn server(answer: Vec<u8>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a.snapshot", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let asked = read_head(&stream);
        let mut stream = stream;
        stream.write_all(&answer).unwrap();
        asked
    });
    (url, served)
}

fn read_head(stream: &TcpStream) -> String {
    let mut head = String::new();
    let mut reader = BufReader::new(stream);
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0);
    }
    let head = head.to_ascii_lowercase();
    // What of a request is not read when the connection ends takes the answer with it.
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    head
}

fn get(url: &str, key: Option<&str>) -> Result<Vec<u8>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let source = Source::parse(url).unwrap();
    fetch(&source, key, None, &path, &mut Room::new(directory.path()))?;
    Ok(std::fs::read(path).unwrap())
}

#[test]
fn a_file_comes_with_the_key_that_opens_it() {
    let (url, served) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nbytes".to_vec());
    assert_eq!(get(&url, Some("secret")).unwrap(), b"bytes");
    assert!(served.join().unwrap().contains("api-key: secret\r\n"));
}

#[test]
fn what_is_no_file_is_told() {
    let (url, served) = server(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec());
    let error = get(&url, None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadRequest);
    assert!(error.message.contains("404"), "{error}");
    served.join().unwrap();
}

#[test]
fn a_file_that_ends_early_is_refused() {
    let (url, served) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nbytes".to_vec());
    assert_eq!(get(&url, None).unwrap_err().kind, ErrorKind::BadRequest);
    served.join().unwrap();
}

#[test]
fn a_key_goes_nowhere_else() {
    let moved = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let (url, served) = server(moved.to_vec());
    let error = get(&url, Some("secret")).unwrap_err();
    assert!(error.message.contains("302"), "{error}");
    served.join().unwrap();
}

#[test]
fn a_file_that_there_is_no_room_for_is_not_fetched() {
    let (url, served) = server(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", u64::MAX / 2).into());
    assert_eq!(get(&url, None).unwrap_err().kind, ErrorKind::OutOfStorage);
    served.join().unwrap();
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = get(&format!("http://127.0.0.1:{port}/x"), None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadRequest);
}

#[test]
fn secrets_of_a_url_are_not_told() {
    for url in [
        "http://name:secret@127.0.0.1:1/x?signature=secret",
        "http://name:secret@127.0.0.1:99999/x",
        "http://name:secret@/x?secret",
        "http://127.0.0.1:1/a b?secret",
    ] {
        let error = get(url, None).unwrap_err();
        assert!(!error.message.contains("secret"), "{error}");
    }
}

#[test]
fn what_has_not_changed_is_not_sent() {
    let ask = |answer: &[u8]| {
        let (url, served) = server(answer.to_vec());
        let directory = tempfile::tempdir().unwrap();
        let (source, path) = (Source::parse(&url).unwrap(), directory.path().join("file"));
        let room = &mut Room::new(directory.path());
        let fetched = fetch(&source, Some("secret"), Some(b"{}"), &path, room);
        let asked = served.join().unwrap();
        assert!(
            asked.starts_with("post ") && asked.contains("api-key: secret\r\n"),
            "{asked}"
        );
        assert!(asked.contains("content-type: application/json\r\n"), "{asked}");
        fetched
    };
    let unchanged = ask(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(unchanged, Ok(Fetched::Unchanged));
    let whole = ask(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nbytes");
    assert_eq!(whole, Ok(Fetched::Whole));
    // Nobody who sends nothing along is told so.
    let (url, served) = server(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 0\r\n\r\n".to_vec());
    assert!(get(&url, None).unwrap_err().message.contains("304"));
    served.join().unwrap();
}
