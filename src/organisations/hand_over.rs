//! Staff move on 1 April: memberships end, successors get them, and what is open under the old name goes to the new one. One
//! operation for a whole list, all or nothing.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::people::{self, HeldMembership, Person};
use super::people_service::tell_membership;
use super::reach::Reach;
use crate::auth::policy::Role;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{OrganisationId, UserId};

/// Most people handed over at once.
const MOST: usize = 100;

/// Who leaves when, and who takes over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"on": "2027-04-01", "items": [{"user_id": 12, "successor_id": 34}]}))]
pub struct HandOverBody {
    /// First day on which the old memberships no longer count and the new ones do.
    pub on: NaiveDate,
    /// The people.
    #[schema(min_items = 1, max_items = 100)]
    pub items: Vec<HandOverItem>,
}

/// One person who leaves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverItem {
    /// Who leaves.
    pub user_id: UserId,
    /// Who takes over; nobody when absent: the memberships end all the same.
    pub successor_id: Option<UserId>,
}

/// What was handed over.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandOverView {
    /// Memberships that end.
    #[schema(minimum = 0, maximum = 10000)]
    pub memberships_ended: i64,
    /// Memberships given to successors who did not have them.
    #[schema(minimum = 0, maximum = 10000)]
    pub memberships_given: i64,
    /// Open requests whose person in charge is now the successor.
    #[schema(minimum = 0, maximum = 1000000)]
    pub requests: i64,
}

/// Hands over.
///
/// # Errors
/// 422 where somebody is named twice, is not within reach, or would hand over to themselves.
pub fn hand_over(conn: &mut Conn, ctx: &Ctx, body: HandOverBody) -> Result<Outcome<HandOverView>, Error> {
    let mut fields = Fields::new();
    fields.check(!body.items.is_empty(), "/items", "required", "1人以上指定してください", "Name at least one person");
    fields.at_most("/items", body.items.len(), MOST);
    fields.check(body.on >= ctx.today(), "/on", "past", "今日以後の日にしてください", "Must be today or later");
    let mut seen = BTreeSet::new();
    let mut pairs: Vec<(Person, Option<Person>)> = Vec::new();
    for (index, item) in body.items.iter().take(MOST).enumerate() {
        let at = |name: &str| format!("/items/{index}/{name}");
        fields.check(seen.insert(item.user_id), at("user_id"), "twice", "同じ人が2回指定されています", "Named twice");
        let unknown = |fields: &mut Fields, name: &str| {
            fields.wrong(at(name), "unknown", "管理できる利用者を指定してください", "Must be a person within your reach");
        };
        fields.check(
            ctx.principal.user_id() != Some(item.user_id),
            at("user_id"),
            "yourself",
            "自分自身の異動は、ほかの管理者が行います",
            "Somebody else hands over for you",
        );
        let Some(leaver) = within_reach(conn, ctx, item.user_id)? else {
            unknown(&mut fields, "user_id");
            continue;
        };
        let successor = match item.successor_id {
            None => None,
            Some(id) if id == item.user_id => {
                fields.wrong(at("successor_id"), "same_person", "別の人を指定してください", "Must be somebody else");
                continue;
            }
            Some(id) => match within_reach(conn, ctx, id)? {
                Some(person) => Some(person),
                None => {
                    unknown(&mut fields, "successor_id");
                    continue;
                }
            },
        };
        pairs.push((leaver, successor));
    }
    fields.finish()?;
    let mut view = HandOverView { memberships_ended: 0, memberships_given: 0, requests: 0 };
    for (leaver, successor) in &pairs {
        one(conn, ctx, body.on, leaver, successor.as_ref(), &mut view)?;
    }
    let moved: Vec<_> =
        body.items.iter().map(|item| json!({"user_id": item.user_id, "successor_id": item.successor_id})).collect();
    let mut audit = Audit::new("user", 0, ctx.organisation())
        .created(json!({"on": body.on, "handed_over": moved, "memberships_ended": view.memberships_ended, "memberships_given": view.memberships_given, "requests": view.requests}));
    audit.entity_id = None;
    Ok(Outcome::done(view, audit))
}

fn within_reach(conn: &mut Conn, ctx: &Ctx, id: UserId) -> Result<Option<Person>, Error> {
    match people::administered(conn, ctx, id) {
        Ok(person) => Ok(Some(person)),
        Err(error) if matches!(error.code, ErrorCode::NotFound | ErrorCode::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}

fn one(
    conn: &mut Conn,
    ctx: &Ctx,
    on: NaiveDate,
    leaver: &Person,
    successor: Option<&Person>,
    view: &mut HandOverView,
) -> Result<(), Error> {
    let reach = Reach::of(&ctx.principal);
    let mut bodies: Vec<OrganisationId> = Vec::new();
    let open = leaver.memberships.iter().filter(|held| held.is_open(on) && held.valid_from < on);
    for held in open.filter(|held| reach == Reach::All || reach.covers(held.place())) {
        if held.role == Role::SystemAdmin && reach != Reach::All {
            continue;
        }
        people::end_membership(conn, held.id, Some(on), ctx.now)?;
        view.memberships_ended += 1;
        let ended = HeldMembership { valid_to: Some(on), ..held.clone() };
        tell_membership(conn, ctx, leaver, &ended, false)?;
        bodies.push(held.organisation_id);
        let Some(successor) = successor else { continue };
        let has = successor.memberships.iter().any(|other| {
            (other.organisation_id, other.role) == (held.organisation_id, held.role) && other.valid_to.is_none_or(|to| to > on)
        });
        if !has && held.role != Role::Expert {
            let id =
                people::insert_membership(conn, successor.user.id, held.organisation_id, held.role, on, held.valid_to, ctx.now)?;
            view.memberships_given += 1;
            let given = HeldMembership { id, user_id: successor.user.id, valid_from: on, ..held.clone() };
            tell_membership(conn, ctx, successor, &given, true)?;
        }
    }
    if let Some(successor) = successor {
        let to = (successor.user.name.as_str(), successor.user.email.as_str());
        let moved = crate::requests::store::hand_over_contact(conn, &bodies, &leaver.user.email, to, ctx.now)?;
        view.requests += i64::try_from(moved).unwrap_or(i64::MAX);
    }
    Ok(())
}
