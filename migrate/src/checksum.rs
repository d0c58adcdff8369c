//! What all points of one side come to, in whatever order they are read: the sum of a hash of each (M. Bellare, D. Micciancio:
//! "A New Paradigm for Collision-Free Hashing", 1997, in its simplest form).

use std::collections::HashMap;

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::value::Kind;
use sha2::{Digest, Sha256};

use crate::compare::is_exact;
use crate::point::{Numbers, Point};
use crate::schema::Schema;

/// The sum so far. Vectors that do not come back bit for bit, because they are brought to unit length or rounded, take part with
/// their names and sizes; their numbers are compared one by one instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checksum(u128);

impl Checksum {
    pub(crate) fn add(&mut self, schema: &Schema, point: &Point) {
        let mut hash = Sha256::new();
        text(&mut hash, &point.id.to_string());
        fields(&mut hash, &point.payload);
        for (name, numbers) in &point.vectors {
            text(&mut hash, name);
            vector(&mut hash, is_exact(schema.0.get(name)), numbers);
        }
        let digest = hash.finalize();
        let mut low = [0; 16];
        low.copy_from_slice(&digest[..16]);
        self.0 = self.0.wrapping_add(u128::from_le_bytes(low));
    }
}

impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Lengths come before what they are of, so that no two values look alike.
fn length(hash: &mut Sha256, length: usize) {
    hash.update((length as u64).to_le_bytes());
}

fn text(hash: &mut Sha256, text: &str) {
    length(hash, text.len());
    hash.update(text);
}

fn fields(hash: &mut Sha256, fields: &HashMap<String, proto::Value>) {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    length(hash, sorted.len());
    for (name, one) in sorted {
        text(hash, name);
        value(hash, one);
    }
}

fn value(hash: &mut Sha256, value: &proto::Value) {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => hash.update([0]),
        Some(Kind::BoolValue(truth)) => hash.update([1, u8::from(*truth)]),
        Some(Kind::IntegerValue(number)) => {
            hash.update([2]);
            hash.update(number.to_le_bytes());
        }
        Some(Kind::DoubleValue(number)) => {
            hash.update([3]);
            hash.update(number.to_bits().to_le_bytes());
        }
        Some(Kind::StringValue(string)) => {
            hash.update([4]);
            text(hash, string);
        }
        Some(Kind::ListValue(list)) => {
            hash.update([5]);
            length(hash, list.values.len());
            list.values.iter().for_each(|one| self::value(hash, one));
        }
        Some(Kind::StructValue(object)) => {
            hash.update([6]);
            fields(hash, &object.fields);
        }
    }
}

fn vector(hash: &mut Sha256, exact: bool, numbers: &Numbers) {
    let row = |hash: &mut Sha256, row: &[f32]| {
        length(hash, row.len());
        if exact {
            row.iter()
                .for_each(|number| hash.update(number.to_bits().to_le_bytes()));
        }
    };
    match numbers {
        Numbers::Dense(data) => {
            hash.update([0]);
            row(hash, data);
        }
        Numbers::Sparse(pairs) => {
            hash.update([1]);
            pairs
                .iter()
                .for_each(|(index, _)| hash.update(index.to_le_bytes()));
            let values: Vec<f32> = pairs.iter().map(|(_, value)| *value).collect();
            row(hash, &values);
        }
        Numbers::Multi(rows) => {
            hash.update([2]);
            length(hash, rows.len());
            rows.iter().for_each(|one| row(hash, one));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn point(id: u64, name: &str) -> Point {
        Point {
            id: id.into(),
            payload: HashMap::from([
                ("name".to_owned(), proto::Value::from(name)),
                ("n".to_owned(), proto::Value::from(1_i64)),
            ]),
            vectors: BTreeMap::from([(String::new(), Numbers::Dense(vec![0.5, 1.5]))]),
            bytes: 0,
            beyond: None,
            exact: None,
        }
    }

    fn sum(points: &[Point]) -> Checksum {
        let mut sum = Checksum::default();
        points.iter().for_each(|point| sum.add(&Schema::default(), point));
        sum
    }

    #[test]
    fn the_order_makes_no_difference_and_everything_else_does() {
        let (owl, hawk) = (point(1, "owl"), point(2, "hawk"));
        let both = sum(&[owl.clone(), hawk.clone()]);
        assert_eq!(both, sum(&[hawk.clone(), owl.clone()]));
        assert_ne!(both, sum(&[owl.clone(), owl.clone()]));
        assert_ne!(both, sum(std::slice::from_ref(&owl)));
        assert_ne!(both, sum(&[owl.clone(), point(2, "kite")]));
        assert_ne!(both, sum(&[owl, point(3, "hawk")]));
        let moved = Point {
            vectors: BTreeMap::from([(String::new(), Numbers::Dense(vec![0.5, 1.6]))]),
            ..hawk
        };
        assert_ne!(both, sum(&[point(1, "owl"), moved]));
    }
}
