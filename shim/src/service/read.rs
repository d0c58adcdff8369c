//! Reads of points that are no queries.

use std::time::{Duration, Instant};

use vdb::{
    Collection, DistanceMatrix, FacetHit, FacetRequest, Filter, MAX_LIMIT, MAX_MATRIX_SAMPLE, MatrixRequest,
    OrderBy, OrderValue, PayloadIndexKind, PointId, QueryRequest, Record, ScrollRequest, Select,
};

use super::Service;
use super::error::{Result, ServiceError};

/// How a read is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// How long it may take; as the service says by default.
    pub timeout: Option<Duration>,
    /// When that time began; with the call of the service by default.
    pub since: Option<Instant>,
}

/// What to page through.
#[derive(Clone, Debug, PartialEq)]
pub struct ScrollAsk {
    /// The page, in the order of ids.
    pub scroll: ScrollRequest,
    /// Another order. It has no pages, and no offset.
    pub order_by: Option<OrderBy>,
}

/// A point of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct ScrolledPoint {
    /// The point.
    pub record: Record,
    /// The value that it was put in its place by, where there is an order.
    pub order_value: Option<OrderValue>,
}

/// A page.
#[derive(Clone, Debug, PartialEq)]
pub struct ScrollAnswer {
    /// The points.
    pub points: Vec<ScrolledPoint>,
    /// Where the next page starts.
    pub next_offset: Option<PointId>,
}

impl Service {
    /// Points by id, in the order asked for; those that are missing are left out, and repeated ids come once.
    ///
    /// # Errors
    /// When there is no such collection or vector.
    pub async fn get(
        &self,
        collection: &str,
        ids: Vec<PointId>,
        select: Select,
        options: ReadOptions,
    ) -> Result<Vec<Record>> {
        self.soon(collection, options, move |_, collection, control| {
            Ok(collection.get_with(&ids, &select, control)?)
        })
        .await
    }

    /// A page of points.
    ///
    /// # Errors
    /// When there is no such collection or vector, when there are both an order and an offset, or when no index knows the
    /// order.
    pub async fn scroll(
        &self,
        collection: &str,
        ask: ScrollAsk,
        options: ReadOptions,
    ) -> Result<ScrollAnswer> {
        self.soon(collection, options, move |inner, collection, control| {
            let mut scroll = ask.scroll.clone();
            scroll.limit = scroll.limit.min(MAX_LIMIT);
            let Some(order) = ask.order_by.clone() else {
                let began = Instant::now();
                let page = collection.scroll_with(&scroll, control);
                inner.notice(collection, began, &scroll.filter);
                let page = page?;
                let unordered = |record| ScrolledPoint {
                    record,
                    order_value: None,
                };
                return Ok(ScrollAnswer {
                    points: page.points.into_iter().map(unordered).collect(),
                    next_offset: page.next_offset,
                });
            };
            if scroll.offset.is_some() {
                return Err(ServiceError::bad_input(
                    "Cannot use an `offset` when using `order_by`. The alternative for paging is to use \
                     `order_by.start_from` and a filter to exclude the IDs that you've already seen for the \
                     `order_by.start_from` value",
                ));
            }
            require_order_index(collection, &order.path)?;
            let mut request = QueryRequest::new(vdb::Query::OrderBy(order)).limit(scroll.limit);
            request.select = scroll.select;
            request.filter = scroll.filter;
            let hits = collection.query_with(&request, control)?.into_iter();
            let point = |hit: vdb::ScoredPoint| ScrolledPoint {
                record: Record {
                    id: hit.id,
                    version: hit.version,
                    payload: hit.payload,
                    vectors: hit.vectors,
                },
                order_value: hit.order,
            };
            Ok(ScrollAnswer {
                points: hits.map(point).collect(),
                next_offset: None,
            })
        })
        .await
    }

    /// How many points match; about how many, if `exact` is false.
    ///
    /// # Errors
    /// When there is no such collection.
    pub async fn count(
        &self,
        collection: &str,
        filter: Option<Filter>,
        exact: bool,
        options: ReadOptions,
    ) -> Result<u64> {
        self.soon(
            collection,
            options,
            move |inner, collection, control| match &filter {
                Some(filter) if !exact => Ok(collection.estimate_with(filter, control)?.expected),
                filter => {
                    if exact {
                        collection.check_exact()?;
                    }
                    let began = Instant::now();
                    let count = collection.count_with(filter.as_ref(), control);
                    inner.notice(collection, began, filter);
                    Ok(count?)
                }
            },
        )
        .await
    }

    /// How many points have which value: exactly, whether or not that is asked for with `exact`.
    ///
    /// # Errors
    /// When there is no such collection, no index whose values can be counted, or nobody may ask for it to be exact.
    pub async fn facet(
        &self,
        collection: &str,
        mut request: FacetRequest,
        exact: bool,
        options: ReadOptions,
    ) -> Result<Vec<FacetHit>> {
        self.on_collection(collection, options, move |_, collection, control| {
            use PayloadIndexKind::{Bool, Integer, Keyword, Uuid};
            if exact {
                collection.check_exact()?;
            }
            let countable = has_index(collection, &request.path, |kind| {
                matches!(kind, Bool | Integer | Keyword | Uuid)
            });
            if !countable {
                return Err(ServiceError::bad_input(format!(
                    "No appropriate index for faceting: `{}`. Please create one of the kind keyword, integer, uuid or \
                     bool",
                    request.path
                )));
            }
            request.limit = request.limit.min(MAX_LIMIT);
            Ok(collection.facet_with(&request, control)?)
        })
        .await
    }

    /// Which points of a sample are near each other.
    ///
    /// # Errors
    /// When there is no such collection or vector.
    pub async fn matrix(
        &self,
        collection: &str,
        mut request: MatrixRequest,
        options: ReadOptions,
    ) -> Result<DistanceMatrix> {
        self.on_collection(collection, options, move |_, collection, control| {
            request.limit = request.limit.min(MAX_LIMIT);
            // A sample of more points than there are is all of them.
            if request.sample > MAX_MATRIX_SAMPLE {
                let points = usize::try_from(collection.info()?.points).unwrap_or(usize::MAX);
                request.sample = request.sample.min(points.max(2));
            }
            Ok(collection.distance_matrix_with(&request, control)?)
        })
        .await
    }
}

fn has_index(collection: &Collection, path: &str, fits: impl Fn(PayloadIndexKind) -> bool) -> bool {
    let indexes = collection.payload_indexes();
    indexes
        .iter()
        .any(|(indexed, params)| indexed == path && fits(params.kind))
}

/// Refuses an order that no index knows.
pub(super) fn require_order_index(collection: &Collection, path: &str) -> Result<()> {
    use PayloadIndexKind::{Datetime, Float, Integer};
    if has_index(collection, path, |kind| {
        matches!(kind, Integer | Float | Datetime)
    }) {
        return Ok(());
    }
    Err(ServiceError::bad_input(format!(
        "No range index for `order_by` key: `{path}`. Please create one of the kind integer, float or datetime to use \
         `order_by`"
    )))
}
