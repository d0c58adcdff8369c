use super::*;
use crate::config::vectors::MultiVectorComparator;
use crate::settings::Modifier;

fn sample() -> Schema {
    let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot))
        .vector(
            "tokens",
            VectorParams::new(3, Distance::Cosine).multivector(MultiVectorComparator::MaxSim),
        )
        .sparse_vector("words", SparseVectorParams::new().modifier(Modifier::Idf));
    Schema::new(config).unwrap()
}

#[test]
fn a_schema_is_what_its_record_says() {
    let mut schema = sample();
    for _ in 0..2 {
        let read = Schema::from_record(&schema.to_record(), "c").unwrap();
        assert_eq!(read.config(), schema.config());
        assert_eq!(read.to_record(), schema.to_record());
        assert!(schema.drop_vector("tokens").unwrap());
        assert!(!schema.drop_vector("tokens").unwrap());
        schema
            .add_vector("tokens", SparseVectorParams::new().into())
            .unwrap();
    }
}

#[test]
fn a_slot_is_never_given_twice() {
    let mut schema = sample();
    for slot in 3..9 {
        assert!(schema.drop_vector("words").unwrap());
        let schema_read = Schema::from_record(&schema.to_record(), "c").unwrap();
        assert_eq!(schema_read.slots(), slot);
        schema = schema_read;
        schema
            .add_vector("words", VectorParams::new(1, Distance::Dot).into())
            .unwrap();
        assert_eq!(schema.slot("words"), Some(slot));
        assert!(schema.vector(slot - 1).is_none());
    }
    assert!(
        schema
            .add_vector("words", SparseVectorParams::new().into())
            .is_err()
    );
}

#[test]
fn a_record_that_contradicts_itself_is_damage() {
    let record = sample().to_record();
    let mut shared = record.clone();
    shared.sparse_vectors[0].number = 1;
    let mut beyond = record.clone();
    beyond.next_vector = 2;
    let mut modifier = record.clone();
    modifier.sparse_vectors[0].modifier = 9;
    let mut comparator = record;
    comparator.vectors[1].multivector = Some(7);
    for wrong in [shared, beyond, modifier, comparator] {
        assert!(Schema::from_record(&wrong, "c").is_err_and(|error| error.is_damage()));
    }
}
