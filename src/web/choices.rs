//! What the fields that name other objects offer to choose from, read once for a form. Only what the person may see.

use std::collections::BTreeMap;

use super::shape::{SHAPE, Schema, Sort};
use crate::auth::policy::{Permission as _, ReadExperts, ReadPools, ReadSkills, ReadUsers};
use crate::db::Conn;
use crate::error::Error;
use crate::experts::{frameworks, search};
use crate::http::{Ctx, ListQuery};
use crate::organisations::people::{self, Person, UserFilter};
use crate::organisations::reach::Reach;
use crate::pools::store as pools;

/// Most entries that a field lists; beyond it the number is typed.
const MOST: i64 = 200;

/// Value and words of an entry.
pub type Choice = (String, String);

/// What can be chosen, by what is named.
#[derive(Debug, Clone, Default)]
pub struct Choices(BTreeMap<&'static str, Vec<Choice>>);

/// What a field named so holds, if it names an object that pages offer.
pub fn kind_of(field: &str, schema: Option<&str>) -> Option<&'static str> {
    match schema {
        Some("OrganisationId") => return Some("organisation"),
        Some("ProgrammeId") => return Some("programme"),
        Some("PoolId") => return Some("pool"),
        Some("ExpertId") => return Some("expert"),
        Some("SkillItemId") => return Some("skill"),
        Some("UserId") => return Some("user"),
        // Which offers there are depends on the request: the page that decides says it.
        Some("OfferId") => return Some("offer"),
        _ => {}
    }
    let field = field.strip_suffix('s').unwrap_or(field);
    if field.ends_with("organisation_id") || field == "area_id" {
        Some("organisation")
    } else if field.ends_with("programme_id") {
        Some("programme")
    } else if field.ends_with("pool_id") {
        Some("pool")
    } else if field.ends_with("expert_id") {
        Some("expert")
    } else if field.ends_with("skill_item_id") {
        Some("skill")
    } else {
        None
    }
}

fn needed(schema: &'static Schema, depth: usize, found: &mut Vec<&'static str>) {
    if depth > 6 {
        return;
    }
    for (name, property) in &schema.properties {
        let item = property.items.as_deref();
        let named = property.name().or_else(|| item.and_then(Schema::name));
        if let Some(kind) = kind_of(name, named) {
            found.push(kind);
            continue;
        }
        let resolved = SHAPE.resolve(property);
        match resolved.sort() {
            Sort::Object => needed(resolved, depth + 1, found),
            Sort::List => {
                if let Some(items) = resolved.items.as_deref() {
                    needed(SHAPE.resolve(items), depth + 1, found);
                }
            }
            Sort::Variants => {
                if let Some((_, variants)) = resolved.variants() {
                    for (_, variant) in variants {
                        needed(variant, depth + 1, found);
                    }
                }
            }
            _ => {}
        }
    }
}

impl Choices {
    /// What a body offers to choose from.
    pub fn of_body(conn: &mut Conn, ctx: &Ctx, schema: &'static Schema) -> Result<Self, Error> {
        let mut kinds = Vec::new();
        needed(schema, 0, &mut kinds);
        Self::load(conn, ctx, &kinds)
    }

    /// The choices of several kinds.
    pub fn load(conn: &mut Conn, ctx: &Ctx, kinds: &[&'static str]) -> Result<Self, Error> {
        let mut choices = Self::default();
        for kind in kinds {
            if !choices.0.contains_key(kind) {
                let list = list(conn, ctx, kind)?;
                choices.0.insert(kind, list);
            }
        }
        Ok(choices)
    }

    /// What can be chosen of a kind; nothing where the value is typed.
    pub fn of(&self, kind: &str) -> Option<&[Choice]> {
        self.0.get(kind).map(Vec::as_slice).filter(|list| !list.is_empty())
    }

    /// Replaces what can be chosen, where a page knows better.
    pub fn set(&mut self, kind: &'static str, list: Vec<Choice>) {
        self.0.insert(kind, list);
    }

    /// The words of a value.
    pub fn label(&self, kind: &str, value: &str) -> Option<&str> {
        self.of(kind)?.iter().find(|(known, _)| known == value).map(|(_, label)| label.as_str())
    }
}

fn list(conn: &mut Conn, ctx: &Ctx, kind: &str) -> Result<Vec<Choice>, Error> {
    let first = ListQuery::new(Some(MOST), None, &kind)?;
    let who = &ctx.principal;
    Ok(match kind {
        "pool" if who.may(&ReadPools::INFO) => {
            pools::list_pools(conn, ctx, &first)?.into_iter().map(|(row, _)| (row.id.to_string(), row.name)).collect()
        }
        "programme" if who.may(&ReadPools::INFO) => {
            pools::list_programmes(conn, ctx, None, &first)?.into_iter().map(|row| (row.id.to_string(), row.name)).collect()
        }
        "organisation" => {
            let mut bodies: Vec<Choice> =
                pools::bodies_around(conn, ctx)?.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
            let own = ctx.organisation().to_string();
            if !bodies.iter().any(|(id, _)| *id == own) {
                bodies.insert(0, (own, who.organisation_name.clone()));
            }
            bodies
        }
        "user" if who.may(&ReadUsers::INFO) => {
            let filter = UserFilter { organisation_id: None, text: None, status: None };
            let label = |person: &Person| match person.memberships.last() {
                Some(held) => format!("{}（{}）", person.user.name, held.organisation_name),
                None => person.user.name.clone(),
            };
            let rows = people::list(conn, &Reach::of(who), &filter, &first)?;
            rows.iter().map(|person| (person.user.id.to_string(), label(person))).collect()
        }
        "expert" if who.may(&ReadExperts::INFO) => {
            let rows = search::list(conn, ctx, &search::ExpertFilter::anybody(), &first, false)?;
            let label = |row: &search::SummaryRow| match row.affiliation.as_str() {
                "" => row.name.clone(),
                affiliation => format!("{}（{affiliation}）", row.name),
            };
            rows.iter().take(200).map(|row| (row.id.to_string(), label(row))).collect()
        }
        "skill" if who.may(&ReadSkills::INFO) => frameworks::list(conn, None, &first)?
            .items
            .into_iter()
            .flat_map(|framework| {
                let name = framework.name;
                framework.items.into_iter().map(move |item| (item.id.to_string(), format!("{}（{name}）", item.name)))
            })
            .collect(),
        _ => Vec::new(),
    })
}
