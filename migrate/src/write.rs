//! Writing points.

use std::sync::Arc;

use qdrant_client::QdrantError;
use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use vdb::PointId;

use crate::error::{MigrateError, Result};
use crate::options::Options;
use crate::patience::{Verdict, Waits, persist, took_too_long, verdict};
use crate::point::{Point, id_to_proto};
use crate::store::Store;
use crate::watch::Watch;

/// Writes into one collection. Every call returns when the target has acknowledged it for good.
pub(crate) struct Writer<T> {
    store: Arc<T>,
    collection: String,
    most: usize,
    options: Arc<Options>,
    watch: Watch,
}

impl<T> Clone for Writer<T> {
    fn clone(&self) -> Self {
        Writer {
            store: self.store.clone(),
            collection: self.collection.clone(),
            most: self.most,
            options: self.options.clone(),
            watch: self.watch.clone(),
        }
    }
}

impl<T: Store> Writer<T> {
    /// Into a collection that allows so many points a call.
    pub(crate) fn new(
        store: Arc<T>,
        collection: &str,
        most: Option<u64>,
        options: Arc<Options>,
        watch: Watch,
    ) -> Self {
        let most = most
            .and_then(|most| usize::try_from(most).ok())
            .unwrap_or(usize::MAX);
        Writer {
            store,
            collection: collection.to_owned(),
            most: most.min(options.batch_points as usize).max(1),
            options,
            watch,
        }
    }

    /// Writes points, in smaller parts where the target takes no more at once.
    pub(crate) async fn upsert(&self, points: Vec<Point>) -> Result<()> {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Ok(());
        };
        let range = format!("points {} to {}", first.id, last.id);
        let exact = self.exact(&points);
        let all: Vec<proto::PointStruct> = points.into_iter().map(Point::write).collect();
        let mut waiting = vec![all];
        while let Some(mut part) = waiting.pop() {
            if part.len() > self.most {
                let rest = part.split_off(self.most);
                waiting.push(rest);
            }
            let mut waits = Waits::new(self.options.patience, &self.watch);
            loop {
                let message = proto::UpsertPoints {
                    collection_name: self.collection.clone(),
                    wait: Some(true),
                    points: part.clone(),
                    ..proto::UpsertPoints::default()
                };
                let error = match self.store.upsert(message).await.and_then(finished) {
                    Ok(_) => break,
                    Err(error) => error,
                };
                match verdict(&error) {
                    Verdict::TooLarge if part.len() > 1 => {
                        let rest = part.split_off(part.len() / 2);
                        waiting.push(rest);
                    }
                    Verdict::Passing(named) if waits.again(named).await => {
                        // What took too long takes less time with less in it.
                        if part.len() > 1 && took_too_long(&error) {
                            let rest = part.split_off(part.len() / 2);
                            waiting.push(rest);
                        }
                    }
                    Verdict::Passing(_) | Verdict::TooLarge | Verdict::Final => {
                        let (name, store) = (&self.collection, self.store.shown());
                        return Err(MigrateError::call(
                            format!("writing {range} into {name} of {store}"),
                            &error,
                        ));
                    }
                }
            }
        }
        self.set_exact(exact).map_err(|error| MigrateError::Call {
            doing: format!(
                "writing {range} into {} of {}",
                self.collection,
                self.store.shown()
            ),
            problem: error.to_string(),
        })
    }

    /// Payloads that messages cannot tell, where the engine can be told them.
    fn exact(&self, points: &[Point]) -> Vec<(PointId, vdb::Payload)> {
        if self.store.database().is_none() {
            return Vec::new();
        }
        let exact = |point: &Point| Some((point.id, point.exact.clone()?));
        points.iter().filter_map(exact).collect()
    }

    fn set_exact(&self, payloads: Vec<(PointId, vdb::Payload)>) -> vdb::Result<()> {
        let (Some(database), false) = (self.store.database(), payloads.is_empty()) else {
            return Ok(());
        };
        let collection = database.collection(&self.collection)?;
        for (id, payload) in payloads {
            collection.overwrite_payload(payload, vec![id])?;
        }
        Ok(())
    }

    /// Deletes points.
    pub(crate) async fn delete(&self, ids: &[PointId]) -> Result<()> {
        for ids in ids.chunks(self.most) {
            let list = proto::PointsIdsList {
                ids: ids.iter().copied().map(id_to_proto).collect(),
            };
            let message = proto::DeletePoints {
                collection_name: self.collection.clone(),
                wait: Some(true),
                points: Some(proto::PointsSelector {
                    points_selector_one_of: Some(PointsSelectorOneOf::Points(list)),
                }),
                ..proto::DeletePoints::default()
            };
            let doing = || format!("deleting points of {} of {}", self.collection, self.store.shown());
            let call = || async { self.store.delete_points(message.clone()).await.and_then(finished) };
            persist(self.options.patience, &self.watch, doing, call).await?;
        }
        Ok(())
    }
}

/// The answer to a write that is safe and can be read. One of a moment ago may also be refused because a newer one was seen first;
/// that passes.
pub(crate) fn finished(
    answer: proto::PointsOperationResponse,
) -> Result<proto::PointsOperationResponse, QdrantError> {
    let status = answer.result.as_ref().map(|result| result.status);
    let unfinished = [
        proto::UpdateStatus::WaitTimeout,
        proto::UpdateStatus::ClockRejected,
    ];
    if unfinished.iter().any(|&code| status == Some(code.into())) {
        let status = tonic::Status::deadline_exceeded("the write was taken and not finished");
        return Err(QdrantError::from(status));
    }
    Ok(answer)
}
