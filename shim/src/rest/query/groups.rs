//! Groups.

use serde::{Deserialize, Serialize};
use vdb::{GroupId, GroupRequest};

use super::AsQuery;
use crate::inference::Models;
use crate::rest::envelope::Failure;
use crate::rest::meant::Means;
use crate::rest::reads::number;
use crate::rest::wire::{RecordOut, ScoredOut, WirePath, WithPayload, WithVector, select};
use crate::service::{GroupHits, GroupsRequest, Problems, WithLookup};

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected the name of a collection, or an object of a `collection`, `with_payload` and `with_vectors`"
)]
enum Lookup {
    Collection(String),
    Full {
        collection: String,
        with_payload: Option<WithPayload>,
        #[serde(alias = "with_vector")]
        with_vectors: Option<WithVector>,
    },
}

impl From<Lookup> for WithLookup {
    fn from(lookup: Lookup) -> Self {
        match lookup {
            Lookup::Collection(collection) => WithLookup {
                collection,
                select: select(None, None, true),
            },
            Lookup::Full {
                collection,
                with_payload,
                with_vectors,
            } => WithLookup {
                collection,
                select: select(with_payload, with_vectors, true),
            },
        }
    }
}

/// The body of a query with that of its groups.
#[derive(Debug, Deserialize)]
pub(super) struct GroupsBody<Q> {
    #[serde(flatten)]
    query: Q,
    group_by: WirePath,
    group_size: Option<u64>,
    with_lookup: Option<Lookup>,
}

impl<Q: AsQuery> Means for GroupsBody<Q> {
    type Meaning = GroupsRequest;

    fn names_model(&self) -> bool {
        self.query.names_model()
    }

    fn meaning(self, models: &mut Models<'_>) -> Result<GroupsRequest, Failure> {
        let query = Q::PLACES.1;
        let place = format!("{query}.group_request");
        let mut problems = Problems::new();
        problems.at_least(format_args!("{place}.group_size"), self.group_size, 1);
        problems.finish()?;
        let request = self.query.read(query, &format!("{place}.limit"), models)?;
        let size = self.group_size.map_or(3, number);
        Ok(GroupsRequest {
            groups: GroupRequest::new(request, self.group_by.into_text()).group_size(size),
            lookup: self.with_lookup.map(Lookup::into),
        })
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum IdOut {
    Integer(i64),
    Unsigned(u64),
    String(String),
}

#[derive(Serialize)]
struct GroupOut {
    hits: Vec<ScoredOut>,
    id: IdOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    lookup: Option<RecordOut>,
}

/// Groups as they are answered.
#[derive(Serialize)]
pub(super) struct GroupsOut {
    groups: Vec<GroupOut>,
}

impl From<Vec<GroupHits>> for GroupsOut {
    fn from(groups: Vec<GroupHits>) -> Self {
        let group = |hits: GroupHits| GroupOut {
            hits: super::hits(hits.group.hits),
            id: match hits.group.id {
                GroupId::Integer(number) => IdOut::Integer(number),
                GroupId::Unsigned(number) => IdOut::Unsigned(number),
                GroupId::String(text) => IdOut::String(text),
            },
            lookup: hits.lookup.map(RecordOut::from),
        };
        GroupsOut {
            groups: groups.into_iter().map(group).collect(),
        }
    }
}
