//! Files of ours that other programs wrote again.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow_array::{ArrayRef, Float64Array, Int32Array, LargeStringArray, RecordBatch, StringArray};
use arrow_schema::{Field, FieldRef, Schema};
use serde_json::{Value, json};
use vdb::{CollectionConfig, Distance, PointId, VectorParams, Vectors};

use crate::columnar::{ColumnarRows, ParquetIds, ParquetWriter, PayloadSurvey};
use crate::error::RowError;
use crate::input::Input;
use crate::options::{ColumnOptions, ReadOptions};
use crate::source::RowSource;

type Columns = Vec<(FieldRef, ArrayRef)>;

fn config() -> CollectionConfig {
    CollectionConfig::default()
        .vector("a", VectorParams::new(2, Distance::Dot))
        .vector("b", VectorParams::new(1, Distance::Manhattan))
}

/// The payload of the one point.
fn payload() -> Value {
    json!({"city": "Oslo", "n": 3, "mixed": {"n": [1, 2]}, "id": null})
}

/// A file of one point, opened after `change` to its columns and its metadata.
fn changed(
    change: impl Fn(&mut Columns, &mut HashMap<String, String>),
    options: &ReadOptions,
) -> Result<ColumnarRows, RowError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    let payload = payload();
    let payload = payload.as_object().unwrap();
    let mut survey = PayloadSurvey::default();
    survey.note(payload);
    let file = File::create(&path).unwrap();
    let mut writer = ParquetWriter::new(file, &config(), ParquetIds::Numbers, &survey).unwrap();
    let vectors = Vectors::default().with("a", vec![1.0, 2.0]).with("b", vec![3.0]);
    writer.point(PointId::Num(7), &vectors, payload).unwrap();
    writer.finish().unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
    let mut said = reader.schema().metadata().clone();
    let batch = reader.build().unwrap().next().unwrap().unwrap();
    let fields = batch.schema().fields().clone();
    let mut columns: Columns = fields
        .iter()
        .cloned()
        .zip(batch.columns().iter().cloned())
        .collect();
    change(&mut columns, &mut said);
    let (fields, columns): (Vec<FieldRef>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let schema = Arc::new(Schema::new_with_metadata(fields, said));
    let batch = RecordBatch::try_new(schema.clone(), columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    ColumnarRows::parquet(&Input::open(&path).unwrap(), options)
}

fn without(columns: &[&str]) -> ReadOptions {
    ReadOptions {
        columns: ColumnOptions {
            leave_out: columns.iter().map(ToString::to_string).collect(),
            ..ColumnOptions::default()
        },
        ..ReadOptions::default()
    }
}

/// Puts other values in the place of a column.
fn replace(columns: &mut Columns, name: &str, values: ArrayRef) {
    let field = Field::new(name, values.data_type().clone(), true);
    let column = columns.iter_mut().find(|(field, _)| field.name() == name);
    *column.unwrap() = (Arc::new(field), values);
}

fn add(columns: &mut Columns) {
    let field = Arc::new(Field::new("extra", arrow_schema::DataType::Int32, true));
    columns.push((field, Arc::new(Int32Array::from(vec![1]))));
}

#[test]
fn a_file_of_ours_is_read_as_it_says_or_not_at_all() {
    let plain = ReadOptions::default();
    assert_eq!(changed(|_, _| {}, &plain).unwrap().config(), Some(config()));
    let floats = |columns: &mut Columns| replace(columns, "n", Arc::new(Float64Array::from(vec![3.0])));
    let error = changed(|columns, _| floats(columns), &plain)
        .unwrap_err()
        .to_string();
    assert!(error.contains("\"n\" is of the type Float64"), "{error}");
    let error = changed(|columns, _| add(columns), &plain)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("\"extra\"") && error.contains("--leave-out"),
        "{error}"
    );
    let error = changed(|columns, _| drop(columns.remove(1)), &plain)
        .unwrap_err()
        .to_string();
    assert!(error.contains("no column \"vector.a\""), "{error}");
    let newer = |said: &mut HashMap<String, String>| {
        let text = said["vdb"].replace("\"version\":2", "\"version\":9");
        said.insert("vdb".to_owned(), text);
    };
    let error = changed(|_, said| newer(said), &plain).unwrap_err().to_string();
    assert!(error.contains("version 9"), "{error}");
    let numbered = ReadOptions {
        columns: ColumnOptions {
            number_rows: true,
            ..ColumnOptions::default()
        },
        ..ReadOptions::default()
    };
    let error = changed(|_, _| {}, &numbered).unwrap_err().to_string();
    assert!(error.contains("--number-rows is for files of others"), "{error}");
    let using = |name: &str| ReadOptions {
        vector_name: name.to_owned(),
        ..ReadOptions::default()
    };
    assert_eq!(changed(|_, _| {}, &using("a")).unwrap().config(), Some(config()));
    let error = changed(|_, _| {}, &using("c")).unwrap_err().to_string();
    assert!(error.contains("neither a vector \"c\""), "{error}");
    // Without the key it is any file.
    let rows = changed(|_, said| said.clear(), &plain).unwrap();
    assert_eq!(rows.config(), None);
}

