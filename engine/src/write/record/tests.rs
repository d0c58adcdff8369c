use proptest::prelude::*;

use super::*;
use crate::config::{CollectionConfig, Distance, VectorParams};

fn schema() -> Schema {
    let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot))
        .vector("b", VectorParams::new(1, Distance::Dot));
    Schema::new(config).unwrap()
}

fn body(sections: &[Section], weak: bool) -> Vec<u8> {
    let mut body = encode_header(sections, weak).unwrap();
    for section in sections {
        section
            .bulk
            .iter()
            .for_each(|piece| body.extend_from_slice(piece));
    }
    body
}

fn sample() -> Vec<Section> {
    let mut a = Section {
        collection: 1,
        seq: 9,
        ..Section::default()
    };
    a.push(
        EffectKind::Put,
        PointId::Num(4),
        b"payload",
        [(0, [1u8; 8].as_slice()), (1, [2u8; 4].as_slice())],
    )
    .unwrap();
    a.push(
        EffectKind::Delete,
        PointId::Uuid(uuid::Uuid::from_u128(77)),
        b"",
        [],
    )
    .unwrap();
    let mut b = Section {
        collection: 2,
        seq: 1,
        ..Section::default()
    };
    b.push(EffectKind::Payload, PointId::Num(u64::MAX), b"{}", [])
        .unwrap();
    vec![a, b]
}

#[test]
fn what_is_written_is_read_back() {
    let record = decode(&body(&sample(), true)).unwrap();
    assert!(record.weak);
    assert_eq!(record.sections, sample());
    let mut seen = Vec::new();
    record.sections[0]
        .for_each(&schema(), |effect| {
            let vectors: Vec<_> = effect.vectors.iter().map(|v| v.map(<[u8]>::to_vec)).collect();
            seen.push((effect.kind, effect.id, effect.payload.to_vec(), vectors));
            Ok(())
        })
        .unwrap();
    let put = (
        EffectKind::Put,
        PointId::Num(4),
        b"payload".to_vec(),
        vec![Some(vec![1; 8]), Some(vec![2; 4])],
    );
    let delete = (
        EffectKind::Delete,
        PointId::Uuid(uuid::Uuid::from_u128(77)),
        Vec::new(),
        vec![None, None],
    );
    assert_eq!(seen, [put, delete]);
}

#[test]
fn a_record_that_does_not_fit_the_schema_is_an_error() {
    let one_vector = Schema::new(CollectionConfig::new(VectorParams::new(2, Distance::Dot))).unwrap();
    let wider = Schema::new(CollectionConfig::new(VectorParams::new(3, Distance::Dot))).unwrap();
    for schema in [one_vector, wider] {
        assert!(sample()[0].for_each(&schema, |_| Ok(())).is_err());
    }
}

#[test]
fn a_header_is_these_bytes_and_no_others() {
    let mut section = Section {
        collection: 3,
        seq: 0x0102,
        ..Section::default()
    };
    section
        .push(
            EffectKind::Put,
            PointId::Num(5),
            b"pay",
            [(1, [7u8; 4].as_slice())],
        )
        .unwrap();
    let mut expected = vec![77, 0, 0, 0, 2, 1];
    expected.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend_from_slice(&[3, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]);
    expected.extend_from_slice(&[7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend_from_slice(&[0, 0, 0, 0, 0]);
    expected.extend_from_slice(&[5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend_from_slice(&[3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, 0, 0]);
    expected.extend_from_slice(b"pay\x07\x07\x07\x07");
    assert_eq!(body(&[section.clone()], true), expected);
    assert_eq!(section.logged_bytes(), expected.len() - 4 - 10);
}

#[test]
fn a_record_may_have_more_effects_than_other_records_have_bytes_for() {
    let mut section = Section {
        collection: 1,
        seq: 1,
        ..Section::default()
    };
    let count = 2_100_000u64;
    assert!(count as usize * EFFECT_BYTES > codec::MAX_RECORD_BYTES);
    for id in 0..count {
        section
            .push(EffectKind::Delete, PointId::Num(id), &[], [])
            .unwrap();
    }
    let bytes = body(&[section], false);
    let read = decode(&bytes).unwrap().sections.remove(0);
    assert_eq!(read.effects.len() as u64, count);
    assert_eq!(read.effects.last().map(Effect::id), Some(PointId::Num(count - 1)));
}

#[test]
fn a_number_of_effects_that_are_not_there_is_an_error() {
    let good = body(&sample(), false);
    // The effects of the first section, which the header says last of it.
    let at = 4 + 10 + 20;
    for wrong in [u64::MAX, 3, 1] {
        let mut bytes = good.clone();
        bytes[at..at + 8].copy_from_slice(&wrong.to_le_bytes());
        assert!(decode(&bytes).unwrap_err().is_damage(), "{wrong}");
    }
    let mut bytes = good;
    bytes[6..14].copy_from_slice(&1u64.to_le_bytes());
    let text = decode(&bytes).unwrap_err().to_string();
    assert!(text.contains("more bytes in its header"), "{text}");
}

#[test]
fn another_version_is_refused_by_number() {
    let mut bytes = body(&sample(), false);
    bytes[4] = 9;
    assert!(decode(&bytes).unwrap_err().to_string().contains("version 9"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(record) = decode(&bytes) {
            for section in &record.sections { let _ = section.for_each(&schema(), |_| Ok(())); }
        }
    }

    #[test]
    fn any_damage_is_read_or_refused(at in 0usize..400, flip in 1u8.., cut in 0usize..400) {
        let mut bytes = body(&sample(), false);
        let at = at % bytes.len();
        bytes[at] ^= flip;
        bytes.truncate(cut.max(1));
        if let Ok(record) = decode(&bytes) {
            for section in &record.sections { let _ = section.for_each(&schema(), |_| Ok(())); }
        }
    }
}
