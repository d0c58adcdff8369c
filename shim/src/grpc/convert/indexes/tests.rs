use qdrant_client::qdrant::{
    self as proto, DatetimeIndexParamsBuilder, FieldType, IntegerIndexParamsBuilder,
    KeywordIndexParamsBuilder,
};

use super::*;

fn told(params: PayloadIndexParams) -> proto::PayloadSchemaInfo {
    to_proto(IndexDescription {
        data_type: params.kind.name().to_owned(),
        params: params.options.as_ref().map(|_| params.to_json()),
        points: 3,
        engine: params,
    })
}

fn sent(params: impl Into<IndexParams>) -> Option<proto::PayloadIndexParams> {
    Some(proto::PayloadIndexParams {
        index_params: Some(params.into()),
    })
}

#[test]
fn options_are_told_as_they_were_sent() {
    let integer = IntegerIndexParamsBuilder::new(true, false)
        .is_principal(true)
        .build();
    let keyword = KeywordIndexParamsBuilder::default().is_tenant(true).build();
    let datetime = DatetimeIndexParamsBuilder::default().is_principal(false).build();
    for params in [
        IndexParams::IntegerIndexParams(integer),
        IndexParams::KeywordIndexParams(keyword),
        IndexParams::DatetimeIndexParams(datetime),
    ] {
        let read = read(None, sent(params.clone())).unwrap();
        assert_eq!(told(read).params.unwrap().index_params, Some(params));
    }
}

#[test]
fn a_kind_alone_has_no_options() {
    let read = read(Some(FieldType::Geo.into()), None).unwrap();
    let info = told(read);
    assert_eq!(
        (info.data_type, info.params),
        (proto::PayloadSchemaType::Geo.into(), None)
    );
    assert_eq!(info.points, Some(3));
}

#[test]
fn what_is_missing_wrong_or_ahead_is_refused() {
    assert!(read(None, None).is_err());
    assert!(read(Some(99), None).is_err());
    let neither = IndexParams::IntegerIndexParams(IntegerIndexParamsBuilder::new(false, false).build());
    assert!(read(None, sent(neither)).is_err());
    let nested = IndexParams::KeywordIndexParams(proto::KeywordIndexParams {
        nested: Some("a".to_owned()),
        ..Default::default()
    });
    let refused = tonic::Status::from(read(None, sent(nested)).unwrap_err());
    assert_eq!(refused.code(), tonic::Code::Unimplemented);
    let float = IndexParams::FloatIndexParams(proto::FloatIndexParams::default());
    assert!(
        read(Some(FieldType::Keyword.into()), sent(float)).is_err(),
        "of another kind"
    );
}
