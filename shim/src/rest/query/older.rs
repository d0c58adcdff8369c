//! Searches, recommendations, discoveries: queries by the names they had before there were queries. Their results are bare lists.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::Value;
use vdb::{Query, QueryParams, QueryRequest};

use super::body::{LookupLocation, SearchParams};
use super::groups::{GroupsBody, GroupsOut};
use super::kind::{Examples, Input, Pair, Strategy, pairs};
use super::{Alone, AsQuery, Reading, Searches, hits};
use crate::inference::Models;
use crate::rest::App;
use crate::rest::envelope::{Failure, answer};
use crate::rest::extract::{At, Json, Params, ReadParams};
use crate::rest::guard::By;
use crate::rest::meant::Meant;
use crate::rest::reads::number;
use crate::rest::wire::{
    OneOrMany, ShardKeys, WireFilter, WireVector, WithPayload, WithVector, optional, select,
};
use crate::service::{Problems, ServiceError};

pub(super) fn routes() -> Router<App> {
    let below = |path: &str| format!("/collections/{{collection_name}}/points/{path}");
    Router::new()
        .route(&below("search"), post(one::<Search>))
        .route(&below("search/batch"), post(batch::<Search>))
        .route(&below("search/groups"), post(groups::<Search>))
        .route(&below("recommend"), post(one::<Recommend>))
        .route(&below("recommend/batch"), post(batch::<Recommend>))
        .route(&below("recommend/groups"), post(groups::<Recommend>))
        .route(&below("discover"), post(one::<Discover>))
        .route(&below("discover/batch"), post(batch::<Discover>))
}

async fn one<Q: AsQuery>(
    State(app): State<App>,
    By(caller): By,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<Meant<Alone<Q>>>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let request = body.made(&app.service, options).await?;
        let points = app
            .service
            .on_behalf_of(&caller)
            .query(&collection, request, options)
            .await?;
        Ok(hits(points))
    })
    .await
}

async fn batch<Q: AsQuery>(
    State(app): State<App>,
    By(caller): By,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<Meant<Searches<Q>>>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let requests = body.made(&app.service, options).await?;
        let answers = app
            .service
            .on_behalf_of(&caller)
            .query_batch(&collection, requests, options)
            .await?;
        Ok(answers.into_iter().map(hits).collect::<Vec<_>>())
    })
    .await
}

async fn groups<Q: AsQuery>(
    State(app): State<App>,
    By(caller): By,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<Meant<GroupsBody<Q>>>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let request = body.made(&app.service, options).await?;
        let groups = app
            .service
            .on_behalf_of(&caller)
            .query_groups(&collection, request, options)
            .await?;
        Ok(GroupsOut::from(groups))
    })
    .await
}

/// What all three have.
#[derive(Debug, Deserialize)]
struct Common {
    filter: Option<WireFilter>,
    params: Option<SearchParams>,
    #[serde(alias = "top")]
    limit: u64,
    offset: Option<u64>,
    with_payload: Option<WithPayload>,
    #[serde(alias = "with_vectors")]
    with_vector: Option<WithVector>,
    score_threshold: Option<f32>,
    using: Option<Using>,
    lookup_from: Option<LookupLocation>,
    shard_key: Option<ShardKeys>,
}

/// The name of a vector.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Using(String);

impl Common {
    /// `place` and `limit` are what errors call the body and its limit.
    fn request(
        self,
        query: Query,
        (place, limit): (&str, &str),
        mut problems: Problems,
    ) -> Result<QueryRequest, Failure> {
        problems.at_least(limit, Some(self.limit), 1);
        let mut params = QueryParams::default();
        if let Some(given) = &self.params {
            let place = format!("{place}.params");
            given.check(&place, &mut problems);
            params = given.params(&place)?;
        }
        problems.finish()?;
        ShardKeys::refuse_read(self.shard_key.as_ref())?;
        let mut request = QueryRequest::new(query)
            .limit(number(self.limit))
            .offset(self.offset.map_or(0, number));
        request.using = self.using.map(|using| using.0).unwrap_or_default();
        request.filter = optional(self.filter, &format!("{place}.filter"))?;
        request.params = params;
        request.score_threshold = self.score_threshold;
        request.select = select(self.with_payload, self.with_vector, false);
        request.lookup_from = self.lookup_from.map(LookupLocation::lookup).transpose()?;
        Ok(request)
    }
}

