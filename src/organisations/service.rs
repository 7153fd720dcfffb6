//! Use cases of organisations.

use serde_json::json;

use super::model::OrganisationKind;
use super::reach::Reach;
use super::store::{self, NewOrganisation, OrganisationRow};
use super::views::{CreateOrganisationBody, OrganisationView, UpdateOrganisationBody};
use crate::auth::policy::Role;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::OrganisationId;

/// The views of some organisations with the population known today: one query.
pub fn views(
    conn: &mut Conn,
    ctx: &Ctx,
    rows: Vec<OrganisationRow>,
    day: chrono::NaiveDate,
) -> Result<Vec<OrganisationView>, Error> {
    let reach = Reach::of(&ctx.principal);
    let ids: Vec<OrganisationId> = rows.iter().map(|row| row.id).collect();
    let populations = store::populations_on(conn, &ids, day)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let population = populations.iter().find(|figure| figure.organisation_id == row.id).cloned();
            let with_contact = reach.covers(row.place());
            OrganisationView::new(row, population, with_contact)
        })
        .collect())
}

/// One view.
pub fn view(conn: &mut Conn, ctx: &Ctx, row: OrganisationRow) -> Result<OrganisationView, Error> {
    views(conn, ctx, vec![row], ctx.today())?.pop().ok_or_else(Error::not_found)
}

/// An organisation that the principal administers: 404 when there is none, 403 beyond reach.
pub fn administered(conn: &mut Conn, ctx: &Ctx, id: OrganisationId) -> Result<OrganisationRow, Error> {
    let row = store::find(conn, id)?.ok_or_else(Error::not_found)?;
    if Reach::of(&ctx.principal).covers(row.place()) { Ok(row) } else { Err(Error::new(ErrorCode::Forbidden)) }
}

/// Creates an organisation that has no code: a coordinator inside the own prefecture, a system administrator anywhere.
pub fn create(conn: &mut Conn, ctx: &Ctx, body: CreateOrganisationBody) -> Result<Outcome<OrganisationView>, Error> {
    let mut fields = Fields::new();
    fields.check(
        !body.kind.has_code(),
        "/kind",
        "has_code",
        "都道府県と市区町村は全国地方公共団体コードの一覧から取り込んでください",
        "Prefectures and municipalities come from the code list",
    );
    fields.line("/name", &body.name, 200);
    fields.optional_line("/kana", &body.kana, 200);
    if let Some(address) = &body.contact_email {
        fields.email("/contact_email", address);
    }
    let everywhere = ctx.principal.acts_as == Role::SystemAdmin;
    let own_prefecture = ctx.principal.prefecture_id;
    let prefecture_id = body.prefecture_id.or(own_prefecture.filter(|_| !everywhere));
    if !everywhere {
        fields.check(
            prefecture_id.is_some() && prefecture_id == own_prefecture,
            "/prefecture_id",
            "not_yours",
            "自分の都道府県を指定してください",
            "Must be your own prefecture",
        );
    }
    let default_parent = Some(ctx.organisation()).filter(|_| body.kind == OrganisationKind::Council && !everywhere);
    let parent_id = body.parent_id.or(default_parent);
    let named: Vec<OrganisationId> = prefecture_id.into_iter().chain(parent_id).collect();
    let known = if named.is_empty() { Vec::new() } else { store::find_many(conn, &named)? };
    if let Some(id) = prefecture_id {
        let right = known.iter().any(|row| row.id == id && row.kind == OrganisationKind::Prefecture);
        fields.check(right, "/prefecture_id", "not_a_prefecture", "都道府県を指定してください", "Must be a prefecture");
    }
    if let Some(id) = parent_id {
        let reach = Reach::of(&ctx.principal);
        let right = known.iter().any(|row| {
            row.id == id
                && row.exists_on(ctx.today())
                && reach.covers(row.place())
                && (row.prefecture_id == prefecture_id || Some(row.id) == prefecture_id)
        });
        fields.check(
            right,
            "/parent_id",
            "not_yours",
            "同じ都道府県の、管理できる団体を指定してください",
            "Must be an organisation of the same prefecture within your reach",
        );
    }
    fields.finish()?;
    let mut row = store::insert(
        conn,
        &NewOrganisation {
            kind: body.kind,
            lg_code: None,
            prefecture_id,
            parent_id,
            name: body.name,
            kana: body.kana,
            place: None,
            contact_email: body.contact_email,
        },
        ctx.now,
    )?;
    if body.requires_approval {
        row.requires_approval = true;
        row.version = store::update(conn, &row, ctx.now)?;
    }
    let audit = Audit::new("organisation", row.id.0, row.id).created(json!({
        "kind": row.kind, "name": row.name, "prefecture_id": row.prefecture_id, "parent_id": row.parent_id,
        "requires_approval": row.requires_approval,
    }));
    let location = format!("/api/v1/organisations/{}", row.id);
    let version = row.version;
    Ok(Outcome::created(OrganisationView::new(row, None, true), version, location, audit))
}

