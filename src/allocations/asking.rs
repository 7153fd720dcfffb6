//! Asking for a run: what may be asked for, and of whom.

use std::collections::BTreeSet;

use serde_json::json;

use super::service::view;
use super::store;
use super::views::{AllocationOptions, AllocationView, NamedPair};
use crate::db::Conn;
use crate::error::Error;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ExpertId, OrganisationId, PoolId, ProgrammeId, RequestId};
use crate::pools::matching::is_order;
use crate::pools::store::PoolRow;
use crate::requests::model::RequestStatus;

/// Asks for a run; the background worker plans it.
pub fn create(conn: &mut Conn, ctx: &Ctx, pool: PoolRow, body: AllocationOptions) -> Result<Outcome<AllocationView>, Error> {
    let mut fields = Fields::new();
    if let Some(band) = body.band_points {
        fields.within("/band_points", i64::from(band), 1, 1_000);
    }
    fields.within("/most_solves", i64::from(body.most_solves), 1, 1_000_000);
    if let Some(seconds) = body.time_limit_seconds {
        fields.within("/time_limit_seconds", i64::from(seconds), 1, 3_600);
    }
    fields.text("/note", &body.note, 1_000);
    if let Some(small) = body.small_population {
        fields.within("/small_population", small, 1, 100_000_000);
    }
    fields.check(
        body.level_order.is_empty() || is_order(&body.level_order),
        "/level_order",
        "not_each_once",
        "spread・fit・load・score・travelを1回ずつ並べてください",
        "Must name spread, fit, load, score and travel once each",
    );
    for (name, pairs) in [("pins", &body.pins), ("forbidden", &body.forbidden)] {
        fields.at_most(&format!("/{name}"), pairs.len(), 1_000);
    }
    fields.at_most("/places", body.places.len(), 1_000);
    for (i, pair) in body.pins.iter().enumerate() {
        let both = body.forbidden.contains(pair);
        let twice = body.pins.iter().take(i).any(|other| other.request_id == pair.request_id);
        fields.check(!both, format!("/pins/{i}"), "forbidden_too", "固定と除外の両方に指定されています", "Is forbidden as well");
        fields.check(
            !twice,
            format!("/pins/{i}/request_id"),
            "duplicate",
            "同じ申請が重なっています",
            "The request is named twice",
        );
    }
    for (i, assumed) in body.places.iter().enumerate() {
        fields.within(&format!("/places/{i}/extra_minutes"), i64::from(assumed.extra_minutes), 0, 100_000);
        if let Some(places) = assumed.places {
            fields.within(&format!("/places/{i}/places"), i64::from(places), 0, 1_000);
        }
    }
    let pools = check_pools(conn, ctx, &mut fields, &pool, &body.further_pool_ids)?;
    let mut programmes = Vec::new();
    for pool in &pools {
        programmes.extend(crate::pools::store::programmes_of(conn, *pool)?);
    }
    check_added(conn, &mut fields, &programmes, &body.add_request_ids)?;
    check_named(conn, &mut fields, pool.owner_organisation_id, &pools, &body)?;
    for (i, id) in body.programme_ids.iter().enumerate() {
        fields.check(
            programmes.iter().any(|programme| programme == id),
            format!("/programme_ids/{i}"),
            "not_of_pool",
            "計画する人材プールの事業を指定してください",
            "Must be a programme of the pools that are planned",
        );
    }
    fields.finish()?;
    let options = serde_json::to_string(&body).map_err(Error::internal)?;
    let id =
        store::insert(conn, (pool.id, pool.owner_organisation_id), (&options, &body.note), ctx.principal.user_id(), ctx.now)?;
    let row = store::find(conn, id)?.ok_or_else(Error::not_found)?;
    let audit = Audit::new("allocation", id.0, row.owner_organisation_id).created(json!({"pool_id": pool.id, "options": body}));
    let view = view(conn, &row)?;
    Ok(Outcome::created(view, row.version, format!("/api/v1/allocations/{id}"), audit))
}