/// A vector, with the name of those it is to be compared with.
#[derive(Debug)]
struct NamedVector {
    name: String,
    vector: WireVector,
}

impl<'de> Deserialize<'de> for NamedVector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Named {
            name: String,
            vector: WireVector,
        }
        let value = Value::deserialize(deserializer)?;
        let read = if value.is_object() {
            serde_json::from_value(value).map(|named: Named| NamedVector {
                name: named.name,
                vector: named.vector,
            })
        } else {
            serde_json::from_value(value).map(|vector| NamedVector {
                name: String::new(),
                vector,
            })
        };
        read.map_err(de::Error::custom)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Search {
    vector: NamedVector,
    #[serde(flatten)]
    common: Common,
}

impl AsQuery for Search {
    const PLACES: (&'static str, &'static str) = ("search_request", "search_group_request");

    fn names_model(&self) -> bool {
        self.vector.vector.names_model()
    }

    fn read(mut self, place: &str, limit: &str, models: &mut Models<'_>) -> Result<QueryRequest, Failure> {
        let mut reading = Reading::new(models);
        // Searches know of none: what they look for is a vector.
        self.common.lookup_from = None;
        let target = Input::Vector(self.vector.vector).input(&format!("{place}.vector"), &mut reading)?;
        let query = Query::Nearest(target);
        let mut request = self.common.request(query, (place, limit), reading.problems)?;
        request.using = self.vector.name;
        Ok(request)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Recommend {
    positive: Option<Vec<Input>>,
    negative: Option<Vec<Input>>,
    strategy: Option<Strategy>,
    #[serde(flatten)]
    common: Common,
}

impl AsQuery for Recommend {
    const PLACES: (&'static str, &'static str) = ("recommend_request", "recommend_group_request");

    fn names_model(&self) -> bool {
        let examples = [&self.positive, &self.negative];
        examples.into_iter().flatten().flatten().any(Input::names_model)
    }

    fn read(self, place: &str, limit: &str, models: &mut Models<'_>) -> Result<QueryRequest, Failure> {
        let examples = Examples {
            positive: self.positive,
            negative: self.negative,
            strategy: self.strategy,
        };
        // Queries find this out of range; recommendations find that it makes no sense.
        if let Some(missing) = examples.missing() {
            return Err(ServiceError::bad_request(missing).into());
        }
        let mut reading = Reading::new(models);
        let query = examples.query(place, &mut reading)?;
        self.common.request(query, (place, limit), reading.problems)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Discover {
    target: Option<Input>,
    context: Option<OneOrMany<Pair>>,
    #[serde(flatten)]
    common: Common,
}

impl AsQuery for Discover {
    const PLACES: (&'static str, &'static str) = ("discover_request", "discover_request");

    fn names_model(&self) -> bool {
        self.target.as_ref().is_some_and(Input::names_model)
            || self
                .context
                .as_ref()
                .is_some_and(|context| context.iter().any(Pair::names_model))
    }

    fn read(mut self, place: &str, limit: &str, models: &mut Models<'_>) -> Result<QueryRequest, Failure> {
        let mut reading = Reading::new(models);
        let context = pairs(self.context, place, &mut reading)?;
        let target = self.target.map(|target| target.input(place, &mut reading));
        let query = match target.transpose()? {
            Some(target) => Query::Discover { target, context },
            None if !context.is_empty() => Query::Context(context),
            None => {
                return Err(
                    ServiceError::bad_request("target and/or context_pairs must be specified").into(),
                );
            }
        };
        // Discoveries know of none.
        self.common.score_threshold = None;
        self.common.request(query, (place, limit), reading.problems)
    }
}
