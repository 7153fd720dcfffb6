//! Use cases of registrations: register, change, suspend, resume, retire, skills, conflicts.

use std::collections::BTreeSet;

use serde_json::json;

use super::model::{Capacity, EmployerConsent, ExpertVerb, check_languages};
use super::store::{self, ConflictRow, ExpertData, ExpertRow};
use super::unavailable;
use super::views::{
    CreateExpertBody, ExpertConflict, ExpertConflictList, ExpertStateBody, ExpertView, ReplaceExpertConflictsBody,
    ReplaceExpertSkillsBody, Sight, UpdateExpertBody,
};
use crate::db::{Conn, dialect};
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ExpertId, OrganisationId, PoolId};
use crate::organisations::store as organisations_store;
use crate::pools::store::{self as pools_store, Standing};
use crate::text;

/// Most areas of an expert.
const MOST_AREAS: usize = 2000;
/// Most skills of an expert.
const MOST_SKILLS: usize = 200;
/// Most conflicts of an expert.
const MOST_CONFLICTS: usize = 500;

/// How much of an expert the principal may see.
pub fn sight(conn: &mut Conn, ctx: &Ctx, standing: Standing, id: ExpertId) -> Result<Sight, Error> {
    match standing {
        Standing::Owner => Ok(Sight::Full),
        Standing::Registered => Ok(Sight::Own),
        Standing::Member if store::contact_is_shared(conn, ctx.organisation(), id)? => Ok(Sight::Contact),
        Standing::Member => Ok(Sight::Profile),
    }
}

/// An expert with skills and areas.
pub fn view(conn: &mut Conn, row: ExpertRow, sight: Sight) -> Result<ExpertView, Error> {
    let areas = store::areas(conn, row.id)?;
    let skills = store::named_skills(conn, row.id)?;
    Ok(ExpertView::new(row, sight, areas, skills))
}

/// Registers an expert in a pool of the own organisation.
pub fn create_expert(conn: &mut Conn, ctx: &Ctx, body: CreateExpertBody) -> Result<Outcome<ExpertView>, Error> {
    let mut fields = Fields::new();
    let owner = match pools_store::standing(conn, ctx, body.pool_id)? {
        Some(Standing::Owner) => ctx.organisation(),
        _ => {
            fields.wrong(
                "/pool_id",
                "not_yours",
                "自団体の人材プールを指定してください",
                "Must be a pool of the own organisation",
            );
            ctx.organisation()
        }
    };
    let mut data = ExpertData {
        pool_id: body.pool_id,
        user_id: None,
        name: body.name,
        kana: text::to_katakana(&body.kana),
        alternative_name: body.alternative_name,
        search_key: String::new(),
        affiliation_kind: body.affiliation_kind,
        affiliation: body.affiliation,
        profile: body.profile,
        email: body.email,
        phone: body.phone,
        onsite: body.onsite,
        online: body.online,
        base_organisation_id: body.base_organisation_id,
        base_place: body.base_place,
        languages: body.languages.join(","),
        appointed_from: body.appointed_from,
        appointed_to: body.appointed_to,
        capacity_simultaneous: body.capacity_simultaneous,
        capacity_minutes_month: body.capacity_minutes_month,
        capacity_minutes_year: body.capacity_minutes_year,
        capacity_days_year: body.capacity_days_year,
        serves_islands: body.serves_islands,
        capacity_minutes_week: body.capacity_minutes_week,
        employer_consent: body.employer_consent,
        employer_consent_until: body.employer_consent_until,
    };
    check(&data, &mut fields);
    check_bodies(conn, data.base_organisation_id, &body.area_ids, &mut fields)?;
    fields.finish()?;
    refuse_taken_address(conn, data.pool_id, &data.email, None)?;
    data.refresh_search_key();
    let row = store::insert(conn, &data, ctx.now)?;
    store::insert_areas(conn, row.id, &body.area_ids)?;
    let audit = Audit::new("expert", row.id.0, owner).created(figures(&row));
    let (id, version) = (row.id, row.version);
    let view = ExpertView::new(row, Sight::Full, sorted(body.area_ids), Vec::new());
    Ok(Outcome::created(view, version, format!("/api/v1/experts/{id}"), audit))
}

