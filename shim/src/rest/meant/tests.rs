use std::sync::mpsc::{Sender, channel};
use std::thread::ThreadId;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde_json::Map;
use vdb::Database;

use super::*;
use crate::inference::Role;
use crate::service::{ServiceError, ServiceOptions};

fn service() -> Service {
    let database = Database::builder().open_in_memory().unwrap();
    Service::new(database, ServiceOptions::new("unused"))
}

/// A body that says whether a model is to make something of it; what it means is the thread that did.
#[derive(serde::Deserialize)]
struct Thread {
    model: bool,
}

impl Means for Thread {
    type Meaning = ThreadId;

    fn names_model(&self) -> bool {
        self.model
    }

    fn meaning(self, _: &mut Models<'_>) -> Result<ThreadId, Failure> {
        Ok(std::thread::current().id())
    }
}

#[tokio::test]
async fn only_what_takes_a_model_is_made_elsewhere() {
    let here = std::thread::current().id();
    for model in [false, true] {
        let body: Meant<Thread> = serde_json::from_value(serde_json::json!({ "model": model })).unwrap();
        let there = body.made(&service(), ReadOptions::default()).await.unwrap();
        assert_eq!(there != here, model);
    }
}

/// A body of as many texts as there is time for, which says when it is over.
struct Endless(Sender<()>);

impl<'de> Deserialize<'de> for Endless {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("nobody writes it"))
    }
}

impl Means for Endless {
    type Meaning = ();

    fn names_model(&self) -> bool {
        true
    }

    fn meaning(self, models: &mut Models<'_>) -> Result<(), Failure> {
        loop {
            if let Err(error) = models.embed("bm25", "a fox", Map::new(), Role::Document) {
                let _ = self.0.send(());
                return Err(ServiceError::from(error).into());
            }
        }
    }
}

#[tokio::test]
async fn it_ends_with_the_time_of_its_request() {
    let (over, _told) = channel();
    let options = ReadOptions {
        timeout: Some(Duration::from_millis(20)),
        since: None,
    };
    let refused = Meant::ToMake(Endless(over)).made(&service(), options).await;
    let refused = refused.unwrap_err().into_response();
    assert_eq!(refused.status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn it_ends_when_nobody_waits_for_it() {
    let (over, told) = channel();
    let service = service();
    let making = Meant::ToMake(Endless(over)).made(&service, ReadOptions::default());
    assert!(
        tokio::time::timeout(Duration::from_millis(20), making)
            .await
            .is_err()
    );
    told.recv_timeout(Duration::from_secs(20)).unwrap();
}
