//! Queries, and the older searches, recommendations and discoveries, which are queries by other names.
//!
//! | file | what |
//! |---|---|
//! | `body.rs` | a query with its prefetches |
//! | `asked.rs`, `kind.rs` | what is asked for, as it is read; what it means |
//! | `expression.rs` | formulas |
//! | `groups.rs` | groups |
//! | `older.rs` | searches, recommendations, discoveries |

mod asked;
mod body;
mod expression;
mod groups;
mod kind;
mod older;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::{Deserialize, Serialize};
use vdb::{QueryRequest, ScoredPoint};

use super::App;
use super::envelope::{Failure, answer};
use super::extract::{At, Json, Params, ReadParams};
use super::guard::By;
use super::meant::{self, Means, Meant};
use super::wire::{Bodies, ScoredOut};
use crate::inference::Models;
use crate::service::{Problems, check_batch};
use body::QueryBody;
use groups::{GroupsBody, GroupsOut};

pub(super) use kind::OrderByBody;

pub(super) fn routes() -> Router<App> {
    let below = |path: &str| format!("/collections/{{collection_name}}/points/{path}");
    Router::new()
        .route(&below("query"), post(query))
        .route(&below("query/batch"), post(query_batch))
        .route(&below("query/groups"), post(query_groups))
        .merge(older::routes())
}

/// How bodies are read.
pub(super) const BODIES: Bodies = &[
    ("query", meant::reads::<Alone<QueryBody>>),
    ("query batch", meant::reads::<Searches<QueryBody>>),
    ("query groups", meant::reads::<GroupsBody<QueryBody>>),
    ("search", meant::reads::<Alone<older::Search>>),
    ("recommend", meant::reads::<Alone<older::Recommend>>),
    ("discover", meant::reads::<Alone<older::Discover>>),
];

/// Hits in an object of their own.
#[derive(Serialize)]
struct Points {
    points: Vec<ScoredOut>,
}

fn hits(points: Vec<ScoredPoint>) -> Vec<ScoredOut> {
    points.into_iter().map(ScoredOut::from).collect()
}

/// What goes along while a query is read: what is wrong with its values, and what makes vectors of its texts.
struct Reading<'m, 'c> {
    problems: Problems,
    models: &'m mut Models<'c>,
}

impl<'m, 'c> Reading<'m, 'c> {
    fn new(models: &'m mut Models<'c>) -> Self {
        Reading {
            problems: Problems::new(),
            models,
        }
    }
}

/// A body that is a query.
trait AsQuery: serde::de::DeserializeOwned + Send + 'static {
    /// What errors call the query, and the query of groups.
    const PLACES: (&'static str, &'static str);

    /// Whether there are texts in it that a model makes vectors of.
    fn names_model(&self) -> bool;

    /// What is asked of the service; `place` is what errors call the body, `limit` what they call its limit.
    fn read(self, place: &str, limit: &str, models: &mut Models<'_>) -> Result<QueryRequest, Failure>;
}

/// A body that stands alone.
#[derive(Deserialize)]
#[serde(transparent)]
struct Alone<Q>(Q);

impl<Q: AsQuery> Means for Alone<Q> {
    type Meaning = QueryRequest;

    fn names_model(&self) -> bool {
        self.0.names_model()
    }

    fn meaning(self, models: &mut Models<'_>) -> Result<QueryRequest, Failure> {
        let place = Q::PLACES.0;
        self.0.read(place, &format!("{place}.limit"), models)
    }
}

/// Several bodies to be answered together.
#[derive(Deserialize)]
struct Searches<Q> {
    searches: Vec<Q>,
}

impl<Q: AsQuery> Means for Searches<Q> {
    type Meaning = Vec<QueryRequest>;

    fn names_model(&self) -> bool {
        self.searches.iter().any(Q::names_model)
    }

    fn meaning(self, models: &mut Models<'_>) -> Result<Vec<QueryRequest>, Failure> {
        // Before anything is made of so many.
        check_batch(self.searches.len())?;
        let searches = self.searches.into_iter().enumerate();
        let read = |(number, search): (usize, Q)| {
            let place = format!("searches[{number}].{}", Q::PLACES.0);
            search.read(&place, &format!("{place}.limit"), models)
        };
        searches.map(read).collect()
    }
}

async fn query(
    State(app): State<App>,
    By(caller): By,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<Meant<Alone<QueryBody>>>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let request = body.made(&app.service, options).await?;
        let points = app
            .service
            .on_behalf_of(&caller)
            .query(&collection, request, options)
            .await?;
        Ok(Points { points: hits(points) })
    })
    .await
}

async fn query_batch(
    State(app): State<App>,
    By(caller): By,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<Meant<Searches<QueryBody>>>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let requests = body.made(&app.service, options).await?;
        let answers = app
            .service
            .on_behalf_of(&caller)
            .query_batch(&collection, requests, options)
            .await?;
        let answers = answers.into_iter().map(|points| Points { points: hits(points) });
        Ok(answers.collect::<Vec<_>>())
    })
    .await
}

async fn query_groups(
    State(app): State<App>,
    By(caller): By,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<Meant<GroupsBody<QueryBody>>>,
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