#[test]
fn what_is_left_out_of_a_file_of_ours_leaves_the_rest_as_it_says() {
    let mut rows = changed(|columns, _| add(columns), &without(&["extra", "vector.a"])).unwrap();
    let b = CollectionConfig::default().vector("b", VectorParams::new(1, Distance::Manhattan));
    assert_eq!(rows.config(), Some(b));
    let row = rows.next().unwrap().unwrap();
    assert_eq!(
        (row.id, row.vectors),
        (PointId::Num(7), Vectors::default().with("b", vec![3.0]))
    );
    let mut rows = changed(|_, _| {}, &without(&["id", "city", "n", "mixed", "payload.id"])).unwrap();
    let row = rows.next().unwrap().unwrap();
    assert_eq!((row.id, row.numbered, row.payload), (PointId::Num(0), true, None));
    let error = changed(|_, _| {}, &without(&["nothing"]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("no column \"nothing\""), "{error}");
}

#[test]
fn integers_beyond_64_bits_in_a_payload_are_not_rounded_unasked() {
    let wide = |columns: &mut Columns, _: &mut HashMap<String, String>| {
        let text = r#"{"n": [1, 36893488147419103232]}"#;
        replace(columns, "mixed", Arc::new(StringArray::from(vec![text])));
    };
    let error = changed(wide, &ReadOptions::default())
        .unwrap()
        .next()
        .unwrap()
        .unwrap_err();
    assert!(error.is_skippable());
    let error = error.to_string();
    assert!(
        error.contains("mixed.n[1]: 36893488147419103232") && error.contains("--lossy"),
        "{error}"
    );
    let lossy = ReadOptions {
        lossy: true,
        ..ReadOptions::default()
    };
    let mut rows = changed(wide, &lossy).unwrap();
    let row = rows.next().unwrap().unwrap();
    assert_eq!(rows.changed(), 1);
    assert!(row.payload.unwrap()["mixed"]["n"][1].is_f64());
}

#[test]
fn fields_are_columns_of_their_types_and_come_back_from_other_widths() {
    let narrower = |columns: &mut Columns, _: &mut HashMap<String, String>| {
        let names: Vec<&str> = columns.iter().map(|(field, _)| field.name().as_str()).collect();
        let expected = ["id", "vector.a", "vector.b", "city", "n", "mixed", "payload.id"];
        assert_eq!(names, expected);
        replace(columns, "n", Arc::new(Int32Array::from(vec![3])));
        replace(columns, "city", Arc::new(LargeStringArray::from(vec!["Oslo"])));
    };
    let mut rows = changed(narrower, &ReadOptions::default()).unwrap();
    let row = rows.next().unwrap().unwrap();
    assert_eq!(Value::Object(row.payload.unwrap()), payload());
}