/// Changes a registration's own data.
pub fn update_expert(
    conn: &mut Conn,
    ctx: &Ctx,
    expert: ExpertRow,
    body: UpdateExpertBody,
) -> Result<Outcome<ExpertView>, Error> {
    let mut fields = Fields::new();
    let (mut data, old) = (expert.data(), expert.data());
    if let Some(Some(user)) = body.user_id {
        let known = store::is_expert_account(conn, user, ctx.organisation(), ctx.today())?;
        fields.check(
            known,
            "/user_id",
            "not_an_expert_account",
            "自団体に専門家として所属する利用者を指定してください",
            "Must be a person who is an expert of the own organisation",
        );
    }
    merge(&mut data, &body);
    check(&data, &mut fields);
    let areas = body.area_ids;
    let base = data.base_organisation_id.filter(|_| data.base_organisation_id != old.base_organisation_id);
    if base.is_some() || areas.is_some() {
        check_bodies(conn, base, areas.as_deref().unwrap_or_default(), &mut fields)?;
    }
    fields.finish()?;
    if data.email != old.email {
        refuse_taken_address(conn, data.pool_id, &data.email, Some(expert.id))?;
    }
    data.refresh_search_key();
    let row = store::update(conn, &expert, &data, ctx.now)?;
    if let Some(areas) = &areas {
        store::clear_areas(conn, row.id)?;
        store::insert_areas(conn, row.id, areas)?;
    }
    let mut new = figures(&row);
    new["changed"] = json!(changed(&old, &data, areas.is_some()));
    let audit = Audit::new("expert", row.id.0, ctx.organisation()).change(figures(&expert), new);
    let version = row.version;
    Ok(Outcome::changed(view(conn, row, Sight::Full)?, version, audit))
}

/// Moves a registration along the state table. Retiring waits until no visit is ahead any more, so that no municipality
/// loses one unnoticed.
pub fn transition(
    conn: &mut Conn,
    ctx: &Ctx,
    expert: ExpertRow,
    verb: ExpertVerb,
    body: ExpertStateBody,
) -> Result<Outcome<ExpertView>, Error> {
    let status = expert.status.after(verb)?;
    if verb == ExpertVerb::Retire {
        dialect::lock_row(conn, dialect::Lockable::Expert, expert.id.0)?;
        let ahead = store::visits_ahead(conn, expert.id)?;
        if ahead > 0 {
            return Err(Error::new(ErrorCode::StillReferenced).detail(
                format!("予定された訪問が{ahead}回あります。取消しまたは専門家の交代の後に登録を終了してください"),
                format!("{ahead} visits are still ahead; cancel them or replace the expert first"),
            ));
        }
    }
    let mut fields = Fields::new();
    fields.text("/reason", &body.reason, 1000);
    fields.finish()?;
    let row = store::set_status(conn, &expert, status, ctx.now)?;
    if verb == ExpertVerb::Suspend {
        unavailable::suspended(conn, ctx, &row, ctx.organisation())?;
    }
    let mut audit = Audit::new("expert", row.id.0, ctx.organisation())
        .change(json!({"status": expert.status}), json!({"status": row.status}));
    if !body.reason.is_empty() {
        audit = audit.because(body.reason);
    }
    let version = row.version;
    Ok(Outcome::changed(view(conn, row, Sight::Full)?, version, audit))
}

/// Replaces the skills of an expert.
pub fn replace_skills(
    conn: &mut Conn,
    ctx: &Ctx,
    expert: ExpertRow,
    body: ReplaceExpertSkillsBody,
) -> Result<Outcome<ExpertView>, Error> {
    let mut fields = Fields::new();
    fields.at_most("/skills", body.skills.len(), MOST_SKILLS);
    let ids: Vec<_> = body.skills.iter().map(|skill| skill.skill_item_id).take(MOST_SKILLS).collect();
    let scales = store::item_scales(conn, &ids)?;
    let mut seen = BTreeSet::new();
    for (i, skill) in body.skills.iter().enumerate().take(MOST_SKILLS) {
        let pointer = format!("/skills/{i}/skill_item_id");
        fields.check(
            seen.insert(skill.skill_item_id),
            pointer.clone(),
            "duplicate",
            "同じスキルが重なっています",
            "The skill is listed twice",
        );
        match scales.iter().find(|(id, ..)| *id == skill.skill_item_id) {
            None => fields.wrong(pointer, "unknown_reference", "存在しないスキル項目です", "No such skill item"),
            Some((_, highest, _)) => {
                fields.within(&format!("/skills/{i}/level"), i64::from(skill.level), 1, i64::from(*highest));
            }
        }
    }
    fields.finish()?;
    let skills: Vec<_> = body.skills.iter().map(|skill| (skill.skill_item_id, skill.level, skill.verified)).collect();
    let old = store::skills(conn, &[expert.id])?;
    store::replace_skills(conn, expert.id, &skills)?;
    let row = store::touch(conn, &expert, ctx.now)?;
    let old: Vec<_> = old.iter().map(|skill| json!([skill.skill_item_id, skill.level, skill.verified])).collect();
    let new: Vec<_> = skills.iter().map(|skill| json!([skill.0, skill.1, skill.2])).collect();
    let audit = Audit::new("expert", row.id.0, ctx.organisation()).change(json!({"skills": old}), json!({"skills": new}));
    let version = row.version;
    Ok(Outcome::changed(view(conn, row, Sight::Full)?, version, audit))
}

