//! Queries and groups.

use std::collections::BTreeMap;
use std::time::Instant;

use vdb::{
    Collection, Control, Error, Group, GroupId, GroupRequest, LookupFrom, MAX_BATCH_REQUESTS, MAX_EF,
    MAX_LIMIT, MAX_MMR_CANDIDATES, PointId, Prefetch, Query, QueryParams, QueryRequest, Record, ScoredPoint,
    Select,
};

use super::access::Right;
use super::error::{ErrorKind, Result, ServiceError};
use super::issues::filters_of;
use super::read::{ReadOptions, require_order_index};
use super::{Inner, Service};

/// Records of another collection, by the values of groups.
#[derive(Clone, Debug, PartialEq)]
pub struct WithLookup {
    /// The collection.
    pub collection: String,
    /// What comes back of its points.
    pub select: Select,
}

/// A query whose results are put into groups.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupsRequest {
    /// The query, the field, the sizes.
    pub groups: GroupRequest,
    /// What is brought along for each group.
    pub lookup: Option<WithLookup>,
}

/// A group with what was brought along for it.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupHits {
    /// The group.
    pub group: Group,
    /// The record whose id its value is, if there is one.
    pub lookup: Option<Record>,
}

/// Refuses more queries than may be answered together.
///
/// # Errors
/// Of the kind [`ErrorKind::BadInput`].
pub(crate) fn check_batch(queries: usize) -> Result<()> {
    if queries > MAX_BATCH_REQUESTS {
        return Err(ServiceError::from(Error::Limit {
            what: "requests in one batch",
            limit: MAX_BATCH_REQUESTS,
            found: queries,
        }));
    }
    Ok(())
}

impl Service {
    /// The points that a query asks for.
    ///
    /// # Errors
    /// When there is no such collection, vector or point, the caller may not read a collection that vectors are taken from, or
    /// the query makes no sense.
    pub async fn query(
        &self,
        collection: &str,
        request: QueryRequest,
        options: ReadOptions,
    ) -> Result<Vec<ScoredPoint>> {
        let mut answers = self.query_batch(collection, vec![request], options).await?;
        let last = answers.pop();
        last.ok_or_else(|| ServiceError::internal("a query has no answer"))
    }

    /// The answers to several queries, all of one moment.
    ///
    /// # Errors
    /// As [`query`](Self::query); one that fails fails them all.
    pub async fn query_batch(
        &self,
        collection: &str,
        mut requests: Vec<QueryRequest>,
        options: ReadOptions,
    ) -> Result<Vec<Vec<ScoredPoint>>> {
        for request in &requests {
            self.access().lookups(request)?;
        }
        let one = requests.len() == 1;
        let work = move |inner: &Inner, collection: &Collection, control: &Control<'_>| {
            for request in &mut requests {
                prepare(collection, request)?;
            }
            let began = Instant::now();
            let answers = collection.query_batch_with(&requests, control);
            inner.notice(collection, began, requests.iter().flat_map(filters_of));
            let answers = answers.map_err(|error| lookup_error(inner, collection, error))?;
            Ok(answers
                .into_iter()
                .zip(&requests)
                .map(|(hits, request)| without_versions(hits, request))
                .collect())
        };
        if one {
            self.soon(collection, options, work).await
        } else {
            self.on_collection(collection, options, work).await
        }
    }

    /// The best points of each value of a field.
    ///
    /// # Errors
    /// As [`query`](Self::query), and when there is no such collection to look records up in.
    pub async fn query_groups(
        &self,
        collection: &str,
        mut request: GroupsRequest,
        options: ReadOptions,
    ) -> Result<Vec<GroupHits>> {
        self.access().lookups(&request.groups.query)?;
        if let Some(lookup) = &request.lookup {
            self.access().on(&lookup.collection, Right::Read)?;
        }
        self.on_collection(collection, options, move |inner, collection, control| {
            prepare(collection, &mut request.groups.query)?;
            // Groups have no pages.
            request.groups.query.offset = 0;
            request.groups.group_size = request.groups.group_size.min(MAX_LIMIT);
            let lookup = request.lookup.as_ref();
            let other = lookup
                .map(|lookup| lookup_collection(inner, lookup))
                .transpose()?;
            let began = Instant::now();
            let groups = collection.query_groups_with(&request.groups, control);
            inner.notice(collection, began, filters_of(&request.groups.query));
            let groups = groups.map_err(|error| lookup_error(inner, collection, error))?;
            let mut hits: Vec<GroupHits> = groups
                .into_iter()
                .map(|group| GroupHits { group, lookup: None })
                .collect();
            if let (Some(other), Some(lookup)) = (other, lookup) {
                bring_along(&other, lookup, &mut hits, control)?;
            }
            Ok(hits)
        })
        .await
    }
}

/// Bounds what a caller may ask for without meaning it, and refuses what only the engine would do.
fn prepare(collection: &Collection, request: &mut QueryRequest) -> Result<()> {
    request.offset = request.offset.min(MAX_LIMIT);
    if request.prefetch.is_empty() && matches!(request.query, Some(Query::Sample { .. })) {
        request.offset = 0;
    }
    diversify(
        request.query.as_mut(),
        request.limit.saturating_add(request.offset),
    );
    Stage {
        has_prefetches: !request.prefetch.is_empty(),
        query: request.query.as_ref(),
        using: &mut request.using,
        lookup_from: &mut request.lookup_from,
        params: &mut request.params,
        threshold: &mut request.score_threshold,
        limit: &mut request.limit,
    }
    .prepare(collection)?;
    let mut prefetches: Vec<&mut Prefetch> = request.prefetch.iter_mut().collect();
    while let Some(prefetch) = prefetches.pop() {
        diversify(prefetch.query.as_mut(), prefetch.limit);
        Stage {
            has_prefetches: !prefetch.prefetch.is_empty(),
            query: prefetch.query.as_ref(),
            using: &mut prefetch.using,
            lookup_from: &mut prefetch.lookup_from,
            params: &mut prefetch.params,
            threshold: &mut prefetch.score_threshold,
            limit: &mut prefetch.limit,
        }
        .prepare(collection)?;
        prefetches.extend(prefetch.prefetch.iter_mut());
    }
    Ok(())
}

