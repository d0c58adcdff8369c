use std::sync::mpsc::{Sender, channel};
use std::thread::ThreadId;
use std::time::Duration;

use super::*;

/// A text that tells on which threads it is written.
struct Told {
    text: String,
    threads: Sender<ThreadId>,
}

impl Serialize for Told {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.threads.send(std::thread::current().id()).unwrap();
        self.text.serialize(serializer)
    }
}

#[tokio::test]
async fn long_answers_are_written_elsewhere() {
    let here = std::thread::current().id();
    for len in [100, 10 * WRITTEN_HERE] {
        let (threads, told) = channel();
        let text = "x".repeat(len);
        let answer = answer(async { Ok(Told { text, threads }) }).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX)
            .await
            .unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["result"].as_str().map(str::len), Some(len));
        assert_eq!(body["status"], "ok");
        let last = told.iter().last().unwrap();
        assert_eq!(last == here, len < WRITTEN_HERE, "{len}");
    }
}

#[test]
fn who_asks_too_often_is_not_told_to_come_too_soon() {
    let kind = ErrorKind::RateLimited {
        retry_after: Duration::from_millis(1_200),
    };
    let response = Failure::from(ServiceError::new(kind, "slow down")).into_response();
    assert_eq!(response.headers()[header::RETRY_AFTER], "2");
}
