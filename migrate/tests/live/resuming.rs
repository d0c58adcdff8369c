//! Cut off at random, and gone on with: nothing is missing, nothing is there twice.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use qdrant_client::qdrant as proto;
use tokio::sync::Notify;
use vdb_migrate::{
    Action, Existing, Journal, MigrateError, Options, Report, Store, Verification, Watch, migrate,
};
use vdb_qdrant::Qdrant;

use super::fixture::{Dice, Fate, Faulty, Server, all_points, fill, options, payload, settings, status};

/// A run with the journal of this file, as a new process would have it.
async fn go<S: Store, T: Store>(
    source: S,
    target: T,
    state: &Path,
    options: Options,
    watch: Watch,
) -> Result<Report, MigrateError> {
    let journal = Journal::open(state, "here", "there")?;
    migrate(source, target, &journal, options, watch).await
}

fn small() -> Options {
    Options {
        batch_points: 7,
        ..options()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_end_in_every_way_come_to_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (from, to) = (Server::start().await, Server::start().await);
    let (source, target) = (from.client().await, to.client().await);
    fill(&source, 1_700).await;
    let mut dice = Dice(2_024);
    let (mut ends, mut finished) = ([0; 4], None);
    for _ in 0..500 {
        // So many writes go well.
        let (way, after) = (dice.below(4), 1 + dice.below(12));
        let writes = Arc::new(AtomicU64::new(0));
        let reached = Arc::new(Notify::new());
        let (seen, tell) = (writes.clone(), reached.clone());
        let faulty = Faulty::on(target.clone()).upserts(move |_| {
            if seen.fetch_add(1, Ordering::Relaxed) < after {
                return Fate::Made;
            }
            tell.notify_one();
            match way {
                0 => Fate::Refused(status(
                    tonic::Code::PermissionDenied,
                    "the key is no longer known",
                )),
                1 => Fate::Lost(status(tonic::Code::Internal, "the answer is lost")),
                _ => Fate::Made,
            }
        });
        let stop = writes.clone();
        let watch = Watch::new(|_| (), move || way == 2 && stop.load(Ordering::Relaxed) >= after);
        let running = go(source.clone(), faulty, &state, small(), watch);
        let outcome = tokio::select! {
            outcome = running => outcome,
            // As if the process were gone in the middle of it.
            () = async { reached.notified().await }, if way == 3 => {
                ends[3] += 1;
                continue;
            }
        };
        match outcome {
            Ok(report) => {
                finished = Some(report);
                break;
            }
            Err(MigrateError::Stopped(_)) => ends[2] += 1,
            Err(MigrateError::Call { doing, .. }) => {
                assert!(doing.contains("birds"), "{doing}");
                ends[way as usize] += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    let report = finished.unwrap();
    assert!(ends.iter().all(|&times| times > 0), "{ends:?}");
    assert!(report.is_sound(), "{report:?}");
    assert!(report.collections[0].copied < 1_700, "most had been there");
    assert_eq!(report.aliases, ["aves"]);
    let (here, there) = (
        all_points(&source, "birds").await,
        all_points(&target, "birds").await,
    );
    assert_eq!(here.len(), 1_700);
    assert_eq!(here, there);
    assert_eq!(settings(&source, "birds").await, settings(&target, "birds").await);
    assert!(!state.exists());
}

/// Ends a run after so many writes.
async fn cut<S: Store>(source: S, target: Qdrant, state: &Path, after: u64) -> MigrateError {
    cut_with(source, target, state, after, small()).await
}

async fn cut_with<S: Store>(
    source: S,
    target: Qdrant,
    state: &Path,
    after: u64,
    options: Options,
) -> MigrateError {
    let writes = AtomicU64::new(0);
    let faulty = Faulty::on(target).upserts(move |_| {
        if writes.fetch_add(1, Ordering::Relaxed) < after {
            Fate::Made
        } else {
            Fate::Refused(status(tonic::Code::Unauthenticated, "no"))
        }
    });
    go(source, faulty, state, options, Watch::silent())
        .await
        .unwrap_err()
}

#[tokio::test]
async fn what_is_there_is_not_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, 200).await;
    let error = cut(here.clone(), there.clone(), &state, 10).await.to_string();
    assert!(error.contains("points") && error.contains("birds"), "{error}");
    let report = go(here, there, &state, small(), Watch::silent()).await.unwrap();
    let one = &report.collections[0];
    assert_eq!(one.action, Action::Resume);
    assert_eq!(one.copied, 200 - 10 * 7);
}

/// Both sides, the target with `birds` done and `later` not begun, as the state says.
async fn half_done(state: &Path) -> (Qdrant, Qdrant) {
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, 21).await;
    let vectors = proto::VectorParamsBuilder::new(1, proto::Distance::Dot);
    let create = proto::CreateCollectionBuilder::new("later").vectors_config(vectors);
    here.create_collection(create).await.unwrap();
    let point = proto::PointStruct::new(1, vec![1.0], qdrant_client::Payload::new());
    let upsert = proto::UpsertPointsBuilder::new("later", vec![point]).wait(true);
    here.upsert_points(upsert).await.unwrap();
    cut(here.clone(), there.clone(), state, 3).await;
    (here, there)
}

fn actions(report: &Report) -> Vec<Action> {
    report.collections.iter().map(|one| one.action).collect()
}

#[tokio::test]
async fn collections_that_are_done_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (here, there) = half_done(&state).await;
    let report = go(here, there, &state, small(), Watch::silent()).await.unwrap();
    assert_eq!(actions(&report), [Action::Done, Action::Resume]);
    let one = &report.collections[0];
    assert_eq!((one.copied, one.verified.as_ref().unwrap().compared), (0, 21));
    assert_eq!(report.aliases, ["aves"]);
    assert!(report.is_sound());
}

