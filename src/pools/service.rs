//! Use cases of pools, members, programmes and yearly rules.

use serde_json::json;

use super::rules::ProgrammeRules;
use super::store::{self, PoolRow, ProgrammeRow, YearRow};
use super::views::{
    AddPoolMembersBody, CreatePoolBody, CreateProgrammeBody, CreateProgrammeYearBody, EndPoolMemberBody, PoolView, ProgrammeView,
    ProgrammeYearView, ReplaceProgrammeYearBody, UpdatePoolBody, UpdateProgrammeBody,
};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{PoolMemberId, ProgrammeId};
use crate::organisations::model::OrganisationKind;

/// Creates a pool for the own organisation or for a council of its prefecture that it runs.
pub fn create_pool(conn: &mut Conn, ctx: &Ctx, body: CreatePoolBody) -> Result<Outcome<PoolView>, Error> {
    let mut fields = Fields::new();
    fields.line("/name", &body.name, 200);
    fields.line("/expert_title", &body.expert_title, 100);
    fields.text("/description", &body.description, 5000);
    let owner = body.owner_organisation_id.unwrap_or_else(|| ctx.organisation());
    if owner != ctx.organisation() {
        let council = crate::organisations::store::find(conn, owner)?.is_some_and(|o| {
            o.kind == OrganisationKind::Council
                && o.prefecture_id == ctx.principal.prefecture_id
                && o.parent_id == Some(ctx.organisation())
        });
        fields.check(
            council,
            "/owner_organisation_id",
            "not_yours",
            "自団体または自団体が事務局を務める協議会を指定してください",
            "Must be the own organisation or a council it runs",
        );
    }
    fields.finish()?;
    let row = store::insert_pool(conn, owner, &body.name, &body.expert_title, &body.description, ctx.now)?;
    let audit = Audit::new("pool", row.id.0, owner).created(json!({"name": row.name}));
    Ok(Outcome::created(row.clone().into(), row.version, format!("/api/v1/pools/{}", row.id), audit))
}

/// Changes a pool's own fields.
pub fn update_pool(conn: &mut Conn, ctx: &Ctx, pool: PoolRow, body: UpdatePoolBody) -> Result<Outcome<PoolView>, Error> {
    let mut fields = Fields::new();
    let old = json!({"name": pool.name, "expert_title": pool.expert_title});
    let mut row = pool;
    if let Some(name) = body.name {
        fields.line("/name", &name, 200);
        row.name = name;
    }
    if let Some(title) = body.expert_title {
        fields.line("/expert_title", &title, 100);
        row.expert_title = title;
    }
    if let Some(description) = body.description {
        fields.text("/description", &description, 5000);
        row.description = description;
    }
    fields.finish()?;
    let row = store::update_pool(conn, &row, ctx.now)?;
    let audit = Audit::new("pool", row.id.0, row.owner_organisation_id)
        .change(old, json!({"name": row.name, "expert_title": row.expert_title}));
    Ok(Outcome::changed(row.clone().into(), row.version, audit))
}

/// Adds members, all or none.
pub fn add_members(conn: &mut Conn, ctx: &Ctx, pool: PoolRow, body: AddPoolMembersBody) -> Result<Outcome<PoolView>, Error> {
    let mut fields = Fields::new();
    fields.check(
        !body.organisation_ids.is_empty(),
        "/organisation_ids",
        "required",
        "1団体以上を指定してください",
        "Name at least one",
    );
    fields.at_most("/organisation_ids", body.organisation_ids.len(), 2000);
    fields.validity("/valid_to", body.valid_from, body.valid_to);
    let existing = store::members(conn, pool.id)?;
    for (i, id) in body.organisation_ids.iter().enumerate() {
        let overlaps = existing.iter().any(|member| {
            member.organisation_id == *id
                && member.valid_to.is_none_or(|to| to > body.valid_from)
                && body.valid_to.is_none_or(|to| member.valid_from < to)
        }) || body.organisation_ids.iter().take(i).any(|earlier| earlier == id);
        fields.check(
            !overlaps,
            format!("/organisation_ids/{i}"),
            "already_member",
            "この期間はすでに会員です",
            "Already a member in this period",
        );
    }
    fields.finish()?;
    for id in &body.organisation_ids {
        store::insert_member(conn, pool.id, *id, body.valid_from, body.valid_to, ctx.now)?;
    }
    let version = store::touch_pool(conn, pool.id, ctx.now)?;
    let audit = Audit::new("pool", pool.id.0, pool.owner_organisation_id)
        .created(json!({"members": body.organisation_ids, "valid_from": body.valid_from, "valid_to": body.valid_to}));
    let view = PoolView { version, ..pool.into() };
    Ok(Outcome::changed(view, version, audit))
}

/// Sets or clears the end of a membership.
pub fn end_member(
    conn: &mut Conn,
    ctx: &Ctx,
    pool: PoolRow,
    member: PoolMemberId,
    body: EndPoolMemberBody,
) -> Result<Outcome<PoolView>, Error> {
    let row = store::members(conn, pool.id)?.into_iter().find(|row| row.id == member).ok_or_else(Error::not_found)?;
    let mut fields = Fields::new();
    fields.validity("/valid_to", row.valid_from, body.valid_to);
    fields.finish()?;
    store::end_member(conn, pool.id, member, body.valid_to)?;
    let version = store::touch_pool(conn, pool.id, ctx.now)?;
    let audit = Audit::new("pool", pool.id.0, pool.owner_organisation_id).change(
        json!({"member": row.organisation_id, "valid_to": row.valid_to}),
        json!({"member": row.organisation_id, "valid_to": body.valid_to}),
    );
    let view = PoolView { version, ..pool.into() };
    Ok(Outcome::changed(view, version, audit))
}

