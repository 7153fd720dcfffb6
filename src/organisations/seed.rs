//! Putting the built-in bodies into the database.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::bodies::{self, BodyKind};
use super::model::OrganisationKind;
use super::store::{self, NewOrganisation};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::Error;
use crate::ids::OrganisationId;

impl From<BodyKind> for OrganisationKind {
    fn from(kind: BodyKind) -> Self {
        match kind {
            BodyKind::Prefecture => Self::Prefecture,
            BodyKind::City => Self::City,
            BodyKind::SpecialWard => Self::SpecialWard,
            BodyKind::Town => Self::Town,
            BodyKind::Village => Self::Village,
        }
    }
}

/// Adds the built-in bodies and populations that are not there yet and returns how many bodies it added. What is
/// there, renamed or closed bodies included, is left as it is, so that it can run at every start.
pub fn load_built_in(conn: &mut Conn, now: UtcTime) -> Result<usize, Error> {
    let built_in = bodies::all().map_err(Error::internal)?;
    let mut ids: HashMap<String, OrganisationId> =
        store::all_that_had_code(conn)?.into_iter().filter_map(|row| Some((row.lg_code?, row.id))).collect();
    let known_populations: HashSet<(OrganisationId, NaiveDate)> = store::population_days(conn)?.into_iter().collect();
    let mut added = 0;
    // In order of code a prefecture comes before its municipalities.
    for body in built_in {
        let code = body.code.as_str().to_owned();
        let id = match ids.get(&code) {
            Some(id) => *id,
            None => {
                let prefecture_id = match body.kind {
                    BodyKind::Prefecture => None,
                    _ => ids.get(body.prefecture_code.as_str()).copied(),
                };
                let id = store::insert_only(
                    conn,
                    &NewOrganisation {
                        kind: body.kind.into(),
                        lg_code: Some(code.clone()),
                        prefecture_id,
                        parent_id: None,
                        name: body.name.to_owned(),
                        kana: body.kana.to_owned(),
                        place: Some((millionths(body.latitude), millionths(body.longitude))),
                        contact_email: None,
                    },
                    now,
                )?;
                ids.insert(code, id);
                added += 1;
                id
            }
        };
        if let Some(figure) = body.population.filter(|figure| !known_populations.contains(&(id, figure.as_of))) {
            let rounding = i32::try_from(figure.rounding).map_err(Error::internal)?;
            store::insert_population(conn, id, i64::from(figure.value), rounding, figure.as_of, figure.source)?;
        }
    }
    Ok(added)
}

/// Degrees as millionths; the table is known to hold degrees, so nothing is cut.
#[expect(clippy::cast_possible_truncation, reason = "at most 180 million")]
pub(super) fn millionths(degrees: f64) -> i32 {
    (degrees * 1e6).round() as i32
}

#[cfg(test)]
mod tests {
    use super::millionths;

    #[test]
    fn degrees_become_whole_millionths() {
        assert_eq!(millionths(34.9769), 34_976_900);
        assert_eq!(millionths(138.3831), 138_383_100);
    }
}
