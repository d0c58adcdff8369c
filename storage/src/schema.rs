//! What a collection holds, as it is written to disk.
//!
//! The manifest carries the schema that is in force; every points file carries the one under which its segment
//! was written, so that segments can be read without a manifest.

use std::collections::HashSet;

use bincode::{Decode, Encode};

/// The vectors and payload indexes of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct SchemaRecord {
    /// Named dense vectors and multivectors, by ascending number.
    pub vectors: Vec<VectorRecord>,
    /// Named sparse vectors, by ascending number. No number is that of another vector.
    pub sparse_vectors: Vec<SparseVectorRecord>,
    /// The number that the next vector of any kind gets.
    pub next_vector: u16,
    /// Payload indexes, by ascending number.
    pub payload_indexes: Vec<PayloadIndexRecord>,
    /// The number that the next payload index to be added gets.
    pub next_payload_index: u16,
    /// What was set: an encoded object ([`encode_payload`](crate::payload::encode_payload)), empty for none of it. Its keys
    /// are given by the engine.
    pub settings: Vec<u8>,
    /// The payload path of the time at which a point ends, if points do.
    pub ttl: Option<String>,
    /// Counts the changes: of two schemas of a collection the one with the greater number came later.
    pub revision: u64,
}

/// One named vector. Codes of distances are given by the engine, codes of elements by
/// [`Element`](vdb_sys::element::Element).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct VectorRecord {
    /// Names the files of this vector; never given to another one of the collection.
    pub number: u16,
    /// The user's name for it; empty for the default vector.
    pub name: String,
    /// Components of a vector.
    pub size: u32,
    /// How vectors are compared.
    pub distance: u8,
    /// How a component is stored.
    pub element: u8,
    /// How multivectors are compared, if it is one; codes are given by the engine.
    pub multivector: Option<u8>,
}

/// One named sparse vector. Codes of modifiers are given by the engine, codes of elements by
/// [`Element`](vdb_sys::element::Element).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SparseVectorRecord {
    /// As [`VectorRecord::number`].
    pub number: u16,
    /// The user's name for it; never empty.
    pub name: String,
    /// What is done to the weights of a query.
    pub modifier: u8,
    /// How the user would have values kept.
    pub element: u8,
}

/// One payload index.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PayloadIndexRecord {
    /// Names the files of this index; never given to another one of the collection.
    pub number: u16,
    /// The payload path that is indexed.
    pub path: String,
    /// What kind of value is indexed; codes are given by the engine.
    pub kind: u8,
    /// The options that were given with the kind, if any were.
    pub options: Option<PayloadIndexOptionsRecord>,
}

/// Options of a payload index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct PayloadIndexOptionsRecord {
    /// Switches, in an order that the engine gives; `None` for one that was not given.
    pub switches: Vec<Option<bool>>,
    /// Where the index had best be; codes are given by the engine.
    pub memory: Option<u8>,
    /// How an index of texts makes tokens.
    pub text: TextOptionsRecord,
}

/// How texts become tokens: what was given of it. Tokenizers and languages are told by the names that the engine gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct TextOptionsRecord {
    /// How a text is cut.
    pub tokenizer: Option<String>,
    /// Characters of a token, at least.
    pub min_token_len: Option<u64>,
    /// Characters of a token, at most.
    pub max_token_len: Option<u64>,
    /// Words that are left out.
    pub stopwords: Option<StopwordsRecord>,
    /// What words are reduced to their stems by.
    pub stemmer: Option<StemmerRecord>,
}

/// Words that are left out.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum StopwordsRecord {
    /// The list of a language.
    Language(String),
    /// Lists of languages, and words.
    Set {
        /// The languages, if they were given.
        languages: Option<Vec<String>>,
        /// The words, if they were given.
        custom: Option<Vec<String>>,
    },
}

/// What words are reduced to their stems by.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum StemmerRecord {
    /// Nothing.
    None,
    /// The Snowball stemmer of a language.
    Snowball(String),
}

impl SchemaRecord {
    /// The vector of a name.
    pub fn vector(&self, name: &str) -> Option<&VectorRecord> {
        self.vectors.iter().find(|vector| vector.name == name)
    }

    /// The index of a payload path.
    pub fn payload_index(&self, path: &str) -> Option<&PayloadIndexRecord> {
        self.payload_indexes.iter().find(|index| index.path == path)
    }

    /// What contradicts itself in this schema, if anything does.
    pub fn contradiction(&self) -> Option<String> {
        let dense: Vec<u16> = self.vectors.iter().map(|vector| vector.number).collect();
        let sparse: Vec<u16> = self.sparse_vectors.iter().map(|vector| vector.number).collect();
        for numbers in [&dense, &sparse] {
            if !ascending_below(numbers, self.next_vector) {
                return Some(format!(
                    "vector numbers {numbers:?} do not ascend below {}",
                    self.next_vector
                ));
            }
        }
        if let Some(number) = sparse.iter().find(|number| dense.binary_search(number).is_ok()) {
            return Some(format!("two vectors have the number {number}"));
        }
        let numbers: Vec<u16> = self.payload_indexes.iter().map(|index| index.number).collect();
        if !ascending_below(&numbers, self.next_payload_index) {
            let next = self.next_payload_index;
            return Some(format!(
                "payload index numbers {numbers:?} do not ascend below {next}"
            ));
        }
        let names = self.vectors.iter().map(|vector| vector.name.as_str());
        let names = names.chain(self.sparse_vectors.iter().map(|vector| vector.name.as_str()));
        if let Some(name) = repeated(names) {
            return Some(format!("two vectors have the name {name:?}"));
        }
        repeated(self.payload_indexes.iter().map(|index| index.path.as_str()))
            .map(|path| format!("two payload indexes have the path {path:?}"))
    }
}

fn ascending_below(numbers: &[u16], next: u16) -> bool {
    numbers.is_sorted_by(|a, b| a < b) && numbers.last().is_none_or(|&last| last < next)
}

/// The first name that comes up a second time.
pub(crate) fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.into_iter().find(|&name| !seen.insert(name))
}
