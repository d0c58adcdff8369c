//! Calls that are made most often: their messages are read, and their answers written, without the services' router and streams.
//!
//! Each is one message and one answer; [`entry.rs`](super::entry) has the message whole. One that is packed goes the other way.

use axum::body::Bytes;
use prost::Message;
use qdrant_client::qdrant as proto;
use tonic::Status;

use super::guard::Admitted;
use super::intake::HEAD;
use super::points::PointCalls;
use super::reply;
use super::status::unreadable;

/// The frame of an answer, and the collection that it is about.
type Answer = Result<(Bytes, String), Status>;

/// Which calls these are, by path and method: of [`PointCalls`], with a message that names a collection.
macro_rules! direct {
    ($($call:ident: $path:literal, $method:ident($message:ident);)+) => {
        /// One of the calls.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Direct {
            $(
                #[doc = $path]
                $call,
            )+
        }

        impl Direct {
            /// That of a path, if it is one.
            pub(super) fn of(path: &str) -> Option<Self> {
                match path {
                    $($path => Some(Direct::$call),)+
                    _ => None,
                }
            }

            /// Answers a message, which has its head yet, by those who answer for its caller.
            pub(super) async fn answer(self, points: &PointCalls, admitted: &Admitted, message: Bytes) -> Answer {
                let message = message.get(HEAD..).unwrap_or_default();
                match self {
                    $(Direct::$call => {
                        let message = read::<proto::$message>(message)?;
                        admitted.check(Some(&message.collection_name))?;
                        let collection = message.collection_name.clone();
                        let answer = points.$method(message).await?;
                        Ok((reply::frame(&answer)?, collection))
                    })+
                }
            }
        }
    };
}

direct! {
    Query: "/qdrant.Points/Query", query(QueryPoints);
    QueryBatch: "/qdrant.Points/QueryBatch", query_batch(QueryBatchPoints);
    Search: "/qdrant.Points/Search", search(SearchPoints);
    Get: "/qdrant.Points/Get", get(GetPoints);
    Scroll: "/qdrant.Points/Scroll", scroll(ScrollPoints);
    Count: "/qdrant.Points/Count", count(CountPoints);
    Upsert: "/qdrant.Points/Upsert", upsert(UpsertPoints);
}

fn read<M: Message + Default>(bytes: &[u8]) -> Result<M, Status> {
    M::decode(bytes).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::access::is_method;

    #[test]
    fn paths_are_those_of_calls_that_there_are() {
        for path in [
            "Query",
            "QueryBatch",
            "Search",
            "Get",
            "Scroll",
            "Count",
            "Upsert",
        ] {
            let path = format!("/qdrant.Points/{path}");
            assert!(is_method(&path) && Direct::of(&path).is_some(), "{path}");
        }
        assert_eq!(Direct::of("/qdrant.Points/Delete"), None);
        assert_eq!(Direct::of("qdrant.Points/Query"), None);
    }
}
