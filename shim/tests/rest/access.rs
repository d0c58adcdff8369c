//! Every call, made by everybody.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::*;
use vdb_qdrant::service::access::{CALLS, Needs, Right};

const KEY: &str = "secret";

fn keys() -> Keys {
    Keys::none().full(KEY).read_only("reader").tokens()
}

/// A token with these claims.
fn token(claims: &Value) -> String {
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let header = json!({"alg": "HS256", "typ": "JWT"}).to_string();
    let body = format!("{}.{}", part(header), part(claims.to_string()));
    let mut code: Hmac<Sha256> = Hmac::new_from_slice(KEY.as_bytes()).unwrap();
    code.update(body.as_bytes());
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(code.finalize().into_bytes()))
}

fn of_collection(collection: &str, access: &str) -> String {
    token(&json!({"access": [{"collection": collection, "access": access}]}))
}

impl Server {
    async fn by(&self, key: &str, method: &str, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(method).uri(path).header("api-key", key);
        let request = request.header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }
}

/// A caller, and which calls he may make of those that concern the collection `c` or all of them.
struct Somebody {
    key: String,
    may: fn(Needs) -> bool,
}

fn everybody() -> Vec<Somebody> {
    let somebody = |key: String, may| Somebody { key, may };
    let reads: fn(Needs) -> bool = |needs| {
        matches!(
            needs,
            Needs::Key | Needs::Everywhere(Right::Read) | Needs::On(Right::Read)
        )
    };
    vec![
        somebody(KEY.to_owned(), |_| true),
        somebody(token(&json!({})), |_| true),
        somebody(token(&json!({"access": "m"})), |_| true),
        somebody("reader".to_owned(), reads),
        somebody(token(&json!({"access": "r"})), reads),
        somebody(of_collection("c", "rw"), |needs| {
            matches!(
                needs,
                Needs::Key | Needs::On(Right::Read | Right::WritePoints | Right::Write)
            )
        }),
        somebody(of_collection("c", "prw"), |needs| {
            matches!(needs, Needs::Key | Needs::On(Right::Read | Right::WritePoints))
        }),
        somebody(of_collection("c", "r"), |needs| {
            matches!(needs, Needs::Key | Needs::On(Right::Read))
        }),
        somebody(of_collection("d", "rw"), |needs| needs == Needs::Key),
        somebody(token(&json!({"access": []})), |needs| needs == Needs::Key),
    ]
}

/// A path of a route, about the collection `c`.
fn path(route: &str) -> String {
    if route == "/dashboard/{file}" {
        return "/dashboard/main.js".to_owned();
    }
    let parts = [
        ("{collection_name}", "c"),
        ("{shard_id}", "0"),
        ("{snapshot_name}", "none"),
        ("{field_name}", "f"),
        ("{vector_name}", "v"),
        ("{key}", "k"),
        ("{peer_id}", "1"),
        ("{id}", "1"),
    ];
    parts
        .iter()
        .fold(route.to_owned(), |path, (part, value)| path.replace(part, value))
}

#[tokio::test]
async fn every_call_asks_who_makes_it() {
    let server = Server::with_keys(keys());
    for call in CALLS {
        for (method, route) in call.rest {
            let path = path(route);
            let nobody = server.raw(method, &path, "{}").await;
            if call.needs == Needs::Nothing {
                assert_eq!(nobody.status, 200, "{method} {route}");
                continue;
            }
            assert_eq!(nobody.status, 401, "{method} {route}");
            for (number, somebody) in everybody().into_iter().enumerate() {
                let answer = server.by(&somebody.key, method, &path, json!({})).await;
                let refused = answer.status == 403;
                assert_eq!(
                    refused,
                    !(somebody.may)(call.needs),
                    "{method} {route}, caller {number}: {answer:?}"
                );
                if refused {
                    assert!(answer.error(403).starts_with("Forbidden: "), "{method} {route}");
                }
                assert_ne!(answer.status, 401, "{method} {route}, caller {number}");
                // A route that is not there has nothing to say.
                assert!(!answer.bytes.is_empty(), "{method} {route} is not there");
            }
        }
    }
}