fn facts(row: &OrganisationRow) -> serde_json::Value {
    json!({
        "name": row.name, "kana": row.kana, "has_contact_email": row.contact_email.is_some(),
        "requires_approval": row.requires_approval, "requires_second_factor": row.requires_second_factor, "valid_to": row.valid_to, "successor_id": row.successor_id,
    })
}

/// Changes an organisation. Its end and successor are for system administrators: a merger concerns everybody.
pub fn update(
    conn: &mut Conn,
    ctx: &Ctx,
    organisation: OrganisationRow,
    body: UpdateOrganisationBody,
) -> Result<Outcome<OrganisationView>, Error> {
    if (body.valid_to.is_some() || body.successor_id.is_some()) && ctx.principal.acts_as != Role::SystemAdmin {
        return Err(Error::new(ErrorCode::Forbidden).detail(
            "団体の廃止と合併はシステム管理者が登録します",
            "The end of an organisation is recorded by system administrators",
        ));
    }
    let old = facts(&organisation);
    let mut fields = Fields::new();
    let mut row = organisation;
    if let Some(name) = body.name {
        fields.line("/name", &name, 200);
        row.name = name;
    }
    if let Some(kana) = body.kana {
        fields.optional_line("/kana", &kana, 200);
        row.kana = kana;
    }
    if let Some(address) = body.contact_email {
        if let Some(address) = &address {
            fields.email("/contact_email", address);
        }
        row.contact_email = address;
    }
    if let Some(required) = body.requires_approval {
        row.requires_approval = required;
    }
    if let Some(required) = body.requires_second_factor {
        row.requires_second_factor = required;
    }
    if let Some(to) = body.valid_to {
        fields.check(
            to.zip(row.valid_from).is_none_or(|(to, from)| to > from),
            "/valid_to",
            "before_start",
            "終期は始期より後にしてください",
            "The end must be after the start",
        );
        row.valid_to = to;
    }
    if let Some(successor) = body.successor_id {
        row.successor_id = successor;
    }
    if row.successor_id.is_some() {
        fields.check(
            row.valid_to.is_some(),
            "/valid_to",
            "required",
            "合併先がある団体には終期が必要です",
            "A merged organisation needs its end",
        );
    }
    if let Some(id) = body.successor_id.flatten() {
        let known = store::find(conn, id)?;
        let right = id != row.id
            && known.is_some_and(|successor| {
                row.valid_to.is_none_or(|day| successor.exists_on(day)) && successor.successor_id != Some(row.id)
            });
        fields.check(
            right,
            "/successor_id",
            "not_a_successor",
            "終期の日に存在する別の団体を指定してください",
            "Must be another organisation that exists on the day of the end",
        );
    }
    fields.finish()?;
    row.version = store::update(conn, &row, ctx.now)?;
    let audit = Audit::new("organisation", row.id.0, row.id).change(old, facts(&row));
    let version = row.version;
    let view = view(conn, ctx, row)?;
    Ok(Outcome::changed(view, version, audit))
}
