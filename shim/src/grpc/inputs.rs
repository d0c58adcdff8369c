//! Messages read as calls read them, without a service that answers.

use prost::Message;
use qdrant_client::qdrant as proto;

use super::convert::inference::Models;
use super::convert::rejection::Result;
use super::convert::{collections, filter, ids, indexes, legacy, points, query};

/// Whether bytes are a message of that kind that a call understands.
type Reader = fn(&[u8]) -> bool;

fn reads<M: Message + Default, T>(bytes: &[u8], read: impl FnOnce(M) -> Result<T>) -> bool {
    M::decode(bytes).is_ok_and(|message| read(message).is_ok())
}

/// As [`reads`], of a message in which there may be texts.
fn makes<M: Message + Default, T>(bytes: &[u8], read: impl FnOnce(M, &mut Models<'_>) -> Result<T>) -> bool {
    reads(bytes, |message| read(message, &mut Models::default()))
}

fn payload(bytes: &[u8]) -> bool {
    reads(bytes, |of: proto::SetPayloadPoints| {
        let overwritten = points::overwrite_payload(of.payload.clone(), of.points_selector.clone(), None);
        points::set_payload(of.payload, of.points_selector, of.key).and(overwritten)
    })
}

fn create_collection(bytes: &[u8]) -> bool {
    let Ok(message) = proto::CreateCollection::decode(bytes) else {
        return false;
    };
    collections::create(message)
        .is_ok_and(|settings| settings.validate().is_ok() && settings.to_config().is_ok())
}

fn update_collection(bytes: &[u8]) -> bool {
    let Ok(message) = proto::UpdateCollection::decode(bytes) else {
        return false;
    };
    collections::update(message).is_ok_and(|update| update.validate().is_ok())
}

/// How each message with something to it is read, by its name.
pub(crate) const MESSAGES: &[(&str, Reader)] = &[
    ("UpsertPoints", |bytes| {
        makes(bytes, |of: proto::UpsertPoints, models| {
            points::upsert(of.points, of.update_filter, of.update_mode, models)
        })
    }),
    ("DeletePoints", |bytes| {
        reads(bytes, |of: proto::DeletePoints| {
            points::delete("points", of.points)
        })
    }),
    ("UpdatePointVectors", |bytes| {
        makes(bytes, |of: proto::UpdatePointVectors, models| {
            points::update_vectors(of.points, of.update_filter, models)
        })
    }),
    ("DeletePointVectors", |bytes| {
        reads(bytes, |of: proto::DeletePointVectors| {
            points::delete_vectors(of.points_selector, of.vectors)
        })
    }),
    ("SetPayloadPoints", payload),
    ("DeletePayloadPoints", |bytes| {
        reads(bytes, |of: proto::DeletePayloadPoints| {
            points::delete_payload(of.keys, of.points_selector)
        })
    }),
    ("UpdateBatchPoints", |bytes| {
        makes(bytes, |of: proto::UpdateBatchPoints, models| {
            points::batch(of.operations, models)
        })
    }),
    ("GetPoints", |bytes| {
        reads(bytes, |of: proto::GetPoints| {
            ids::point_ids("ids", of.ids).and_then(|_| query::select(of.with_payload, of.with_vectors, false))
        })
    }),
    ("ScrollPoints", |bytes| {
        reads(bytes, |of: proto::ScrollPoints| {
            let order = of.order_by.map(query::order_by).transpose();
            filter::optional("filter", of.filter).and(order)
        })
    }),
    ("QueryPoints", |bytes| makes(bytes, query::request)),
    ("QueryPointGroups", |bytes| makes(bytes, query::groups)),
    ("SearchPoints", |bytes| reads(bytes, legacy::search)),
    ("SearchPointGroups", |bytes| reads(bytes, legacy::search_groups)),
    ("RecommendPoints", |bytes| makes(bytes, legacy::recommend)),
    ("RecommendPointGroups", |bytes| {
        makes(bytes, legacy::recommend_groups)
    }),
    ("DiscoverPoints", |bytes| makes(bytes, legacy::discover)),
    ("CreateCollection", create_collection),
    ("UpdateCollection", update_collection),
    ("ChangeAliases", |bytes| {
        reads(bytes, |of: proto::ChangeAliases| {
            collections::aliases::changes(of.actions)
        })
    }),
    ("CreateFieldIndexCollection", |bytes| {
        reads(bytes, |of: proto::CreateFieldIndexCollection| {
            indexes::read(of.field_type, of.field_index_params)
        })
    }),
    ("CreateVectorNameRequest", |bytes| {
        reads(bytes, |of: proto::CreateVectorNameRequest| {
            collections::vectors::added(of.vector_config)
        })
    }),
];
