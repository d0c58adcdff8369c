use std::collections::BTreeSet;

use prost::Message;
use prost_types::FileDescriptorSet;

use super::super::guard::READS;
use super::*;

#[test]
fn the_descriptors_are_of_the_services_that_are_served() {
    assert!(builder().build_v1().is_ok() && builder().build_v1alpha().is_ok());
    let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let services = set.file.iter().flat_map(|file| &file.service);
    let counts: Vec<_> = services
        .map(|service| (service.name(), service.method.len()))
        .collect();
    let expected = [
        ("Collections", 14),
        ("Points", 30),
        ("Snapshots", 6),
        ("Qdrant", 1),
    ];
    assert_eq!(BTreeSet::from_iter(counts), BTreeSet::from(expected));
}

#[test]
fn every_call_that_only_reads_exists() {
    let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let services = set.file.iter().flat_map(|file| &file.service);
    let paths: BTreeSet<String> = services
        .flat_map(|service| {
            let path = |name: &str| format!("/qdrant.{}/{name}", service.name());
            service
                .method
                .iter()
                .map(move |method| path(method.name()))
                .collect::<Vec<_>>()
        })
        .collect();
    for (service, calls) in READS {
        for call in calls {
            assert!(paths.contains(&format!("{service}{call}")), "{service}{call}");
        }
    }
}
