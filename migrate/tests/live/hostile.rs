//! Sides that refuse, lie, and go away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use qdrant_client::qdrant as proto;
use tonic::Code;
use vdb_migrate::{Existing, Journal, MigrateError, Options, Verification, Watch, migrate};
use vdb_qdrant::Qdrant;
use vdb_qdrant::client::QdrantError;

use super::fixture::{Fate, Faulty, Server, all_points, fill, migrated, options, status};

async fn sides(points: u64) -> (Qdrant, Qdrant) {
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, points).await;
    (here, there)
}

#[tokio::test]
async fn a_target_that_refuses_is_told_with_the_points_it_refused() {
    let (here, there) = sides(100).await;
    let target =
        Faulty::on(there).upserts(|_| Fate::Refused(status(Code::InvalidArgument, "no room for that")));
    let error = migrated(here, target, options()).await.unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, MigrateError::Call { .. }));
    assert!(
        told.contains("points 2000 to") && told.contains("birds") && told.contains("no room for that"),
        "{told}"
    );
}

#[tokio::test]
async fn messages_become_as_small_as_they_have_to_be() {
    let (here, there) = sides(200).await;
    let most = Arc::new(AtomicUsize::new(0));
    let seen = most.clone();
    let source = Faulty::on(here.clone()).scrolls(|page| {
        if page.limit.unwrap() > 5 {
            Fate::Refused(status(
                Code::OutOfRange,
                "Error, decoded message length too large: found 9 bytes, the limit is: 4 bytes",
            ))
        } else {
            Fate::Made
        }
    });
    let target = Faulty::on(there.clone()).upserts(move |write| {
        if write.points.len() > 2 {
            return Fate::Refused(status(
                Code::ResourceExhausted,
                "grpc: received message larger than max",
            ));
        }
        seen.fetch_max(write.points.len(), Ordering::Relaxed);
        Fate::Made
    });
    let report = migrated(source, target, options()).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(most.load(Ordering::Relaxed), 2);
    assert_eq!(
        all_points(&here, "birds").await,
        all_points(&there, "birds").await
    );
}

#[tokio::test]
async fn one_point_that_is_too_large_ends_it_by_name() {
    let (here, there) = sides(20).await;
    let target =
        Faulty::on(there).upserts(|_| Fate::Refused(status(Code::OutOfRange, "message length too large")));
    let told = migrated(here, target, options()).await.unwrap_err().to_string();
    assert!(told.contains("too large"), "{told}");
}

#[tokio::test]
async fn limits_and_absences_are_waited_for() {
    let (here, there) = sides(150).await;
    let (reads, writes) = (AtomicU64::new(0), AtomicU64::new(0));
    let source = Faulty::on(here).scrolls(move |_| {
        if reads.fetch_add(1, Ordering::Relaxed) % 2 == 0 {
            Fate::Refused(status(Code::Unavailable, "starting"))
        } else {
            Fate::Made
        }
    });
    let target = Faulty::on(there).upserts(move |_| match writes.fetch_add(1, Ordering::Relaxed) % 3 {
        0 => Fate::Refused(QdrantError::ResourceExhaustedError {
            status: tonic::Status::resource_exhausted("Rate limiting exceeded"),
            retry_after_seconds: 0,
        }),
        1 => Fate::Lost(status(Code::Cancelled, "Timeout expired")),
        _ => Fate::Made,
    });
    // Writes side by side take turns at being refused.
    let patient = Options {
        patience: vdb_migrate::Patience {
            retries: 50,
            ..options().patience
        },
        ..options()
    };
    let report = migrated(source, target, patient).await.unwrap();
    assert!(
        report.is_sound() && report.collections[0].copied == 150,
        "{report:?}"
    );
}

#[tokio::test]
async fn a_server_that_stays_away_is_given_up() {
    let (here, there) = sides(50).await;
    let source = Faulty::on(here).scrolls(|_| Fate::Refused(status(Code::Unavailable, "starting")));
    let told = migrated(source, there, options()).await.unwrap_err().to_string();
    assert!(
        told.contains("reading birds") && told.contains("starting"),
        "{told}"
    );
}