/// The pools of a run: each once, and all of the same owner.
fn check_pools(
    conn: &mut Conn,
    ctx: &Ctx,
    fields: &mut Fields,
    pool: &PoolRow,
    further: &[PoolId],
) -> Result<Vec<PoolId>, Error> {
    fields.at_most("/further_pool_ids", further.len(), 20);
    let mut pools = vec![pool.id];
    for (i, id) in further.iter().take(20).enumerate() {
        let own = crate::pools::store::owned_pool(conn, ctx, *id)
            .is_ok_and(|row| row.owner_organisation_id == pool.owner_organisation_id);
        fields.check(
            own && !pools.contains(id),
            format!("/further_pool_ids/{i}"),
            "not_a_further_pool",
            "同じ団体が所有する別の人材プールを1回ずつ指定してください",
            "Name other pools of the same owner, each once",
        );
        pools.push(*id);
    }
    Ok(pools)
}

/// Requests that are added must wait for acceptance in a programme that is planned.
fn check_added(conn: &mut Conn, fields: &mut Fields, programmes: &[ProgrammeId], added: &[RequestId]) -> Result<(), Error> {
    fields.at_most("/add_request_ids", added.len(), 1_000);
    if added.is_empty() || added.len() > 1_000 {
        return Ok(());
    }
    let known = crate::requests::store::find_many(conn, added)?;
    for (i, id) in added.iter().enumerate() {
        let waits = known.iter().any(|row| {
            row.id == *id
                && programmes.contains(&row.programme_id)
                && matches!(row.status, RequestStatus::Submitted | RequestStatus::Waitlisted)
        });
        fields.check(
            waits,
            format!("/add_request_ids/{i}"),
            "not_waiting",
            "計画する事業の、提出済みまたは補欠の申請を指定してください",
            "Must be a submitted or wait-listed request of a programme that is planned",
        );
    }
    Ok(())
}

/// Experts named by hand must belong to the pools that are planned, and requests must have reached the pools' owner: what else
/// there is under a number, the office is not to learn.
fn check_named(
    conn: &mut Conn,
    fields: &mut Fields,
    owner: OrganisationId,
    pools: &[PoolId],
    body: &AllocationOptions,
) -> Result<(), Error> {
    let lists = [("pins", &body.pins), ("forbidden", &body.forbidden)];
    let pairs: Vec<&NamedPair> = lists.iter().flat_map(|(_, pairs)| pairs.iter().take(1_000)).collect();
    let places = body.places.iter().take(1_000).map(|place| place.expert_id);
    let experts: Vec<ExpertId> = pairs.iter().map(|pair| pair.expert_id).chain(places).collect();
    if experts.is_empty() {
        return Ok(());
    }
    let requests: Vec<RequestId> = pairs.iter().map(|pair| pair.request_id).collect();
    let requests = crate::requests::store::find_many(conn, &requests)?;
    let is_own =
        |id: RequestId| requests.iter().any(|row| row.id == id && row.owner_organisation_id == owner && row.has_reached_office());
    let known: BTreeSet<ExpertId> = store::owned_experts(conn, owner, &experts)?
        .into_iter()
        .filter(|(_, pool, _)| pools.contains(pool))
        .map(|(id, ..)| id)
        .collect();
    for (name, pairs) in lists {
        for (i, pair) in pairs.iter().enumerate().take(1_000) {
            fields.check(
                is_own(pair.request_id),
                format!("/{name}/{i}/request_id"),
                "unknown_request",
                "自団体の事業への申請を指定してください",
                "Must be a request to a programme of your own",
            );
            known_expert(fields, known.contains(&pair.expert_id), format!("/{name}/{i}/expert_id"));
        }
    }
    for (i, place) in body.places.iter().enumerate().take(1_000) {
        known_expert(fields, known.contains(&place.expert_id), format!("/places/{i}/expert_id"));
    }
    Ok(())
}

fn known_expert(fields: &mut Fields, known: bool, pointer: String) {
    fields.check(
        known,
        pointer,
        "unknown_expert",
        "計画する人材プールの専門家を指定してください",
        "Must be an expert of the pools that are planned",
    );
}
