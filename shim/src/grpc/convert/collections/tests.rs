use qdrant_client::qdrant::{
    self as proto, BinaryQuantizationBuilder, CreateCollectionBuilder, Distance, ProductQuantizationBuilder,
    ScalarQuantizationBuilder, SparseVectorParamsBuilder, TurboQuantizationBuilder, VectorParamsBuilder,
    quantization_config,
};

use super::*;
use crate::service::settings::{Modifier, QuantizationUpdate};

#[test]
fn every_quantization_is_told_as_it_was_sent() {
    use quantization_config::Quantization as Sent;
    for sent in [
        Sent::Scalar(ScalarQuantizationBuilder::default().quantile(0.9).build()),
        Sent::Product(ProductQuantizationBuilder::new(proto::CompressionRatio::X32.into()).build()),
        Sent::Binary(BinaryQuantizationBuilder::new(true).build()),
        Sent::Turboquant(TurboQuantizationBuilder::default().build()),
    ] {
        let sent = proto::QuantizationConfig {
            quantization: Some(sent),
        };
        let read = quantization::read(sent).unwrap().unwrap();
        assert_eq!(quantization::to_proto(read), sent);
    }
    let ahead = proto::TurboQuantization {
        bits: Some(proto::TurboQuantBitSize::Bits8.into()),
        ..Default::default()
    };
    let ahead = proto::QuantizationConfig {
        quantization: Some(Sent::Turboquant(ahead)),
    };
    let refused = tonic::Status::from(quantization::read(ahead).unwrap_err());
    assert_eq!(refused.code(), tonic::Code::Unimplemented);
}

#[test]
fn a_quantization_can_be_taken_away() {
    use proto::quantization_config_diff::Quantization;
    let sent = proto::QuantizationConfigDiff {
        quantization: Some(Quantization::Disabled(proto::Disabled {})),
    };
    assert_eq!(
        quantization::diff(sent).unwrap(),
        Some(QuantizationUpdate::Disabled)
    );
    assert_eq!(quantization::diff(Default::default()).unwrap(), None);
}

#[test]
fn limits_are_told_as_they_were_sent() {
    let sent = proto::StrictModeConfig {
        enabled: Some(true),
        max_query_limit: Some(10),
        search_max_oversampling: Some(1.5),
        max_points_count: Some(1 << 40),
        sparse_config: Some(proto::StrictModeSparseConfig {
            sparse_config: [("w".to_owned(), proto::StrictModeSparse { max_length: Some(7) })].into(),
        }),
        ..Default::default()
    };
    assert_eq!(strict::to_proto(&strict::read(sent.clone())), sent);
}

#[test]
fn vectors_are_told_as_they_were_sent() {
    let only = proto::VectorsConfig::from(VectorParamsBuilder::new(4, Distance::Dot).on_disk(true).build());
    let read = vectors::dense(Some(only.clone())).unwrap();
    assert_eq!(vectors::dense_to_proto(read), only);
    let sparse = proto::SparseVectorConfig {
        map: [(
            "w".to_owned(),
            SparseVectorParamsBuilder::default()
                .modifier(proto::Modifier::Idf)
                .build(),
        )]
        .into(),
    };
    let read = vectors::sparse(sparse.clone()).unwrap();
    assert_eq!(read["w"].modifier, Some(Modifier::Idf));
    assert_eq!(vectors::sparse_to_proto(read), sparse);
    assert!(vectors::dense(None).unwrap().0.is_empty());
}

#[test]
fn a_collection_is_read_with_all_that_was_said() {
    let sent = CreateCollectionBuilder::new("c")
        .vectors_config(VectorParamsBuilder::new(4, Distance::Dot))
        .shard_number(2)
        .replication_factor(3)
        .on_disk_payload(true)
        .build();
    let read = create(sent).unwrap();
    assert_eq!((read.shard_number, read.replication_factor), (Some(2), Some(3)));
    assert_eq!((read.on_disk_payload, read.metadata), (Some(true), None));
    assert_eq!(read.vectors.0[""].size, 4);
}

#[test]
fn where_ids_lie_cannot_be_chosen() {
    let sent = proto::CreateCollection {
        id_tracker: Some(proto::IdTrackerParams {
            memory: Some(proto::Memory::Cold.into()),
        }),
        ..Default::default()
    };
    let refused = tonic::Status::from(create(sent).unwrap_err());
    assert_eq!(refused.code(), tonic::Code::Unimplemented);
}

#[test]
fn timeouts_are_of_a_second_at_least() {
    let collection = || CreateCollectionBuilder::new("c");
    assert!(create(collection().timeout(1u64).build()).is_ok());
    let refused = create(collection().timeout(0u64).build()).unwrap_err();
    assert!(format!("{refused:?}").contains("timeout"), "{refused:?}");
    let change = proto::UpdateCollection {
        timeout: Some(0),
        ..proto::UpdateCollection::default()
    };
    assert!(update(change).is_err());
}
