//! What the API sends and takes for organisations.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bodies::PopulationBand;
use super::model::OrganisationKind;
use super::store::{OrganisationRow, PopulationRow};
use crate::ids::OrganisationId;

/// A population figure.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PopulationView {
    /// People.
    #[schema(minimum = 0, example = 780_000)]
    pub value: i64,
    /// The figure was published rounded to this many; 1 means exact.
    #[schema(minimum = 1, example = 1000)]
    pub rounded_to: i32,
    /// The day it describes.
    pub as_of: NaiveDate,
    /// Where it was published.
    #[schema(max_length = 200, example = "published_case_collection")]
    pub source: String,
}

/// An organisation (団体).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrganisationView {
    /// Id.
    pub id: OrganisationId,
    /// Kind.
    pub kind: OrganisationKind,
    /// 全国地方公共団体コード, six digits, of prefectures and municipalities.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 6, max_length = 6, pattern = "^[0-9]{6}$", example = "221309")]
    pub lg_code: Option<String>,
    /// The prefecture it lies in; a prefecture has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefecture_id: Option<OrganisationId>,
    /// The body it belongs to: a school's municipality, the body that runs a council.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<OrganisationId>,
    /// Name.
    #[schema(max_length = 200, example = "浜松市")]
    pub name: String,
    /// Reading in hiragana.
    #[schema(max_length = 200, example = "はままつし")]
    pub kana: String,
    /// Latitude of the office in degrees north.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -90, maximum = 90, example = 34.7109)]
    pub latitude: Option<f64>,
    /// Longitude of the office in degrees east.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -180, maximum = 180, example = 137.7262)]
    pub longitude: Option<f64>,
    /// Section mailbox that gets a copy of every mail; shown to the organisation and to who administers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254, example = "dx@city.hamamatsu.example.jp")]
    pub contact_email: Option<String>,
    /// Whether its staff's requests need its approver first.
    pub requires_approval: bool,
    /// Whether its people must set up a second factor of signing in.
    pub requires_second_factor: bool,
    /// First day of existence, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// First day on which it no longer exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
    /// The body it merged into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor_id: Option<OrganisationId>,
    /// Newest population known on the day asked for; absent where none was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population: Option<PopulationView>,
    /// Size class of a municipality with a known population.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population_band: Option<PopulationBand>,
    /// Version, as in `ETag`.
    pub version: i64,
}

impl OrganisationView {
    /// The view; `with_contact` when the asking party may see the section mailbox.
    pub fn new(row: OrganisationRow, population: Option<PopulationRow>, with_contact: bool) -> Self {
        let degrees = |millionths: i32| f64::from(millionths) / 1e6;
        let population_band = population
            .as_ref()
            .filter(|_| row.kind.is_municipality())
            .and_then(|figure| u32::try_from(figure.population).ok())
            .map(PopulationBand::of);
        Self {
            id: row.id,
            kind: row.kind,
            lg_code: row.lg_code,
            prefecture_id: row.prefecture_id,
            parent_id: row.parent_id,
            name: row.name,
            kana: row.kana,
            latitude: row.latitude_e6.map(degrees),
            longitude: row.longitude_e6.map(degrees),
            contact_email: row.contact_email.filter(|_| with_contact),
            requires_approval: row.requires_approval,
            requires_second_factor: row.requires_second_factor,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            successor_id: row.successor_id,
            population: population.map(|figure| PopulationView {
                value: figure.population,
                rounded_to: figure.rounded_to,
                as_of: figure.as_of,
                source: figure.source,
            }),
            population_band,
            version: row.version,
        }
    }
}

/// A page of organisations.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganisationPage {
    /// The organisations.
    #[schema(max_items = 200)]
    pub items: Vec<OrganisationView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// A new organisation of a kind that has no code: school, board of education, NPO, council and so on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "school", "name": "静岡県立浜松北高等学校", "kana": "しずおかけんりつはままつきたこうとうがっこう", "prefecture_id": 22}))]
pub struct CreateOrganisationBody {
    /// Kind; prefectures and municipalities come from the ministry's code list instead.
    pub kind: OrganisationKind,
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Reading.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub kana: String,
    /// The prefecture it lies in; the own one when absent.
    pub prefecture_id: Option<OrganisationId>,
    /// The body it belongs to; for a council of a coordinator the own organisation when absent.
    pub parent_id: Option<OrganisationId>,
    /// Section mailbox.
    #[schema(max_length = 254, example = "jimukyoku@kita-h.example.jp")]
    pub contact_email: Option<String>,
    /// Whether its staff's requests need its approver first.
    #[serde(default)]
    pub requires_approval: bool,
}

/// Changes to an organisation; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"contact_email": "dx@city.hamamatsu.example.jp", "requires_approval": true}))]
pub struct UpdateOrganisationBody {
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Reading.
    #[schema(max_length = 200)]
    pub kana: Option<String>,
    /// Section mailbox; null: none.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<String>, max_length = 254)]
    pub contact_email: Option<Option<String>>,
    /// Whether its staff's requests need its approver first.
    pub requires_approval: Option<bool>,
    /// Whether its people must set up a second factor of signing in: those who have none can do nothing else before.
    pub requires_second_factor: Option<bool>,
    /// First day on which it no longer exists; null: it exists on. For system administrators.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<NaiveDate>)]
    pub valid_to: Option<Option<NaiveDate>>,
    /// The body it merged into; null: none. For system administrators.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<OrganisationId>)]
    pub successor_id: Option<Option<OrganisationId>>,
}

#[cfg(test)]
mod tests {
    use super::UpdateOrganisationBody;

    #[test]
    fn null_clears_and_absent_keeps() {
        let body: UpdateOrganisationBody = serde_json::from_str(r#"{"contact_email": null}"#).unwrap();
        assert_eq!(body.contact_email, Some(None));
        assert_eq!(body.valid_to, None);
    }
}
