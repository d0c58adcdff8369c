//! Queries and groups.

use std::collections::BTreeMap;

use vdb::{
    Collection, Control, Error, Group, GroupId, GroupRequest, MAX_EF, MAX_LIMIT, PointId, Prefetch, Query,
    QueryRequest, Record, ScoredPoint, Select,
};

use super::access::Right;
use super::error::{Result, ServiceError};
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
            let answers = collection
                .query_batch_with(&requests, control)
                .map_err(|error| lookup_error(inner, collection, error))?;
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
            let groups = collection
                .query_groups_with(&request.groups, control)
                .map_err(|error| lookup_error(inner, collection, error))?;
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
    request.limit = request.limit.min(MAX_LIMIT);
    request.offset = request.offset.min(MAX_LIMIT);
    // No beam is wider than what the engine allows.
    request.params.ef = request.params.ef.map(|ef| ef.min(MAX_EF));
    if request.prefetch.is_empty() && matches!(request.query, Some(Query::Sample { .. })) {
        request.offset = 0;
    }
    if let Some(Query::OrderBy(order)) = &request.query {
        require_order_index(collection, &order.path)?;
    }
    let mut prefetches: Vec<&mut Prefetch> = request.prefetch.iter_mut().collect();
    while let Some(prefetch) = prefetches.pop() {
        if prefetch.query.is_none() && prefetch.prefetch.is_empty() {
            return Err(ServiceError::bad_request("A prefetch must have a query"));
        }
        prefetch.limit = prefetch.limit.min(MAX_LIMIT);
        prefetch.params.ef = prefetch.params.ef.map(|ef| ef.min(MAX_EF));
        if let Some(Query::OrderBy(order)) = &prefetch.query {
            require_order_index(collection, &order.path)?;
        }
        prefetches.extend(prefetch.prefetch.iter_mut());
    }
    Ok(())
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
        if error == ServiceError::no_collection(&lookup.collection) {
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