#[tokio::test]
async fn collections_that_were_done_and_lost_points_get_them_again() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (here, there) = half_done(&state).await;
    let some = proto::DeletePointsBuilder::new("birds")
        .points(proto::PointsIdsList {
            ids: vec![2_000_u64.into()],
        })
        .wait(true);
    there.delete_points(some).await.unwrap();
    let counts = Options {
        verification: Verification::None,
        ..small()
    };
    let report = go(here.clone(), there.clone(), &state, counts, Watch::silent())
        .await
        .unwrap();
    assert_eq!(actions(&report), [Action::Resume, Action::Resume]);
    assert!(
        report.is_sound() && report.collections[0].copied == 21,
        "{report:?}"
    );
    assert_eq!(
        all_points(&here, "birds").await,
        all_points(&there, "birds").await
    );
}

#[tokio::test]
async fn a_full_comparison_is_one_of_what_was_done_too() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (here, there) = half_done(&state).await;
    let change = proto::SetPayloadPointsBuilder::new("birds", payload(serde_json::json!({"changed": true})))
        .points_selector(proto::PointsIdsList {
            ids: vec![2_000_u64.into()],
        })
        .wait(true);
    there.set_payload(change).await.unwrap();
    let report = go(here, there, &state, small(), Watch::silent()).await.unwrap();
    let found = report.collections[0].verified.clone().unwrap();
    assert!(!report.is_sound() && found.differing == 1, "{report:?}");
    assert!(state.exists() && report.aliases_missing == ["aves"]);
}

#[tokio::test]
async fn what_is_added_to_keeps_what_it_had_over_a_cut() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, 60).await;
    fill(&there, 90).await;
    let append = Options {
        existing: Existing::Append,
        ..small()
    };
    cut_with(here.clone(), there.clone(), &state, 2, append.clone()).await;
    // Whatever is said the second time: it was begun as an addition.
    for options in [small(), append] {
        let kept = dir.path().join("kept");
        std::fs::copy(&state, &kept).unwrap();
        let report = go(here.clone(), there.clone(), &kept, options, Watch::silent())
            .await
            .unwrap();
        let one = &report.collections[0];
        assert_eq!(one.action, Action::Resume);
        let found = one.verified.clone().unwrap();
        assert!(report.is_sound() && found.more_allowed, "{report:?}");
        assert_eq!((found.extra, found.target_points), (30, 90));
    }
}