/// Diverse results are chosen from as many candidates as there are results where a caller names no number of them, and 0 is none:
/// from no more than there may be.
fn diversify(query: Option<&mut Query>, want: usize) {
    if let Some(Query::Mmr { candidates, .. }) = query {
        let bounded = (want > MAX_MMR_CANDIDATES).then_some(MAX_MMR_CANDIDATES);
        *candidates = candidates.filter(|&named| named > 0).or(bounded);
    }
}

/// A query or a prefetch, as far as they have the same parts.
struct Stage<'a> {
    has_prefetches: bool,
    query: Option<&'a Query>,
    using: &'a mut String,
    lookup_from: &'a mut Option<LookupFrom>,
    params: &'a mut QueryParams,
    threshold: &'a mut Option<f32>,
    limit: &'a mut usize,
}

impl Stage<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others are about vectors, and take all that is said of them"
    )]
    fn prepare(self, collection: &Collection) -> Result<()> {
        *self.limit = (*self.limit).min(MAX_LIMIT);
        // No beam is wider than what the engine allows.
        self.params.ef = self.params.ef.map(|ef| ef.min(MAX_EF));
        let Some(query) = self.query else {
            if self.has_prefetches {
                return Err(ServiceError::bad_request(
                    "A query is needed to merge the prefetches. Can't have prefetches without defining a query.",
                ));
            }
            if self.threshold.is_some() {
                return Err(ServiceError::bad_request(
                    "A query is needed to use the score_threshold. Can't have score_threshold without defining a query.",
                ));
            }
            self.not_about_vectors();
            return Ok(());
        };
        match query {
            Query::OrderBy(order) => {
                if self.threshold.is_some() {
                    return Err(ServiceError::bad_request(
                        "Can't use score_threshold with an order_by query.",
                    ));
                }
                require_order_index(collection, &order.path)?;
                self.not_about_vectors();
            }
            Query::Sample { .. } => {
                // All of a sample have one score.
                *self.threshold = None;
                self.not_about_vectors();
            }
            Query::Fusion(_) => {
                if !self.using.is_empty() {
                    return Err(ServiceError::bad_request(
                        "Fusion queries cannot be combined with the 'using' field.",
                    ));
                }
                self.not_about_vectors();
            }
            Query::Formula(_) => self.not_about_vectors(),
            _ => {}
        }
        Ok(())
    }

    /// What is said of vectors by a query that is about none is passed over; the engine would refuse it.
    fn not_about_vectors(self) {
        self.using.clear();
        *self.lookup_from = None;
        self.params.idf = None;
    }
}

/// Points that no score put in their places come without versions.
fn without_versions(mut hits: Vec<ScoredPoint>, request: &QueryRequest) -> Vec<ScoredPoint> {
    let by_scroll = match &request.query {
        None => true,
        Some(Query::OrderBy(_) | Query::Sample { .. }) => request.prefetch.is_empty(),
        Some(_) => false,
    };
    if by_scroll {
        for hit in &mut hits {
            hit.version = 0;
        }
    }
    hits
}

fn lookup_collection(inner: &Inner, lookup: &WithLookup) -> Result<Collection> {
    inner.collection(&lookup.collection).map_err(|error| {
        // What none can be called is not there either.
        if error.kind == ErrorKind::Name || error == ServiceError::no_collection(&lookup.collection) {
            no_lookup(&lookup.collection)
        } else {
            error
        }
    })
}

fn no_lookup(name: &str) -> ServiceError {
    ServiceError::not_found(format!("Collection {name} not found"))
}

/// A collection that is missing while the one that is asked is there is one that ids were to be looked up in.
fn lookup_error(inner: &Inner, asked: &Collection, error: Error) -> ServiceError {
    if let Error::CollectionNotFound { name } = &error
        && name != asked.name()
        && !inner.database.exists(name)
    {
        return no_lookup(name);
    }
    error.into()
}

/// Records by the values of groups: a number is an id, and so is a text that spells a UUID.
fn bring_along(
    other: &Collection,
    lookup: &WithLookup,
    hits: &mut [GroupHits],
    control: &Control<'_>,
) -> Result<()> {
    let ids: Vec<PointId> = hits.iter().filter_map(|hit| id_of(&hit.group.id)).collect();
    let records = other.get_with(&ids, &lookup.select, control)?;
    let records: BTreeMap<PointId, Record> = records.into_iter().map(|record| (record.id, record)).collect();
    for hit in hits {
        // Several groups may stand for one record: 7 and "7" do not, but spellings of a UUID do.
        hit.lookup = id_of(&hit.group.id).and_then(|id| records.get(&id).cloned());
    }
    Ok(())
}

fn id_of(group: &GroupId) -> Option<PointId> {
    match group {
        GroupId::Integer(number) => u64::try_from(*number).ok().map(PointId::Num),
        GroupId::Unsigned(number) => Some(PointId::Num(*number)),
        GroupId::String(text) => uuid::Uuid::try_parse(text).ok().map(PointId::Uuid),
    }
}