/// The conflicts of an expert as the API sends them.
pub fn conflict_list(conn: &mut Conn, expert: &ExpertRow) -> Result<ExpertConflictList, Error> {
    let items = store::conflicts(conn, expert.id)?
        .into_iter()
        .map(|row| ExpertConflict {
            organisation_id: row.organisation_id,
            kind: row.kind,
            reason: row.reason,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
        })
        .collect();
    Ok(ExpertConflictList { expert_id: expert.id, items, version: expert.version })
}

/// Replaces the conflicts of an expert.
pub fn replace_conflicts(
    conn: &mut Conn,
    ctx: &Ctx,
    expert: ExpertRow,
    body: ReplaceExpertConflictsBody,
) -> Result<Outcome<ExpertConflictList>, Error> {
    let mut fields = Fields::new();
    fields.at_most("/items", body.items.len(), MOST_CONFLICTS);
    let items = body.items.get(..MOST_CONFLICTS.min(body.items.len())).unwrap_or_default();
    let ids: Vec<_> = items.iter().map(|item| item.organisation_id).collect();
    let known: BTreeSet<_> = organisations_store::find_many(conn, &ids)?.into_iter().map(|row| row.id).collect();
    for (i, item) in items.iter().enumerate() {
        fields.check(
            known.contains(&item.organisation_id),
            format!("/items/{i}/organisation_id"),
            "unknown_reference",
            "存在しない団体です",
            "No such organisation",
        );
        fields.line(&format!("/items/{i}/reason"), &item.reason, 500);
        fields.validity(&format!("/items/{i}/valid_to"), item.valid_from, item.valid_to);
    }
    fields.finish()?;
    let summary = |rows: &[ConflictRow]| -> serde_json::Value {
        rows.iter().map(|row| json!([row.organisation_id, row.valid_from, row.valid_to, row.kind])).collect()
    };
    let old = store::conflicts(conn, expert.id)?;
    let new: Vec<ConflictRow> = body
        .items
        .iter()
        .map(|item| ConflictRow {
            expert_id: expert.id,
            organisation_id: item.organisation_id,
            kind: item.kind,
            reason: item.reason.clone(),
            valid_from: item.valid_from,
            valid_to: item.valid_to,
        })
        .collect();
    store::replace_conflicts(conn, expert.id, &new)?;
    let row = store::touch(conn, &expert, ctx.now)?;
    let audit = Audit::new("expert", row.id.0, ctx.organisation())
        .change(json!({"conflicts": summary(&old)}), json!({"conflicts": summary(&new)}));
    let view = ExpertConflictList { expert_id: row.id, items: body.items, version: row.version };
    Ok(Outcome::changed(view, row.version, audit))
}

/// Every value of a registration that is wrong in itself.
fn check(data: &ExpertData, fields: &mut Fields) {
    fields.line("/name", &data.name, 200);
    fields.optional_line("/kana", &data.kana, 200);
    fields.optional_line("/alternative_name", &data.alternative_name, 200);
    fields.optional_line("/affiliation", &data.affiliation, 200);
    fields.text("/profile", &data.profile, 4000);
    fields.email("/email", &data.email);
    fields.optional_line("/phone", &data.phone, 40);
    fields.optional_line("/base_place", &data.base_place, 200);
    fields.check(
        data.onsite || data.online,
        "/onsite",
        "required",
        "現地とオンラインのどちらかは必要です",
        "On site or online, or both",
    );
    let languages: Vec<&str> = data.languages.split(',').collect();
    check_languages(&languages, fields);
    fields.validity("/appointed_to", data.appointed_from, data.appointed_to);
    Capacity {
        simultaneous: data.capacity_simultaneous,
        minutes_week: data.capacity_minutes_week,
        minutes_month: data.capacity_minutes_month,
        minutes_year: data.capacity_minutes_year,
        days_year: data.capacity_days_year,
    }
    .validate(fields);
    fields.check(
        data.employer_consent_until.is_none() || data.employer_consent == EmployerConsent::Given,
        "/employer_consent_until",
        "needs_consent",
        "許可の期限は、許可が取得済みのときだけ指定してください",
        "Only a permit that is given has a last day",
    );
}

