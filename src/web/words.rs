//! What fields and values are called on pages.

use super::labels::{FIELDS, HELP};
use super::shape::Schema;
use super::tongue::Tongue;

fn look_up(list: &'static [(&str, &str, &str)], key: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    list.binary_search_by(|(known, ..)| (*known).cmp(key)).ok().and_then(|index| list.get(index))
}

fn found(list: &'static [(&str, &str, &str)], schema: Option<&str>, field: &str, tongue: Tongue) -> Option<&'static str> {
    schema
        .and_then(|schema| look_up(list, &format!("{schema}.{field}")))
        .or_else(|| look_up(list, field))
        .map(|(_, ja, en)| tongue.t(ja, en))
}

/// What a field of a schema is called.
pub fn label(schema: Option<&str>, field: &str, tongue: Tongue) -> String {
    found(FIELDS, schema, field, tongue).map_or_else(|| field.replace('_', " "), str::to_owned)
}

/// What helps to fill it in.
pub fn help(schema: Option<&str>, field: &str, tongue: Tongue) -> Option<&'static str> {
    found(HELP, schema, field, tongue)
}

/// What a value of an enum is called.
pub fn value(schema: &Schema, value: &str, tongue: Tongue) -> String {
    schema.value_label(value, tongue).unwrap_or_else(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::shape::SHAPE;
    use super::*;

    #[test]
    fn every_field_of_the_document_has_a_name() {
        for list in [FIELDS, HELP] {
            for pair in list.windows(2) {
                assert!(pair[0].0 < pair[1].0, "{} is not before {}", pair[0].0, pair[1].0);
            }
        }
        let mut missing = Vec::new();
        for (name, schema) in SHAPE.schemas() {
            for field in schema.properties.keys() {
                if found(FIELDS, Some(name), field, Tongue::default()).is_none() {
                    missing.push(format!("{name}.{field}"));
                }
            }
        }
        for operation in SHAPE.all() {
            for (name, _) in &operation.query {
                if found(FIELDS, None, name, Tongue::default()).is_none() {
                    missing.push(name.clone());
                }
            }
        }
        assert!(missing.is_empty(), "{missing:?}");
    }
}