#[tokio::test]
async fn a_source_that_is_dropped_midway_ends_it() {
    let (here, there) = sides(300).await;
    let (database, mut writes) = (here.database().unwrap().clone(), 0);
    let target = Faulty::on(there).upserts(move |_| {
        writes += 1;
        if writes == 4 {
            database.drop_collection("birds").unwrap();
        }
        Fate::Made
    });
    let told = migrated(Faulty::on(here), target, options())
        .await
        .unwrap_err()
        .to_string();
    assert!(told.contains("birds") && told.contains("doesn't exist"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_dies_ends_it() {
    let (here, _) = sides(300).await;
    let mut server = Server::start().await;
    let target = server.client().await;
    let mut last = server.last_word();
    let target = Faulty::on(target).upserts(move |_| {
        // From here on it takes no more calls.
        drop(last.take());
        Fate::Made
    });
    let error = migrated(here, target, options()).await.unwrap_err();
    assert!(matches!(error, MigrateError::Call { .. }), "{error}");
}

type Lie = fn(&mut proto::ScrollResponse);

#[tokio::test]
async fn answers_that_lead_nowhere_end_it() {
    let lies: [(Lie, &str); 5] = [
        (
            |answer| answer.next_page_offset = Some(0.into()),
            "lies before it",
        ),
        (|answer| answer.result.reverse(), "points come by id"),
        (
            |answer| {
                answer.result.clear();
                answer.next_page_offset = Some(0.into());
            },
            "lies before it",
        ),
        (|answer| answer.result[0].id = Some("nobody".into()), "no UUID"),
        (|answer| answer.result[0].id = None, "no id"),
    ];
    for (lie, expected) in lies {
        let (here, there) = sides(200).await;
        let source = Faulty::on(here).answers(lie);
        let told = migrated(source, there, options()).await.unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
    }
}

#[tokio::test]
async fn an_older_server_is_read_without_slices() {
    let (here, there) = sides(1_500).await;
    let source = Faulty::on(here.clone()).version("1.18.4").scrolls(|page| {
        assert!(page.filter.is_none());
        Fate::Made
    });
    let sample = Options {
        verification: Verification::Sample(10),
        ..options()
    };
    let report = migrated(source, there.clone(), sample).await.unwrap();
    let verified = report.collections[0].verified.clone().unwrap();
    assert_eq!(verified.compared, 1_500, "it knows no samples");
    assert_eq!(
        all_points(&here, "birds").await,
        all_points(&there, "birds").await
    );
}

#[tokio::test]
async fn a_target_that_drops_what_it_acknowledges_is_caught() {
    let (here, there) = sides(120).await;
    let mut writes = 0;
    let target = Faulty::on(there.clone()).upserts(move |write| {
        writes += 1;
        if writes % 2 == 0 {
            write.points.remove(0);
        }
        Fate::Made
    });
    let report = migrated(here.clone(), target, options()).await.unwrap();
    let verified = report.collections[0].verified.clone().unwrap();
    assert!(!report.is_sound() && verified.missing > 0, "{verified:?}");
    assert_eq!(verified.missing, verified.source_points - verified.target_points);
    assert!(verified.differences[0].contains("is missing"), "{verified:?}");
    assert_ne!(verified.source_checksum, verified.target_checksum);
    assert!(
        report.aliases.is_empty() && report.warnings[0].contains("aves"),
        "{report:?}"
    );
    let sync = Options {
        existing: Existing::Sync,
        ..options()
    };
    let report = migrated(here.clone(), there.clone(), sync).await.unwrap();
    assert_eq!(report.collections[0].copied, verified.missing);
    assert_eq!(
        all_points(&here, "birds").await,
        all_points(&there, "birds").await
    );
}

#[tokio::test]
async fn writes_that_take_too_long_become_smaller() {
    let (here, there) = sides(100).await;
    let most = Arc::new(AtomicUsize::new(0));
    let seen = most.clone();
    let target = Faulty::on(there.clone()).upserts(move |write| {
        if write.points.len() > 3 {
            return Fate::Refused(status(Code::DeadlineExceeded, "Timeout expired"));
        }
        seen.fetch_max(write.points.len(), Ordering::Relaxed);
        Fate::Made
    });
    let twelve = Options {
        batch_points: 12,
        ..options()
    };
    let report = migrated(here.clone(), target, twelve).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(most.load(Ordering::Relaxed), 3);
    assert_eq!(
        all_points(&here, "birds").await,
        all_points(&there, "birds").await
    );
}

#[tokio::test]
async fn a_source_that_loses_points_meanwhile_is_caught() {
    let (here, there) = sides(300).await;
    let collection = here.database().unwrap().collection("birds").unwrap();
    let target = Faulty::on(there).upserts(move |_| {
        // Not read yet: both sides are the same in the end.
        collection.delete(vec![u64::MAX - 1]).unwrap();
        Fate::Made
    });
    let report = migrated(here, target, options()).await.unwrap();
    let found = report.collections[0].verified.clone().unwrap();
    assert_eq!((found.source_points, found.target_points), (299, 299));
    assert!(found.source_lost == 1 && !report.is_sound(), "{found:?}");
}

#[tokio::test]
async fn pages_grow_slowly_and_shrink_where_points_are_large() {
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    here.create_collection(proto::CreateCollectionBuilder::new("texts"))
        .await
        .unwrap();
    let collection = here.database().unwrap().collection("texts").unwrap();
    let point = |id: u64| {
        let text = if id == 1_000 { 5_000 } else { 1 };
        vdb::Point::new(id, vdb::Vectors::default())
            .payload(serde_json::json!({"text": "x".repeat(text)}))
            .unwrap()
    };
    collection.upsert((0..3_000).map(point).collect()).unwrap();
    let limits = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let seen = limits.clone();
    let source = Faulty::on(here).scrolls(move |page| {
        seen.lock().push(page.limit.unwrap());
        Fate::Made
    });
    let small = Options {
        batch_points: 100_000,
        batch_bytes: 10_000,
        verification: Verification::None,
        parallel: 1,
        ..options()
    };
    migrated(source, there, small).await.unwrap();
    let limits = limits.lock();
    assert!(limits.windows(2).all(|pair| pair[1] <= 2 * pair[0]), "{limits:?}");
    // Eight times the bytes, over those of the large point.
    assert!(limits[0] > 16 && *limits.last().unwrap() <= 16, "{limits:?}");
}

#[tokio::test]
async fn empty_pages_do_not_go_on_for_ever() {
    let (here, there) = sides(20).await;
    let pages = Arc::new(AtomicU64::new(0));
    let seen = pages.clone();
    let source = Faulty::on(here).answers(move |answer| {
        answer.result.clear();
        answer.next_page_offset = Some((1 + seen.fetch_add(1, Ordering::Relaxed)).into());
    });
    let watch = Watch::new(|_| (), move || pages.load(Ordering::Relaxed) >= 5);
    let journal = Journal::in_memory("here", "there");
    let ended = migrate(source, there, &journal, options(), watch).await;
    assert!(matches!(ended, Err(MigrateError::Stopped(_))), "{ended:?}");
}
