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
use super::wire::{Bodies, ScoredOut};
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
    ("query", |bytes| {
        serde_json::from_slice::<QueryBody>(bytes).is_ok_and(|body| body.request().is_ok())
    }),
    ("query batch", |bytes| {
        serde_json::from_slice::<Searches<QueryBody>>(bytes).is_ok_and(|body| requests(body).is_ok())
    }),
    ("query groups", |bytes| {
        serde_json::from_slice::<GroupsBody<QueryBody>>(bytes).is_ok_and(|body| body.request().is_ok())
    }),
    ("search", older::reads::<older::Search>),
    ("recommend", older::reads::<older::Recommend>),
    ("discover", older::reads::<older::Discover>),
];

/// Hits in an object of their own.
#[derive(Serialize)]
struct Points {
    points: Vec<ScoredOut>,
}

fn hits(points: Vec<ScoredPoint>) -> Vec<ScoredOut> {
    points.into_iter().map(ScoredOut::from).collect()
}

/// Several bodies to be answered together.
#[derive(Deserialize)]
struct Searches<T> {
    searches: Vec<T>,
}

/// A body that is a query.
trait AsQuery: serde::de::DeserializeOwned + Send + 'static {
    /// What errors call the query, and the query of groups.
    const PLACES: (&'static str, &'static str);

    /// What is asked of the service; `place` is what errors call the body, `limit` what they call its limit.
    fn read(self, place: &str, limit: &str) -> Result<QueryRequest, Failure>;

    /// As [`read`](Self::read), of a body that stands alone.
    fn request(self) -> Result<QueryRequest, Failure> {
        let place = Self::PLACES.0;
        self.read(place, &format!("{place}.limit"))
    }
}

fn requests<T: AsQuery>(searches: Searches<T>) -> Result<Vec<QueryRequest>, Failure> {
    let searches = searches.searches.into_iter().enumerate();
    let read = |(number, search): (usize, T)| {
        let place = format!("searches[{number}].{}", T::PLACES.0);
        search.read(&place, &format!("{place}.limit"))
    };
    searches.map(read).collect()
}

async fn query(
    State(app): State<App>,
    By(caller): By,
    At(collection): At<String>,
    Params(params): Params<ReadParams>,
    Json(body): Json<QueryBody>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let points = app
            .service
            .on_behalf_of(&caller)
            .query(&collection, body.request()?, options)
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
    Json(body): Json<Searches<QueryBody>>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let answers = app
            .service
            .on_behalf_of(&caller)
            .query_batch(&collection, requests(body)?, options)
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
    Json(body): Json<GroupsBody<QueryBody>>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let request = body.request()?;
        let groups = app
            .service
            .on_behalf_of(&caller)
            .query_groups(&collection, request, options)
            .await?;
        Ok(GroupsOut::from(groups))
    })
    .await
}