#[tokio::test]
async fn tokens_that_do_not_count_open_nothing() {
    let server = Server::with_keys(keys());
    let good = token(&json!({"access": "r"}));
    let (body, _) = good.rsplit_once('.').unwrap();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let claims = URL_SAFE_NO_PAD.encode(r#"{"access":"m"}"#);
    for bad in [
        token(&json!({"exp": 1})),
        token(&json!({"access": "everything"})),
        format!("{body}.AAAA"),
        format!("{none}.{claims}."),
        "x".repeat(30_000),
        "reader ".to_owned(),
    ] {
        let answer = server.by(&bad, "GET", "/collections", Value::Null).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
        assert!(
            answer.text().starts_with("Invalid API key or JWT"),
            "{}",
            answer.text()
        );
    }
    let without = Server::with_keys(Keys::none().full(KEY));
    assert_eq!(
        without.by(&good, "GET", "/collections", Value::Null).await.status,
        401
    );
}

/// Collections `c`, `d` and `users`, with points and an alias each, behind keys.
async fn stocked() -> Server {
    let server = Server::with_keys(keys());
    for name in ["c", "d", "users"] {
        let path = format!("/collections/{name}");
        let config = json!({"vectors": {"size": 2, "distance": "Dot"}});
        server.by(KEY, "PUT", &path, config).await.result();
        let points = json!({"points": [{"id": 1, "vector": [1.0, 0.0], "payload": {"name": "owl", "age": 3, "admin": true}}]});
        server
            .by(KEY, "PUT", &format!("{path}/points?wait=true"), points)
            .await
            .result();
        let alias = json!({"collection_name": name, "alias_name": format!("{name}-alias")});
        let actions = json!({"actions": [{"create_alias": alias}]});
        server
            .by(KEY, "POST", "/collections/aliases", actions)
            .await
            .result();
    }
    server
}

#[tokio::test]
async fn lists_show_what_the_caller_may_see() {
    let server = stocked().await;
    let two =
        token(&json!({"access": [{"collection": "c", "access": "r"}, {"collection": "d", "access": "rw"}]}));
    let listed = server.by(&two, "GET", "/collections", Value::Null).await.result();
    assert_eq!(listed, json!({"collections": [{"name": "c"}, {"name": "d"}]}));
    let aliases = server.by(&two, "GET", "/aliases", Value::Null).await.result();
    let names: Vec<_> = aliases["aliases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["alias_name"])
        .collect();
    assert_eq!(names, ["c-alias", "d-alias"]);
    let all = server
        .by("reader", "GET", "/collections", Value::Null)
        .await
        .result();
    assert_eq!(all["collections"].as_array().unwrap().len(), 3);
    // A name that is another one of the same collection has to be allowed by itself.
    let by_alias = server.by(&two, "GET", "/collections/c-alias", Value::Null).await;
    assert_eq!(
        by_alias.error(403),
        "Forbidden: Access to collection c-alias is required"
    );
    // Nor does a path by another spelling lead elsewhere.
    let spelled = server.by(&two, "GET", "/collections/%75sers", Value::Null).await;
    assert_eq!(
        spelled.error(403),
        "Forbidden: Access to collection users is required"
    );
    assert_eq!(
        server
            .by(&two, "GET", "/collections/%63", Value::Null)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn queries_take_nothing_from_collections_that_the_caller_may_not_read() {
    let server = stocked().await;
    let from = |collection: &str| json!({"collection": collection});
    let queries = |other: &str| {
        let nearest = json!({"query": 1, "limit": 1, "lookup_from": from(other)});
        let inner = json!({"prefetch": {"query": 1, "lookup_from": from(other)}, "query": [1.0, 0.0]});
        let outer = json!({"prefetch": [inner], "query": {"fusion": "rrf"}});
        let groups = json!({"query": [1.0, 0.0], "group_by": "name", "with_lookup": other});
        [
            ("query", nearest.clone()),
            ("query", outer.clone()),
            ("query/batch", json!({"searches": [{"query": [1.0, 0.0]}, outer]})),
            ("query/groups", groups),
            (
                "recommend",
                json!({"positive": [1], "limit": 1, "lookup_from": from(other)}),
            ),
            (
                "recommend/batch",
                json!({"searches": [{"positive": [1], "limit": 1, "lookup_from": from(other)}]}),
            ),
            (
                "discover",
                json!({"target": 1, "limit": 1, "lookup_from": from(other)}),
            ),
            (
                "search/groups",
                json!({"vector": [1.0, 0.0], "limit": 1, "group_by": "name", "with_lookup": from(other)}),
            ),
        ]
    };
    let caller = of_collection("c", "rw");
    for (path, body) in queries("users") {
        let path = format!("/collections/c/points/{path}");
        let refused = server.by(&caller, "POST", &path, body.clone()).await.error(403);
        assert_eq!(
            refused, "Forbidden: Access to collection users is required",
            "{path} {body}"
        );
        server.by("reader", "POST", &path, body).await.result();
    }
    for (path, body) in queries("c") {
        server
            .by(&caller, "POST", &format!("/collections/c/points/{path}"), body)
            .await
            .result();
    }
}

#[tokio::test]
async fn a_token_holds_as_long_as_its_point_is_there() {
    let server = stocked().await;
    let condition = |matches: Value| {
        token(&json!({"access": "r", "value_exists": {"collection": "users", "matches": matches}}))
    };
    let list = |key: String| {
        let server = &server;
        async move {
            server
                .by(&key, "GET", "/collections", Value::Null)
                .await
                .status
                .as_u16()
        }
    };
    let owl = || {
        condition(
            json!([{"key": "name", "value": "owl"}, {"key": "age", "value": 3}, {"key": "admin", "value": true}]),
        )
    };
    assert_eq!(list(owl()).await, 200);
    assert_eq!(
        list(condition(json!([{"key": "name", "value": "hawk"}]))).await,
        401
    );
    assert_eq!(
        list(condition(
            json!([{"key": "name", "value": "owl"}, {"key": "age", "value": 4}])
        ))
        .await,
        401
    );
    let nowhere =
        token(&json!({"value_exists": {"collection": "none", "matches": [{"key": "a", "value": 1}]}}));
    assert_eq!(list(nowhere).await, 401);
    server
        .by(
            KEY,
            "POST",
            "/collections/users/points/delete?wait=true",
            json!({"points": [1]}),
        )
        .await
        .result();
    let refused = server.by(&owl(), "GET", "/collections", Value::Null).await;
    assert_eq!(
        (refused.status.as_u16(), refused.text().as_str()),
        (401, "Invalid JWT, stateful validation failed")
    );
}