/// Creates a programme on an own pool.
pub fn create_programme(conn: &mut Conn, ctx: &Ctx, body: CreateProgrammeBody) -> Result<Outcome<ProgrammeView>, Error> {
    let mut fields = Fields::new();
    fields.line("/name", &body.name, 200);
    fields.text("/description", &body.description, 5000);
    let pool = store::visible_pool(conn, ctx, body.pool_id);
    match &pool {
        Ok((_, store::Standing::Owner)) => {}
        Err(error) if error.code != ErrorCode::NotFound => {}
        _ => fields.wrong(
            "/pool_id",
            "not_yours",
            "自団体の人材プールを指定してください",
            "Must be a pool of the own organisation",
        ),
    }
    fields.finish()?;
    let (pool, _) = pool?;
    let row = store::insert_programme(conn, pool.id, &body.name, &body.description, ctx.now)?;
    let audit =
        Audit::new("programme", row.id.0, row.owner_organisation_id).created(json!({"name": row.name, "pool_id": pool.id}));
    Ok(Outcome::created(row.clone().into(), row.version, format!("/api/v1/programmes/{}", row.id), audit))
}

/// Changes a programme's own fields.
pub fn update_programme(
    conn: &mut Conn,
    ctx: &Ctx,
    programme: ProgrammeRow,
    body: UpdateProgrammeBody,
) -> Result<Outcome<ProgrammeView>, Error> {
    let mut fields = Fields::new();
    let old = json!({"name": programme.name});
    let mut row = programme;
    if let Some(name) = body.name {
        fields.line("/name", &name, 200);
        row.name = name;
    }
    if let Some(description) = body.description {
        fields.text("/description", &description, 5000);
        row.description = description;
    }
    fields.finish()?;
    let row = store::update_programme(conn, &row, ctx.now)?;
    let audit = Audit::new("programme", row.id.0, row.owner_organisation_id).change(old, json!({"name": row.name}));
    Ok(Outcome::changed(row.clone().into(), row.version, audit))
}

fn checked_year(year: i32, pointer: &str, rules: &ProgrammeRules) -> Result<FiscalYear, Error> {
    let mut fields = Fields::new();
    let Ok(fiscal_year) = FiscalYear::new(year) else {
        fields.within(pointer, i64::from(year), i64::from(FiscalYear::MIN), i64::from(FiscalYear::MAX));
        fields.finish()?;
        return Err(Error::internal("fiscal year"));
    };
    rules.validate("/rules", &mut fields);
    fields.finish()?;
    Ok(fiscal_year)
}

/// Sets the rules of a fiscal year for the first time.
pub fn create_year(
    conn: &mut Conn,
    ctx: &Ctx,
    programme: ProgrammeRow,
    body: CreateProgrammeYearBody,
) -> Result<Outcome<ProgrammeYearView>, Error> {
    checked_year(body.fiscal_year, "/fiscal_year", &body.rules)?;
    let row = store::insert_year(conn, programme.id, body.fiscal_year, &body.rules, ctx.now)?;
    let audit = Audit::new("programme_year", row.id.0, programme.owner_organisation_id)
        .created(json!({"programme_id": programme.id, "fiscal_year": row.fiscal_year, "rules": row.rules}));
    let location = format!("/api/v1/programmes/{}/years/{}", programme.id, row.fiscal_year);
    let version = row.version;
    Ok(Outcome::created(row.into(), version, location, audit))
}

/// Replaces the rules of a fiscal year. Dispatches already decided keep the rules they were decided under.
pub fn replace_year(
    conn: &mut Conn,
    ctx: &Ctx,
    (programme, year): (ProgrammeRow, YearRow),
    body: ReplaceProgrammeYearBody,
) -> Result<Outcome<ProgrammeYearView>, Error> {
    checked_year(year.fiscal_year, "/fiscal_year", &body.rules)?;
    let version = store::update_year(conn, year.id, &body.rules, ctx.now)?;
    let audit = Audit::new("programme_year", year.id.0, programme.owner_organisation_id)
        .change(json!({"rules": year.rules}), json!({"rules": body.rules}));
    let view = ProgrammeYearView { programme_id: programme.id, fiscal_year: year.fiscal_year, rules: body.rules, version };
    Ok(Outcome::changed(view, version, audit))
}

/// The rules that hold for a programme on a day, or a refusal that says so.
pub fn rules_on(conn: &mut Conn, programme: ProgrammeId, day: chrono::NaiveDate, pointer: &str) -> Result<YearRow, Error> {
    let year = FiscalYear::of(day).starting_year();
    store::year(conn, programme, year)?.ok_or_else(|| {
        Error::rule(
            "no_rules_for_year",
            pointer,
            format!("{}年度の事業の規則が設定されていません", year),
            format!("The programme has no rules for fiscal year {year}"),
        )
    })
}
