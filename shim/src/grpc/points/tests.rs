use std::time::Duration;

use serde_json::Map;
use tonic::Code;
use vdb::Database;

use super::*;
use crate::grpc::convert::rejection::Rejection;
use crate::inference::{InferenceError, Role};
use crate::service::ServiceOptions;

fn calls() -> PointCalls {
    let database = Database::builder().open_in_memory().unwrap();
    PointCalls(Service::new(database, ServiceOptions::new("unused")))
}

/// A message in which there are texts, or not.
struct Message(bool);

impl NamesModel for Message {
    fn names_model(&self) -> bool {
        self.0
    }
}

#[tokio::test]
async fn only_messages_with_texts_are_read_elsewhere() {
    let here = std::thread::current().id();
    for texts in [false, true] {
        let read = |_: Message, _: &mut Models<'_>| Ok(std::thread::current().id());
        let there = calls()
            .made(Message(texts), ReadOptions::default(), read)
            .await
            .unwrap();
        assert_eq!(there != here, texts);
    }
}

#[tokio::test]
async fn they_are_read_within_the_time_of_their_call() {
    let options = ReadOptions {
        timeout: Some(Duration::from_millis(20)),
        since: None,
    };
    let read = |_: Message, models: &mut Models<'_>| -> Read<()> {
        loop {
            if let Err(InferenceError::Stopped(why)) = models.embed("bm25", "a fox", Map::new(), Role::Query)
            {
                return Err(Rejection::late(why));
            }
        }
    };
    let late = calls().made(Message(true), options, read).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
}
