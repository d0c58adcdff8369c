//! The classes of qdrant-client 1.9 to 1.20 that its pickles name.

use crate::pickle::{Class, Classes, Kind};

/// The one module that all of them are in.
pub(super) const MODELS: &str = "qdrant_client.http.models.models";

const fn model(name: &'static str) -> Class {
    Class {
        module: MODELS,
        name,
        kind: Kind::Model,
    }
}

const fn enumeration(name: &'static str) -> Class {
    Class {
        module: MODELS,
        name,
        kind: Kind::Enumeration,
    }
}

static CLASSES: [Class; 34] = [
    model("Record"),
    model("PointStruct"),
    model("SparseVector"),
    model("CollectionInfo"),
    model("CollectionConfig"),
    model("CollectionParams"),
    model("VectorParams"),
    model("SparseVectorParams"),
    model("SparseIndexParams"),
    model("HnswConfig"),
    model("HnswConfigDiff"),
    model("OptimizersConfig"),
    model("WalConfig"),
    model("MultiVectorConfig"),
    model("ScalarQuantization"),
    model("ScalarQuantizationConfig"),
    model("ProductQuantization"),
    model("ProductQuantizationConfig"),
    model("BinaryQuantization"),
    model("BinaryQuantizationConfig"),
    model("StrictModeConfig"),
    model("StrictModeConfigOutput"),
    model("StrictModeMultivector"),
    model("StrictModeMultivectorOutput"),
    model("StrictModeSparse"),
    model("StrictModeSparseOutput"),
    enumeration("Distance"),
    enumeration("CollectionStatus"),
    enumeration("OptimizersStatusOneOf"),
    enumeration("Datatype"),
    enumeration("Modifier"),
    enumeration("ScalarType"),
    enumeration("MultiVectorComparator"),
    enumeration("CompressionRatio"),
];

/// The classes of a backup and of a local directory.
pub const ALL: Classes = Classes {
    format: "qdrant-client's collections",
    classes: &CLASSES,
};