/// That the bodies named exist, in one query.
fn check_bodies(
    conn: &mut Conn,
    base: Option<OrganisationId>,
    areas: &[OrganisationId],
    fields: &mut Fields,
) -> Result<(), Error> {
    fields.at_most("/area_ids", areas.len(), MOST_AREAS);
    let areas = areas.get(..MOST_AREAS.min(areas.len())).unwrap_or_default();
    let ids: Vec<OrganisationId> = areas.iter().copied().chain(base).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let known: BTreeSet<OrganisationId> = organisations_store::find_many(conn, &ids)?.into_iter().map(|row| row.id).collect();
    if let Some(base) = base {
        fields.check(
            known.contains(&base),
            "/base_organisation_id",
            "unknown_reference",
            "存在しない団体です",
            "No such organisation",
        );
    }
    let mut seen = BTreeSet::new();
    for (i, area) in areas.iter().enumerate() {
        let pointer = format!("/area_ids/{i}");
        fields.check(known.contains(area), pointer.clone(), "unknown_reference", "存在しない団体です", "No such organisation");
        fields.check(seen.insert(*area), pointer, "duplicate", "同じ地域が重なっています", "The area is listed twice");
    }
    Ok(())
}

/// A person is registered once in a pool: 409 if the address already is. Registrations of a pool wait for each other.
fn refuse_taken_address(conn: &mut Conn, pool: PoolId, email: &str, except: Option<ExpertId>) -> Result<(), Error> {
    dialect::claim(conn, &format!("expert addresses of pool {pool}"))?;
    if store::address_is_taken(conn, pool, email, except)? {
        return Err(Error::new(ErrorCode::Duplicate).field(
            "/email",
            "duplicate",
            "この人材プールに同じメールアドレスの専門家がいます",
            "An expert of this pool already has this address",
        ));
    }
    Ok(())
}

fn merge(data: &mut ExpertData, body: &UpdateExpertBody) {
    fn set<T: Clone>(target: &mut T, value: &Option<T>) {
        if let Some(value) = value {
            *target = value.clone();
        }
    }
    set(&mut data.user_id, &body.user_id);
    set(&mut data.name, &body.name);
    set(&mut data.kana, &body.kana.as_deref().map(text::to_katakana));
    set(&mut data.alternative_name, &body.alternative_name);
    set(&mut data.affiliation_kind, &body.affiliation_kind);
    set(&mut data.affiliation, &body.affiliation);
    set(&mut data.profile, &body.profile);
    set(&mut data.email, &body.email);
    set(&mut data.phone, &body.phone);
    set(&mut data.onsite, &body.onsite);
    set(&mut data.online, &body.online);
    set(&mut data.base_organisation_id, &body.base_organisation_id);
    set(&mut data.base_place, &body.base_place);
    set(&mut data.languages, &body.languages.as_ref().map(|codes| codes.join(",")));
    set(&mut data.appointed_from, &body.appointed_from);
    set(&mut data.appointed_to, &body.appointed_to);
    set(&mut data.capacity_simultaneous, &body.capacity_simultaneous);
    set(&mut data.capacity_minutes_month, &body.capacity_minutes_month);
    set(&mut data.capacity_minutes_year, &body.capacity_minutes_year);
    set(&mut data.capacity_days_year, &body.capacity_days_year);
    set(&mut data.serves_islands, &body.serves_islands);
    set(&mut data.capacity_minutes_week, &body.capacity_minutes_week);
    set(&mut data.employer_consent, &body.employer_consent);
    set(&mut data.employer_consent_until, &body.employer_consent_until);
}

fn sorted(mut ids: Vec<OrganisationId>) -> Vec<OrganisationId> {
    ids.sort_unstable();
    ids
}

/// What an audit event keeps of a registration: no name, no contact data.
fn figures(row: &ExpertRow) -> serde_json::Value {
    json!({
        "pool_id": row.pool_id, "user_id": row.user_id, "status": row.status, "affiliation_kind": row.affiliation_kind,
        "onsite": row.onsite, "online": row.online, "base_organisation_id": row.base_organisation_id,
        "appointed_from": row.appointed_from, "appointed_to": row.appointed_to,
        "capacity_simultaneous": row.capacity_simultaneous, "capacity_minutes_month": row.capacity_minutes_month,
        "capacity_minutes_year": row.capacity_minutes_year, "capacity_days_year": row.capacity_days_year,
        "capacity_minutes_week": row.capacity_minutes_week, "serves_islands": row.serves_islands,
        "employer_consent": row.employer_consent, "employer_consent_until": row.employer_consent_until,
    })
}

/// The names of the texts that changed: their content is personal and stays out of the audit trail.
fn changed(old: &ExpertData, new: &ExpertData, areas: bool) -> Vec<&'static str> {
    [
        ("name", old.name != new.name),
        ("kana", old.kana != new.kana),
        ("alternative_name", old.alternative_name != new.alternative_name),
        ("affiliation", old.affiliation != new.affiliation),
        ("profile", old.profile != new.profile),
        ("email", old.email != new.email),
        ("phone", old.phone != new.phone),
        ("base_place", old.base_place != new.base_place),
        ("languages", old.languages != new.languages),
        ("area_ids", areas),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}
