//! Every call of gRPC, made by everybody.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use http::{Request, Response};
use qdrant_client::config::QdrantConfig;
use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, LookupLocationBuilder, PrefetchQueryBuilder, QueryPointsBuilder,
    VectorParamsBuilder,
};
use serde_json::{Value, json};
use sha2::Sha256;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::{Service as _, ServiceExt as _};
use vdb_qdrant::client::QdrantError;
use vdb_qdrant::grpc::ServerOptions;
use vdb_qdrant::service::Keys;
use vdb_qdrant::service::access::{CALLS, Needs, Right};

use super::fixture::Server;

const KEY: &str = "secret";

/// Which calls somebody may make.
type May = fn(Needs) -> bool;

fn token(claims: &Value) -> String {
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let header = json!({"alg": "HS256", "typ": "JWT"}).to_string();
    let body = format!("{}.{}", part(header), part(claims.to_string()));
    let mut code: Hmac<Sha256> = Hmac::new_from_slice(KEY.as_bytes()).unwrap();
    code.update(body.as_bytes());
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(code.finalize().into_bytes()))
}

async fn guarded() -> Server {
    Server::start(ServerOptions {
        keys: Keys::none().full(KEY).read_only("reader").tokens(),
        ..ServerOptions::default()
    })
    .await
}

/// A message whose first field is the text `c`, as the name of a collection is wherever there is one.
const MESSAGE: [u8; 8] = [0, 0, 0, 0, 3, 0x0a, 1, b'c'];

/// The status of a call; `Ok` where it has begun to be answered.
async fn call(channel: &mut Channel, method: &str, key: Option<&str>) -> Code {
    let mut request = Request::post(format!("/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let body = tonic::body::Body::new(Body::from(MESSAGE.to_vec()));
    let ready = channel.ready().await.unwrap();
    let answer: Response<_> = ready.call(request.body(body).unwrap()).await.unwrap();
    Status::from_header_map(answer.headers()).map_or(Code::Ok, |status| status.code())
}

#[tokio::test]
async fn every_call_asks_who_makes_it() {
    let server = guarded().await;
    let mut channel = Channel::from_shared(server.url())
        .unwrap()
        .connect()
        .await
        .unwrap();
    let of = |collection: &str, access: &str| {
        token(&json!({"access": [{"collection": collection, "access": access}]}))
    };
    let reads: May = |needs| {
        matches!(
            needs,
            Needs::Key | Needs::Everywhere(Right::Read) | Needs::On(Right::Read)
        )
    };
    let everybody: [(String, May); 7] = [
        (KEY.to_owned(), |_| true),
        (token(&json!({"access": "m"})), |_| true),
        (token(&json!({"access": "r"})), reads),
        (of("c", "rw"), |needs| {
            matches!(
                needs,
                Needs::Key | Needs::On(Right::Read | Right::WritePoints | Right::Write)
            )
        }),
        (of("c", "prw"), |needs| {
            matches!(needs, Needs::Key | Needs::On(Right::Read | Right::WritePoints))
        }),
        (of("c", "r"), |needs| {
            matches!(needs, Needs::Key | Needs::On(Right::Read))
        }),
        (of("d", "rw"), |needs| needs == Needs::Key),
    ];
    for row in CALLS {
        for method in row.grpc {
            let nobody = call(&mut channel, method, None).await;
            let open = row.needs == Needs::Nothing;
            assert_eq!(nobody == Code::Unauthenticated, !open, "{method}: {nobody:?}");
            for (number, (key, may)) in everybody.iter().enumerate() {
                let answer = call(&mut channel, method, Some(key)).await;
                let refused = answer == Code::PermissionDenied;
                assert_eq!(
                    refused,
                    !(open || may(row.needs)),
                    "{method}, caller {number}: {answer:?}"
                );
                assert_ne!(answer, Code::Unauthenticated, "{method}, caller {number}");
            }
            let expired = token(&json!({"exp": 1}));
            assert_eq!(
                call(&mut channel, method, Some(&expired)).await == Code::Unauthenticated,
                !open,
                "{method}"
            );
        }
    }
    drop(channel);
    server.stop().await;
}

#[tokio::test]
async fn a_token_of_one_collection_sees_and_reads_that_one() {
    let server = guarded().await;
    let client = |key: &str| {
        let mut config = QdrantConfig::from_url(&server.url()).skip_compatibility_check();
        config.api_key = Some(key.to_owned());
        config.build().unwrap()
    };
    let manager = client(KEY);
    for name in ["c", "d"] {
        let create =
            CreateCollectionBuilder::new(name).vectors_config(VectorParamsBuilder::new(2, Distance::Dot));
        manager.create_collection(create).await.unwrap();
        manager
            .create_alias(qdrant_client::qdrant::CreateAliasBuilder::new(
                name,
                format!("{name}-alias"),
            ))
            .await
            .unwrap();
    }
    let reader = client(&token(&json!({"access": [{"collection": "c", "access": "r"}]})));
    let listed = reader.list_collections().await.unwrap().collections;
    assert_eq!(listed.into_iter().map(|one| one.name).collect::<Vec<_>>(), ["c"]);
    let aliases = reader.list_aliases().await.unwrap().aliases;
    assert_eq!(
        aliases.into_iter().map(|one| one.alias_name).collect::<Vec<_>>(),
        ["c-alias"]
    );
    let query = |from: &str| {
        let prefetch = PrefetchQueryBuilder::default()
            .query(vec![1.0, 0.0])
            .lookup_from(LookupLocationBuilder::new(from));
        reader.query(
            QueryPointsBuilder::new("c")
                .query(vec![1.0, 0.0])
                .add_prefetch(prefetch),
        )
    };
    query("c").await.unwrap();
    match query("d").await {
        Err(QdrantError::ResponseError { status }) => {
            assert_eq!(status.code(), Code::PermissionDenied);
            assert_eq!(status.message(), "Forbidden: Access to collection d is required");
        }
        other => panic!("{other:?}"),
    }
    drop((manager, reader));
    server.stop().await;
}
