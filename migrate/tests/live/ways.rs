use qdrant_client::qdrant as proto;
use serde_json::json;
use vdb::Ttl;
use vdb_migrate::{Action, Endpoint, Existing, MigrateError, Options, Verification, Watch, run};
use vdb_qdrant::Qdrant;
use vdb_qdrant::service::Keys;

use super::fixture::{Faulty, Server, all_points, directory, fill, migrated, options, payload, settings};

/// All of `birds` at both sides, told in the same words.
async fn assert_same(source: &Qdrant, target: &Qdrant) {
    assert_eq!(settings(source, "birds").await, settings(target, "birds").await);
    let (here, there) = (
        all_points(source, "birds").await,
        all_points(target, "birds").await,
    );
    assert_eq!(here.len(), there.len());
    for (here, there) in here.iter().zip(&there) {
        assert_eq!(here, there);
    }
    let aliases = |answer: proto::ListAliasesResponse| answer.aliases;
    assert_eq!(
        aliases(source.list_aliases().await.unwrap()),
        aliases(target.list_aliases().await.unwrap())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_server_to_server() {
    let (from, to) = (Server::start().await, Server::start().await);
    let (source, target) = (from.client().await, to.client().await);
    fill(&source, 2_200).await;
    let report = migrated(source.clone(), target.clone(), options()).await.unwrap();
    let one = &report.collections[0];
    assert_eq!((one.action, one.copied), (Action::Create, 2_200), "{report:?}");
    let verified = one.verified.as_ref().unwrap();
    assert!(verified.is_sound() && verified.compared == 2_200, "{verified:?}");
    assert_eq!(verified.source_checksum, verified.target_checksum);
    assert_eq!(report.aliases, ["aves"]);
    assert!(
        one.warnings.is_empty() && report.warnings.is_empty(),
        "{report:?}"
    );
    assert_same(&source, &target).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_server_to_directory_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let (from, back) = (Server::start().await, Server::start().await);
    let (source, target) = (from.client().await, back.client().await);
    fill(&source, 300).await;
    let here = directory(&dir.path().join("db"));
    migrated(source.clone(), here.clone(), options()).await.unwrap();
    assert_same(&source, &here).await;
    let report = migrated(here.clone(), target.clone(), options()).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_same(&here, &target).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_set_at_a_server_is_the_engines_own_in_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let from = Server::start().await;
    let source = from.client().await;
    let vectors = proto::VectorParamsBuilder::new(2, proto::Distance::Dot);
    let create = proto::CreateCollectionBuilder::new("birds").vectors_config(vectors);
    source.create_collection(create).await.unwrap();
    let here = directory(&dir.path().join("db"));
    migrated(source.clone(), here.clone(), options()).await.unwrap();
    let config = here.database().unwrap().collection("birds").unwrap().config();
    assert_eq!(config.hnsw, vdb::HnswConfig::default());
    assert_eq!(config.optimizer, vdb::OptimizerConfig::default());
    // A client is told what it is told by the server.
    assert_eq!(settings(&source, "birds").await, settings(&here, "birds").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_directories_the_engines_own_settings_go_along() {
    let dir = tempfile::tempdir().unwrap();
    let here = directory(&dir.path().join("a"));
    fill(&here, 120).await;
    let ttl = Some(Ttl::new("until"));
    let collection = here.database().unwrap().collection("birds").unwrap();
    collection.set_ttl(ttl.clone()).unwrap();
    // Its time is past: it is for the source to say when it goes.
    let ended = proto::SetPayloadPointsBuilder::new("birds", payload(json!({"until": 1})))
        .points_selector(proto::PointsIdsList {
            ids: vec![2_000_u64.into()],
        })
        .wait(true);
    here.set_payload(ended).await.unwrap();
    let there = directory(&dir.path().join("b"));
    let report = migrated(here.clone(), there.clone(), options()).await.unwrap();
    assert!(
        report.is_sound() && report.collections[0].warnings.is_empty(),
        "{report:?}"
    );
    assert_same(&here, &there).await;
    let (a, b) = (here.database().unwrap(), there.database().unwrap());
    let config = |db: &vdb::Database| db.collection("birds").unwrap().config();
    assert_eq!(config(a), config(b));
    assert_eq!(config(b).ttl, ttl);
    // A server has no words for it.
    let server = Server::start().await;
    let report = migrated(here, server.client().await, options()).await.unwrap();
    let warnings = report.collections[0].warnings.join("\n");
    assert!(warnings.contains("until"), "{warnings}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_of_one_vector_without_a_name_and_one_of_nothing() {
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    let vectors = proto::VectorParamsBuilder::new(2, proto::Distance::Dot);
    let create = proto::CreateCollectionBuilder::new("plain").vectors_config(vectors);
    here.create_collection(create).await.unwrap();
    here.create_collection(proto::CreateCollectionBuilder::new("bare"))
        .await
        .unwrap();
    let point = |id: u64| proto::PointStruct::new(id, vec![id as f32, 0.5], payload(json!({})));
    let upsert = proto::UpsertPointsBuilder::new("plain", (0..50).map(point).collect::<Vec<_>>());
    here.upsert_points(upsert.wait(true)).await.unwrap();
    let nothing = proto::PointStruct {
        id: Some(9.into()),
        payload: payload(json!({"a": 1})),
        vectors: Some(proto::Vectors {
            vectors_options: Some(proto::vectors::VectorsOptions::Vectors(
                proto::NamedVectors::default(),
            )),
        }),
    };
    let upsert = proto::UpsertPointsBuilder::new("bare", vec![nothing]);
    here.upsert_points(upsert.wait(true)).await.unwrap();
    let report = migrated(here.clone(), there.clone(), options()).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    for name in ["plain", "bare"] {
        assert_eq!(all_points(&here, name).await, all_points(&there, name).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_is_a_part_and_none_is_counted_only() {
    let (from, to) = (Server::start().await, Server::start().await);
    let (source, target) = (from.client().await, to.client().await);
    fill(&source, 600).await;
    let sample = Options {
        verification: Verification::Sample(60),
        ..options()
    };
    let report = migrated(source.clone(), target.clone(), sample).await.unwrap();
    let compared = report.collections[0].verified.as_ref().unwrap().compared;
    assert!((20..200).contains(&compared), "{compared}");
    let counts = Options {
        verification: Verification::None,
        existing: Existing::Replace,
        ..options()
    };
    let report = migrated(source, target, counts).await.unwrap();
    let verified = report.collections[0].verified.as_ref().unwrap();
    assert_eq!((verified.compared, verified.target_points), (0, 600));
    assert!(report.is_sound());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_asked_for_its_shards_and_copies() {
    let server = Server::start().await;
    let target = server.client().await;
    let source = Qdrant::in_memory().unwrap();
    fill(&source, 10).await;
    let cluster = Options {
        shards: Some(6),
        replicas: Some(2),
        write_consistency: Some(2),
        ..options()
    };
    migrated(source, target.clone(), cluster).await.unwrap();
    let params = settings(&target, "birds").await.0.params.unwrap();
    assert_eq!(
        (
            params.shard_number,
            params.replication_factor,
            params.write_consistency_factor
        ),
        (6, Some(2), Some(2))
    );
}

#[test]
fn a_program_opens_both_sides_by_their_names() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let server = runtime.block_on(async {
        let server = Server::with(Keys::none().full("s3cret")).await;
        let key = qdrant_client::Qdrant::from_url(&server.url())
            .api_key("s3cret")
            .skip_compatibility_check()
            .build()
            .unwrap();
        let client = Qdrant::remote(key);
        fill(&client, 80).await;
        server
    });
    let parse = |text: &str, key: Option<&str>| Endpoint::parse(text, key.map(str::to_owned)).unwrap();
    let path = dir.path().join("db");
    let to = parse(path.to_str().unwrap(), None);
    let state = dir.path().join("state");
    let second = std::time::Duration::from_secs(10);
    let go = |from: &Endpoint, to: &Endpoint| run(from, to, &state, options(), second, Watch::silent());
    let refused = go(&parse(&server.url(), Some("wr0ng")), &to)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("--from-api-key") && !refused.contains("wr0ng"),
        "{refused}"
    );
    let from = parse(&server.url(), Some("s3cret"));
    let report = go(&from, &to).unwrap();
    assert!(report.is_sound() && report.collections[0].copied == 80);
    assert!(!state.exists(), "the state goes with the end");
    // Somebody else writes to the directory: it can be read.
    let writer = vdb::Database::open(&path).unwrap();
    assert!(matches!(go(&from, &to), Err(MigrateError::Open { .. })));
    let copy = parse(dir.path().join("copy").to_str().unwrap(), None);
    let report = go(&to, &copy).unwrap();
    assert!(report.is_sound() && report.collections[0].copied == 80);
    writer.close().unwrap();
    assert!(matches!(go(&to, &to), Err(MigrateError::Usage(_))));
    let nowhere = parse(dir.path().join("nowhere").to_str().unwrap(), None);
    let missing = go(&nowhere, &copy).unwrap_err().to_string();
    assert!(
        missing.contains("nowhere") && missing.contains("no database"),
        "{missing}"
    );
    runtime.block_on(server.stop());
}

#[test]
fn a_port_that_does_not_speak_grpc_is_told_to_be_one() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        use std::io::{Read, Write};
        // As often as it takes: a client may look more than once.
        while let Ok((mut stream, _)) = listener.accept() {
            let mut asked = [0; 64];
            let read = stream.read(&mut asked).unwrap_or(0);
            if asked[..read].starts_with(b"end") {
                return;
            }
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let from = Endpoint::parse(&format!("http://{address}"), None).unwrap();
    let to = Endpoint::parse(dir.path().join("db").to_str().unwrap(), None).unwrap();
    let second = std::time::Duration::from_secs(5);
    let told = run(
        &from,
        &to,
        dir.path().join("state"),
        options(),
        second,
        Watch::silent(),
    )
    .unwrap_err()
    .to_string();
    assert!(told.contains("6334") && told.contains("gRPC"), "{told}");
    std::io::Write::write_all(&mut std::net::TcpStream::connect(address).unwrap(), b"end").unwrap();
    answering.join().unwrap();
}

#[tokio::test]
async fn a_plan_changes_nothing() {
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, 30).await;
    let plan = Options {
        dry_run: true,
        prefix: "old-".to_owned(),
        ..options()
    };
    let report = migrated(here, there.clone(), plan).await.unwrap();
    let one = &report.collections[0];
    assert_eq!(
        (one.target.as_str(), one.points, one.copied),
        ("old-birds", 30, 0)
    );
    assert_eq!(report.aliases, ["aves"]);
    assert!(there.list_collections().await.unwrap().collections.is_empty());
}

/// `birds` with an integer that messages have no place for.
async fn with_large_integer(points: u64) -> Qdrant {
    let store = Qdrant::in_memory().unwrap();
    fill(&store, points).await;
    let collection = store.database().unwrap().collection("birds").unwrap();
    let large = vdb::Point::new(77, vdb::Vectors::default())
        .payload(json!({"n": u64::MAX - 1}))
        .unwrap();
    collection.upsert(vec![large]).unwrap();
    store
}

fn large_integer(store: &Qdrant) -> serde_json::Value {
    let collection = store.database().unwrap().collection("birds").unwrap();
    let found = collection.get(&[77_u64.into()], &vdb::Select::payload()).unwrap();
    found[0].payload.as_ref().unwrap()["n"].clone()
}

#[tokio::test]
async fn integers_beyond_messages_go_along_only_where_somebody_says_so() {
    let here = with_large_integer(5).await;
    let server = || Faulty::on(Qdrant::in_memory().unwrap());
    for (refused, word) in [
        (migrated(here.clone(), server(), options()).await, "is an integer"),
        (
            migrated(Faulty::on(here.clone()), server(), options()).await,
            "if it was an integer",
        ),
    ] {
        let told = refused.unwrap_err().to_string();
        assert!(
            told.contains("point 77") && told.contains("\"n\"") && told.contains("--lossy"),
            "{told}"
        );
        assert!(told.contains(word), "{told}");
    }
    let lossy = Options {
        lossy: true,
        ..options()
    };
    let report = migrated(here.clone(), server(), lossy).await.unwrap();
    let warnings = report.collections[0].warnings.join("\n");
    assert!(
        report.is_sound() && warnings.contains("1 points") && warnings.contains("2^63"),
        "{warnings}"
    );
    // Making equal rounds no more than copying.
    let there = Qdrant::in_memory().unwrap();
    fill(&there, 5).await;
    let sync = Options {
        existing: Existing::Sync,
        ..options()
    };
    let told = migrated(here, Faulty::on(there), sync).await.unwrap_err();
    assert!(told.to_string().contains("point 77"), "{told}");
}

#[tokio::test]
async fn integers_beyond_messages_stay_what_they_are_in_one_process() {
    let (here, there) = (with_large_integer(5).await, Qdrant::in_memory().unwrap());
    let report = migrated(here.clone(), there.clone(), options()).await.unwrap();
    assert!(
        report.is_sound() && report.collections[0].warnings.is_empty(),
        "{report:?}"
    );
    assert_eq!(large_integer(&there), json!(u64::MAX - 1));
    // The nearest double is the same, and the integer is not.
    let other = vdb::Point::new(77, vdb::Vectors::default())
        .payload(json!({"n": u64::MAX}))
        .unwrap();
    let collection = there.database().unwrap().collection("birds").unwrap();
    collection.upsert(vec![other]).unwrap();
    let sync = Options {
        existing: Existing::Sync,
        ..options()
    };
    let report = migrated(here, there.clone(), sync).await.unwrap();
    assert_eq!(report.collections[0].copied, 1);
    assert_eq!(large_integer(&there), json!(u64::MAX - 1));
}

#[test]
fn a_plan_for_an_empty_directory_is_one_for_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let db = dir.path().join("db");
    let source = directory(&db);
    runtime.block_on(fill(&source, 10));
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let parse = |path: &std::path::Path| Endpoint::parse(path.to_str().unwrap(), None).unwrap();
    let plan = Options {
        dry_run: true,
        ..options()
    };
    let (state, second) = (dir.path().join("state"), std::time::Duration::from_secs(10));
    let go = |options| {
        run(
            &parse(&db),
            &parse(&empty),
            &state,
            options,
            second,
            Watch::silent(),
        )
        .unwrap()
    };
    assert_eq!(go(plan).collections[0].action, Action::Create);
    assert!(std::fs::read_dir(&empty).unwrap().next().is_none());
    assert!(go(options()).is_sound());
}
