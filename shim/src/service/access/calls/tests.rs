use std::collections::BTreeSet;

use super::*;

#[test]
fn no_call_is_there_twice() {
    let routes: Vec<_> = CALLS.iter().flat_map(|call| call.rest).collect();
    assert_eq!(routes.iter().collect::<BTreeSet<_>>().len(), routes.len());
    let methods: Vec<_> = CALLS.iter().flat_map(|call| call.grpc).collect();
    assert_eq!(methods.iter().collect::<BTreeSet<_>>().len(), methods.len());
}

#[test]
fn calls_about_one_collection_name_it() {
    for call in CALLS {
        for (method, route) in call.rest {
            let named = route.contains("{collection_name}");
            assert!(named || !matches!(call.needs, Needs::On(_)), "{method} {route}");
            // What is made for whoever asks is asked for by GET, too, in Qdrant's words.
            let made = route.contains("/{shard_id}/snapshot/") || route.ends_with("/{shard_id}/snapshot");
            let reads = matches!(call.needs, Needs::Nothing | Needs::Key | READ | READ_ALL);
            assert!(*method != "GET" || reads || made, "{method} {route}");
            assert!(
                !["PUT", "PATCH", "DELETE"].contains(method) || !reads,
                "{method} {route}"
            );
        }
    }
}

#[test]
fn what_is_not_known_needs_everything() {
    assert_eq!(of_route("GET", "/new"), MANAGE);
    assert_eq!(of_route("PUT", "/aliases"), MANAGE);
    assert_eq!(of_method("/qdrant.Points/New"), MANAGE);
    assert_eq!(of_method(""), MANAGE);
    assert!(!is_method("/qdrant.Points/New") && is_method("/qdrant.Points/Upsert"));
    assert_eq!(of_route("HEAD", "/collections"), Needs::Key);
    assert_eq!(of_method("/qdrant.Points/Upsert"), WRITE_POINTS);
}

#[test]
fn a_call_without_a_name_is_not_of_a_collection() {
    let access = Access::Collections(Vec::new());
    assert!(READ.check(&access, None).is_err());
    assert!(READ.check(&Access::Read, None).is_ok());
    assert!(Needs::Key.check(&access, None).is_ok());
    assert!(WRITE.check(&Access::Read, Some("c")).is_err());
    assert!(MANAGE.check(&Access::Manage, None).is_ok());
}
