//! Reading the points of a collection, or of a slice of it, in the order of their ids.

use std::collections::HashMap;
use std::sync::Arc;

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::condition::ConditionOneOf;
use qdrant_client::qdrant::{with_payload_selector, with_vectors_selector};
use vdb::{PointId, Select};

use crate::error::{MigrateError, Result};
use crate::options::Options;
use crate::patience::{Verdict, Waits, verdict};
use crate::point::{Point, id_of, id_to_proto};
use crate::store::Store;
use crate::watch::Watch;

/// Points of the first page, before it is known how large they are.
const FIRST: u32 = 64;
/// How much larger a page may be than the one before it.
const GROWTH: u32 = 2;
/// How many times the bytes that a page is meant to have it has at most, if no point is larger than the largest before it.
const REACH: usize = 8;

/// One of `total` parts of the id space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SliceOf {
    pub(crate) index: u32,
    pub(crate) total: u32,
}

/// Pages of points of about so many bytes each. A page is asked for by its number of points, so that its bytes are a guess: as many
/// as come to these bytes by the mean of the page before, at most twice as many as in that, and so few that as many of the largest
/// so far would be [`REACH`] times the bytes. What goes beyond that is a page of points that are all larger than any before.
pub(crate) struct Pages<S> {
    store: Arc<S>,
    collection: String,
    slice: Option<SliceOf>,
    /// Where the next page starts; none at the end.
    from: Option<Option<PointId>>,
    /// The last point that was read, or is to be passed over with all before it.
    last: Option<PointId>,
    limit: u32,
    most: u32,
    bytes: usize,
    /// Bytes of the largest point so far.
    largest: usize,
    options: Arc<Options>,
    watch: Watch,
}

impl<S: Store> Pages<S> {
    /// All points of a collection; of a slice of it, where there are several. `most` is what the collection allows a page.
    pub(crate) fn new(
        store: Arc<S>,
        collection: &str,
        slice: Option<SliceOf>,
        most: Option<u32>,
        options: Arc<Options>,
        watch: Watch,
    ) -> Self {
        let most = options.batch_points.min(most.unwrap_or(u32::MAX)).max(1);
        Pages {
            store,
            collection: collection.to_owned(),
            slice: slice.filter(|slice| slice.total > 1),
            from: Some(None),
            last: None,
            limit: FIRST.min(most),
            most,
            bytes: options.batch_bytes.max(1),
            largest: 1,
            options,
            watch,
        }
    }

    /// Only points after this one.
    pub(crate) fn after(mut self, last: Option<PointId>) -> Self {
        self.from = Some(last);
        self.last = last;
        self
    }

