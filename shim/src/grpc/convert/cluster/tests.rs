use qdrant_client::qdrant::{ReadConsistency, ShardKeySelector};

use super::*;

#[test]
fn a_key_of_a_shard_is_refused_and_an_empty_choice_is_none() {
    assert_eq!(shard_key(None), Ok(()));
    assert_eq!(shard_key(Some(ShardKeySelector::default())), Ok(()));
    let keyed = ShardKeySelector {
        shard_keys: vec!["a".to_owned().into()],
        fallback: None,
    };
    assert!(shard_key(Some(keyed)).is_err());
}

#[test]
fn every_consistency_that_there_is_holds() {
    let read = |value| consistency(Some(ReadConsistency { value: Some(value) }));
    assert_eq!(read(Value::Type(2)), Ok(()));
    assert!(read(Value::Type(3)).is_err());
    assert_eq!(read(Value::Factor(5)), Ok(()));
    assert!(read(Value::Factor(0)).is_err());
}
