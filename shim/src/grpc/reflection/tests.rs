use std::collections::BTreeSet;

use prost::Message;
use prost_types::FileDescriptorSet;

use super::*;
use crate::service::access::CALLS;

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
fn it_is_known_of_every_call_what_it_needs() {
    let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let services = set.file.iter().flat_map(|file| &file.service);
    let served: BTreeSet<String> = services
        .flat_map(|service| {
            let path = |name: &str| format!("qdrant.{}/{name}", service.name());
            let methods = service.method.iter();
            methods.map(move |method| path(method.name())).collect::<Vec<_>>()
        })
        .collect();
    let known = CALLS.iter().flat_map(|call| call.grpc);
    let known: BTreeSet<String> = known
        .filter(|name| name.starts_with("qdrant."))
        .map(|&name| name.to_owned())
        .collect();
    assert_eq!(served, known);
}
