//! Reads of points that are no queries.

use qdrant_client::qdrant as proto;
use vdb::{FacetRequest, MatrixRequest, ScrollRequest};

use super::super::call::{Clock, read_options};
use super::super::convert::rejection::{at_least, count};
use super::super::convert::{cluster, filter, ids, points, query, results};
use super::{Answer, PointCalls};
use crate::service::ScrollAsk;

/// Points in a page, and values of a facet, where nobody says.
const LIMIT: usize = 10;

impl PointCalls {
    /// Points by id.
    pub(crate) async fn get(&self, message: proto::GetPoints) -> Answer<proto::GetResponse> {
        let clock = Clock::start();
        let proto::GetPoints {
            collection_name,
            ids,
            with_payload,
            with_vectors,
            read_consistency,
            shard_key_selector,
            timeout,
        } = message;
        cluster::consistency(read_consistency)?;
        cluster::shard_key(shard_key_selector)?;
        let ids = ids::point_ids("ids", ids)?;
        let select = query::select(with_payload, with_vectors, false)?;
        let options = read_options(points::timeout(timeout)?);
        let found = self.0.get(&collection_name, ids, select, options).await?;
        Ok(proto::GetResponse {
            result: found.into_iter().map(results::record).collect(),
            time: clock.seconds(),
            usage: None,
        })
    }

    /// A page of points.
    pub(crate) async fn scroll(&self, message: proto::ScrollPoints) -> Answer<proto::ScrollResponse> {
        let clock = Clock::start();
        let proto::ScrollPoints {
            collection_name,
            filter,
            offset,
            limit,
            with_payload,
            with_vectors,
            read_consistency,
            shard_key_selector,
            order_by,
            timeout,
        } = message;
        cluster::consistency(read_consistency)?;
        cluster::shard_key(shard_key_selector)?;
        let limit = limit.map(|limit| at_least("limit", limit, 1)).transpose()?;
        let ask = ScrollAsk {
            scroll: ScrollRequest {
                offset: offset
                    .map(|id| ids::required_id("offset", Some(id)))
                    .transpose()?,
                limit: limit.map_or(LIMIT, |limit| count(u64::from(limit))),
                filter: filter::optional("filter", filter)?,
                select: query::select(with_payload, with_vectors, true)?,
                timeout: None,
            },
            order_by: order_by.map(query::order_by).transpose()?,
        };
        let options = read_options(points::timeout(timeout)?);
        let page = self.0.scroll(&collection_name, ask, options).await?;
        Ok(proto::ScrollResponse {
            next_page_offset: page.next_offset.map(ids::to_proto),
            result: page.points.into_iter().map(results::scrolled).collect(),
            time: clock.seconds(),
            usage: None,
        })
    }

    /// How many points match.
    pub(crate) async fn count(&self, message: proto::CountPoints) -> Answer<proto::CountResponse> {
        let clock = Clock::start();
        let proto::CountPoints {
            collection_name,
            filter,
            exact,
            read_consistency,
            shard_key_selector,
            timeout,
        } = message;
        cluster::consistency(read_consistency)?;
        cluster::shard_key(shard_key_selector)?;
        let filter = filter::optional("filter", filter)?;
        let options = read_options(points::timeout(timeout)?);
        let count = self
            .0
            .count(&collection_name, filter, exact.unwrap_or(true), options)
            .await?;
        Ok(proto::CountResponse {
            result: Some(proto::CountResult { count }),
            time: clock.seconds(),
            usage: None,
        })
    }

    /// How many points have which value.
    pub(crate) async fn facet(&self, message: proto::FacetCounts) -> Answer<proto::FacetResponse> {
        let clock = Clock::start();
        let proto::FacetCounts {
            collection_name,
            key,
            filter,
            limit,
            // Counts are exact either way; a collection may forbid to ask for it.
            exact,
            timeout,
            read_consistency,
            shard_key_selector,
        } = message;
        cluster::consistency(read_consistency)?;
        cluster::shard_key(shard_key_selector)?;
        let request = FacetRequest {
            filter: filter::optional("filter", filter)?,
            limit: query::limit(limit)?,
            ..FacetRequest::new(key)
        };
        let options = read_options(points::timeout(timeout)?);
        let exact = exact.unwrap_or(false);
        let hits = self.0.facet(&collection_name, request, exact, options).await?;
        Ok(proto::FacetResponse {
            hits: hits.into_iter().map(results::facet).collect(),
            time: clock.seconds(),
            usage: None,
        })
    }

    async fn matrix(&self, message: proto::SearchMatrixPoints) -> Answer<vdb::DistanceMatrix> {
        let proto::SearchMatrixPoints {
            collection_name,
            filter,
            sample,
            limit,
            using,
            timeout,
            read_consistency,
            shard_key_selector,
        } = message;
        cluster::consistency(read_consistency)?;
        cluster::shard_key(shard_key_selector)?;
        let mut request = MatrixRequest::new().using(using.unwrap_or_default());
        request.filter = filter::optional("filter", filter)?;
        if let Some(sample) = sample {
            request = request.sample(count(at_least("sample", sample, 2)?));
        }
        if let Some(limit) = limit {
            request = request.limit(count(at_least("limit", limit, 1)?));
        }
        let options = read_options(points::timeout(timeout)?);
        Ok(self.0.matrix(&collection_name, request, options).await?)
    }

    /// Which points of a sample are near each other, as pairs.
    pub(crate) async fn search_matrix_pairs(
        &self,
        message: proto::SearchMatrixPoints,
    ) -> Answer<proto::SearchMatrixPairsResponse> {
        let clock = Clock::start();
        let matrix = self.matrix(message).await?;
        Ok(proto::SearchMatrixPairsResponse {
            result: Some(results::pairs(&matrix)),
            time: clock.seconds(),
            usage: None,
        })
    }

    /// Which points of a sample are near each other, as places in a matrix.
    pub(crate) async fn search_matrix_offsets(
        &self,
        message: proto::SearchMatrixPoints,
    ) -> Answer<proto::SearchMatrixOffsetsResponse> {
        let clock = Clock::start();
        let matrix = self.matrix(message).await?;
        Ok(proto::SearchMatrixOffsetsResponse {
            result: Some(results::offsets(matrix)),
            time: clock.seconds(),
            usage: None,
        })
    }
}