#[tokio::test]
async fn a_collection_that_was_made_without_an_answer_is_of_this_migration() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, 30).await;
    let lost = Faulty::on(there.clone())
        .creates(|_| Fate::Lost(status(tonic::Code::Internal, "the answer is lost")));
    let told = go(here.clone(), lost, &state, small(), Watch::silent())
        .await
        .unwrap_err();
    assert!(told.to_string().contains("the answer is lost"), "{told}");
    let report = go(here.clone(), there.clone(), &state, small(), Watch::silent())
        .await
        .unwrap();
    assert_eq!(actions(&report), [Action::Resume]);
    assert!(report.is_sound());
    // One that was refused is not there, and a stranger of its name is one.
    let new = Qdrant::in_memory().unwrap();
    let refused =
        Faulty::on(new.clone()).creates(|_| Fate::Refused(status(tonic::Code::PermissionDenied, "no")));
    go(here.clone(), refused, &state, small(), Watch::silent())
        .await
        .unwrap_err();
    fill(&new, 3).await;
    let told = go(here, new, &state, small(), Watch::silent()).await.unwrap_err();
    assert!(matches!(told, MigrateError::Conflict(_)), "{told}");
}

#[tokio::test]
async fn rounded_numbers_are_counted_over_all_runs() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, 60).await;
    let collection = here.database().unwrap().collection("birds").unwrap();
    // The first and the last in the order of ids.
    for id in [1, u64::MAX] {
        let large = vdb::Point::new(id, vdb::Vectors::default())
            .payload(serde_json::json!({"n": u64::MAX}))
            .unwrap();
        collection.upsert(vec![large]).unwrap();
    }
    let lossy = Options {
        lossy: true,
        ..small()
    };
    cut_with(here.clone(), there.clone(), &state, 2, lossy.clone()).await;
    let report = go(here, Faulty::on(there), &state, lossy, Watch::silent())
        .await
        .unwrap();
    let warnings = report.collections[0].warnings.join("\n");
    assert!(report.is_sound() && warnings.contains("2 points"), "{warnings}");
}

#[tokio::test]
async fn a_source_that_became_another_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, 60).await;
    cut(here.clone(), there.clone(), &state, 2).await;
    let add = proto::CreateVectorNameRequest {
        collection_name: "birds".to_owned(),
        wait: Some(true),
        vector_name: "song".to_owned(),
        vector_config: Some(proto::create_vector_name_request::VectorConfig::DenseConfig(
            proto::DenseVectorCreationConfig {
                size: 2,
                distance: proto::Distance::Dot.into(),
                ..proto::DenseVectorCreationConfig::default()
            },
        )),
        ..proto::CreateVectorNameRequest::default()
    };
    here.create_vector_name(add).await.unwrap();
    let told = go(here, there, &state, small(), Watch::silent())
        .await
        .unwrap_err()
        .to_string();
    assert!(told.contains("\"song\"") && told.contains("new"), "{told}");
}

#[tokio::test]
async fn a_target_that_lost_what_it_had_gets_all_of_it_again() {
    for gone in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
        fill(&here, 60).await;
        cut(here.clone(), there.clone(), &state, 5).await;
        if gone {
            there.delete_collection("birds").await.unwrap();
        } else {
            let all = proto::DeletePointsBuilder::new("birds")
                .points(proto::Filter::default())
                .wait(true);
            there.delete_points(all).await.unwrap();
        }
        let report = go(here.clone(), there.clone(), &state, small(), Watch::silent())
            .await
            .unwrap();
        assert!(
            report.is_sound() && report.collections[0].copied == 60,
            "{report:?}"
        );
        assert_eq!(
            all_points(&here, "birds").await,
            all_points(&there, "birds").await
        );
    }
}

#[tokio::test]
async fn another_name_for_what_is_half_done_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (here, there) = (Qdrant::in_memory().unwrap(), Qdrant::in_memory().unwrap());
    fill(&here, 60).await;
    cut(here.clone(), there.clone(), &state, 2).await;
    let renamed = Options {
        rename: vec![("birds".to_owned(), "other".to_owned())],
        ..small()
    };
    let told = go(here, there, &state, renamed, Watch::silent())
        .await
        .unwrap_err()
        .to_string();
    assert!(told.contains("to birds, not to other"), "{told}");
}