    /// The next points; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Point>>> {
        while let Some(from) = self.from {
            let answer = self.page(from).await?;
            let next = answer.next_page_offset.as_ref();
            let next = next.map(|id| id_of(Some(id))).transpose();
            let next = next.map_err(|problem| self.wrong(problem))?;
            let mut points = Vec::with_capacity(answer.result.len());
            for message in answer.result {
                let point = Point::read(message).map_err(|problem| self.wrong(problem))?;
                // The page starts with the last point of an earlier run.
                if Some(point.id) == from && Some(point.id) == self.last {
                    continue;
                }
                if self.last.is_some_and(|last| point.id <= last) {
                    let problem = format!(
                        "the answer has point {} after point {}: points come by id, each once (shard keys that share ids \
                         cannot be told apart)",
                        point.id,
                        self.last.map_or_else(String::new, |last| last.to_string())
                    );
                    return Err(self.wrong(problem));
                }
                self.last = Some(point.id);
                points.push(point);
            }
            if next.is_some_and(|next| self.last.is_some_and(|last| next <= last) || Some(next) <= from) {
                return Err(self.wrong("the answer names a next page that lies before it".to_owned()));
            }
            self.from = next.map(Some);
            if !points.is_empty() {
                self.adapt(&points);
                self.look_closer(&mut points)?;
                return Ok(Some(points));
            }
            // Nobody else looks before there is a point.
            if self.watch.asked_to_stop() {
                return Err(MigrateError::stopped());
            }
        }
        Ok(None)
    }

    async fn page(&mut self, from: Option<PointId>) -> Result<proto::ScrollResponse> {
        let mut waits = Waits::new(self.options.patience, &self.watch);
        loop {
            let error = match self.store.scroll(self.message(from)).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match verdict(&error) {
                Verdict::TooLarge if self.limit > 1 => {
                    // Nor may later pages grow to this size again.
                    self.limit /= 2;
                    self.most = self.limit;
                }
                Verdict::Passing(named) if waits.again(named).await => {
                    // What took too long takes less time with less in it.
                    if named.is_none() {
                        self.limit = (self.limit / 2).max(1);
                    }
                }
                Verdict::Passing(_) | Verdict::TooLarge | Verdict::Final => {
                    return Err(MigrateError::call(self.doing(), &error));
                }
            }
        }
    }

    fn message(&self, from: Option<PointId>) -> proto::ScrollPoints {
        let slice = self.slice.map(|SliceOf { index, total }| proto::Condition {
            condition_one_of: Some(ConditionOneOf::Slice(proto::SliceCondition { total, index })),
        });
        proto::ScrollPoints {
            collection_name: self.collection.clone(),
            filter: slice.map(|slice| proto::Filter {
                must: vec![slice],
                ..proto::Filter::default()
            }),
            offset: from.map(id_to_proto),
            limit: Some(self.limit),
            with_payload: Some(proto::WithPayloadSelector {
                selector_options: Some(with_payload_selector::SelectorOptions::Enable(true)),
            }),
            with_vectors: Some(proto::WithVectorsSelector {
                selector_options: Some(with_vectors_selector::SelectorOptions::Enable(true)),
            }),
            ..proto::ScrollPoints::default()
        }
    }

    /// Makes the next page about as large as it may be.
    fn adapt(&mut self, points: &[Point]) {
        let bytes: usize = points.iter().map(|point| point.bytes).sum();
        let each = (bytes / points.len().max(1)).max(1);
        let largest = points.iter().map(|point| point.bytes).max();
        self.largest = self.largest.max(largest.unwrap_or(0));
        let fit = (self.bytes / each).min(self.bytes.saturating_mul(REACH) / self.largest);
        let fit = u32::try_from(fit).unwrap_or(u32::MAX);
        self.limit = fit.min(self.limit.saturating_mul(GROWTH)).clamp(1, self.most);
    }

    /// Notes integers that messages have no place for: as they are where the engine is in this process, and where they may have
    /// been where the points come from a server.
    fn look_closer(&self, points: &mut [Point]) -> Result<()> {
        let mut found: Vec<&mut Point> = points.iter_mut().filter(|point| point.beyond.is_some()).collect();
        let (Some(database), false) = (self.store.database(), found.is_empty()) else {
            return Ok(());
        };
        let ids: Vec<PointId> = found.iter().map(|point| point.id).collect();
        let records = database
            .collection(&self.collection)
            .and_then(|collection| collection.get(&ids, &Select::payload()))
            .map_err(|error| self.wrong(error.to_string()))?;
        let mut payloads: HashMap<PointId, Option<vdb::Payload>> = records
            .into_iter()
            .map(|record| (record.id, record.payload))
            .collect();
        for point in &mut found {
            match payloads.remove(&point.id).flatten() {
                Some(payload) => point.set_exact(payload),
                None => {
                    let problem = format!("point {} is gone while it is being read", point.id);
                    return Err(self.wrong(problem));
                }
            }
        }
        Ok(())
    }

    fn doing(&self) -> String {
        let part = self.slice.map_or_else(String::new, |slice| {
            format!(", slice {} of {},", slice.index + 1, slice.total)
        });
        let place = match self.last {
            Some(last) => format!("after point {last}"),
            None => "from the first point on".to_owned(),
        };
        format!(
            "reading {}{part} of {} {place}",
            self.collection,
            self.store.shown()
        )
    }

    fn wrong(&self, problem: String) -> MigrateError {
        MigrateError::Call {
            doing: self.doing(),
            problem,
        }
    }
}
