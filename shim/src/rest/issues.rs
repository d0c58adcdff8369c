//! What somebody had better mend, and how.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use vdb::PayloadIndexKind;

use super::App;
use super::envelope::answer;
use super::guard::By;
use crate::service::Issue;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/issues", get(list).delete(clear))
}

async fn list(State(app): State<App>, By(caller): By) -> Response {
    answer(async move {
        let issues = app.service.on_behalf_of(&caller).issues();
        let issues: Vec<Value> = issues.iter().map(tell).collect();
        Ok(json!({ "issues": issues }))
    })
    .await
}

async fn clear(State(app): State<App>) -> Response {
    answer(async move {
        app.service.clear_issues();
        Ok(true)
    })
    .await
}

fn tell(issue: &Issue) -> Value {
    let Issue {
        collection, field, ..
    } = issue;
    let mut ways: Vec<Value> = issue.kinds.iter().map(|kind| way(issue, *kind)).collect();
    let solution = match ways.len() {
        1 => json!({ "immediate": ways.pop() }),
        _ => json!({ "immediate_choice": ways }),
    };
    json!({
        "id": format!("UNINDEXED_FIELD/{collection}/{field}"),
        "description": format!(
            "Queries of the collection \"{collection}\" were slow because of conditions on the field \"{field}\", which has no index"
        ),
        "solution": solution,
        "timestamp": issue.seen.to_string(),
        "related_collection": collection,
    })
}

/// A call that would mend it.
fn way(issue: &Issue, kind: PayloadIndexKind) -> Value {
    let name = utf8_percent_encode(&issue.collection, NON_ALPHANUMERIC);
    let kind = kind.name();
    json!({
        "message": format!("Create an index of the kind {kind} on the field \"{}\"", issue.field),
        "action": {
            "method": "PUT",
            "uri": format!("/collections/{name}/index"),
            "headers": { "content-type": "application/json" },
            "body": { "field_name": issue.field, "field_schema": kind },
        },
    })
}
