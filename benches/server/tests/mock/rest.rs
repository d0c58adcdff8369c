//! The stand-in over REST: HTTP/1.1 with kept connections, the few paths that are asked for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use super::Shared;

/// Serves until the test ends; the address to ask.
pub(crate) fn serve(store: &Shared) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let store = store.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let store = store.clone();
            std::thread::spawn(move || converse(stream, &store));
        }
    });
    format!("http://{address}")
}

fn converse(stream: TcpStream, store: &Shared) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let (status, answer) = answer(store, &method, &path, &body);
        let text = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        stream.write_all((head + &text).as_bytes()).unwrap();
    }
}

fn ok(result: Value) -> (&'static str, Value) {
    ("200 OK", json!({"result": result, "status": "ok", "time": 0.0}))
}

fn answer(store: &Shared, method: &str, path: &str, body: &Value) -> (&'static str, Value) {
    let mut store = store.lock();
    match (method, path) {
        ("GET", "/") => (
            "200 OK",
            json!({"title": "qdrant - vector search engine", "version": "1.19.0"}),
        ),
        ("GET", "/collections/c/exists") => ok(json!({"exists": store.created.is_some()})),
        ("DELETE", "/collections/c") => ok(json!(store.delete())),
        ("PUT", "/collections/c") => {
            store.created = Some(body.clone());
            ok(json!(true))
        }
        ("GET", "/collections/c") => {
            let status = if store.is_green() { "green" } else { "yellow" };
            ok(json!({"status": status, "points_count": store.points.len(), "segments_count": 1}))
        }
        ("PUT", "/collections/c/index?wait=true") => {
            let text = |key: &str| body[key].as_str().unwrap().to_owned();
            store
                .indexes
                .push(text("field_name") + " " + &text("field_schema"));
            ok(json!({"operation_id": 1, "status": "completed"}))
        }
        ("PUT", "/collections/c/points?wait=true") => {
            for point in body["points"].as_array().unwrap() {
                let vector = serde_json::from_value(point["vector"].clone()).unwrap();
                let payload = point["payload"].as_object().cloned().unwrap_or_default();
                store
                    .points
                    .insert(point["id"].as_u64().unwrap(), (vector, payload));
            }
            ok(json!({"operation_id": 2, "status": "completed"}))
        }
        ("POST", "/collections/c/points/query") => {
            store.params = body["params"].clone();
            let query: Vec<f32> = serde_json::from_value(body["query"].clone()).unwrap();
            let condition = body.pointer("/filter/must/0");
            let matches = condition.map(|one| (one["key"].as_str().unwrap(), &one["match"]["value"]));
            let found = store.nearest(&query, body["limit"].as_u64().unwrap() as usize, matches);
            let points = found
                .iter()
                .map(|(id, score)| json!({"id": id, "version": 2, "score": score}));
            ok(json!({"points": points.collect::<Vec<_>>()}))
        }
        _ => (
            "404 Not Found",
            json!({"status": {"error": format!("{method} {path}")}}),
        ),
    }
}
