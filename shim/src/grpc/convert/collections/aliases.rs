//! Aliases.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::alias_operations::Action;
use vdb::AliasChange;

use super::super::rejection::{Result, each, required};

/// Changes of aliases, in their order.
pub(in crate::grpc) fn changes(actions: Vec<proto::AliasOperations>) -> Result<Vec<AliasChange>> {
    each("actions", actions, |message| {
        Ok(match required("action", message.action)? {
            Action::CreateAlias(of) => AliasChange::Create {
                alias: of.alias_name,
                collection: of.collection_name,
            },
            Action::RenameAlias(of) => AliasChange::Rename {
                from: of.old_alias_name,
                to: of.new_alias_name,
            },
            Action::DeleteAlias(of) => AliasChange::Delete { alias: of.alias_name },
        })
    })
}

/// The message of an alias and its collection.
pub(in crate::grpc) fn to_proto((alias_name, collection_name): (String, String)) -> proto::AliasDescription {
    proto::AliasDescription {
        alias_name,
        collection_name,
    }
}
