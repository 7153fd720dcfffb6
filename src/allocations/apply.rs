//! Offers of a plan: each assignment is looked at once more as things are now, and becomes one offer for each of its members.

use std::collections::{BTreeMap, BTreeSet};

use diesel::Connection as _;
use serde_json::json;

use super::facts;
use super::model::AllocationStatus;
use super::service::{require_planned, view};
use super::store::{self, AssignmentRow, MemberRow, RunRow};
use super::views::{AllocationView, ApplyAllocationBody, KeptFailure, KeptRefusal};
use crate::db::Conn;
use crate::db::dialect::{Lockable, lock_row};
use crate::error::Error;
use crate::experts::candidates::PoolFacts;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ExpertId, OfferId, PoolId, ProgrammeId, RequestId};
use crate::matching::{self, Asked, Candidate, Need};
use crate::offers::model::OfferedVisit;
use crate::offers::standing::{Standing, alike};
use crate::offers::views::{CreateOfferBody, OfferVisitBody};
use crate::requests::store::RequestRow;

/// Makes an offer from each assignment, under the locks of all requests and experts it names, in the order in which locks are
/// taken everywhere. What has changed since the plan was made is left out, and so is what an offer refuses; the answer says which
/// and why, and so does the run until it is applied again.
pub fn apply(conn: &mut Conn, ctx: &Ctx, row: RunRow, body: ApplyAllocationBody) -> Result<Outcome<AllocationView>, Error> {
    require_planned(&row)?;
    let rows = store::assignments(conn, row.id)?;
    let mut fields = Fields::new();
    fields.text("/message", &body.message, 2_000);
    for (i, id) in body.request_ids.iter().flatten().enumerate() {
        fields.check(
            rows.iter().any(|one| one.request_id == *id && one.expert_id.is_some()),
            format!("/request_ids/{i}"),
            "not_assigned",
            "この計画で専門家を割り当てた申請を指定してください",
            "Must be a request that this run assigns",
        );
    }
    fields.finish()?;
    let wanted = |id: RequestId| body.request_ids.as_ref().is_none_or(|only| only.contains(&id));
    let members = store::members(conn, row.id)?;
    let mut teams: Vec<Team> = rows
        .into_iter()
        .filter(|one| one.offer_id.is_none() && one.expert_id.is_some() && wanted(one.request_id))
        .map(|lead| {
            let others = members.iter().filter(|member| member.request_id == lead.request_id).cloned().collect();
            Team { lead, others }
        })
        .collect();
    let mut known = Known::load(conn, &teams)?;
    let (mut refused, mut offered) = (Vec::new(), Vec::new());
    for team in &mut teams {
        let request = team.lead.request_id;
        // What one offer refuses must leave nothing behind, and must not stop the others.
        match conn.transaction(|conn| offer(conn, ctx, &mut known, team, &body.message)) {
            Ok(made) => {
                offered.extend(
                    made.iter().map(|(expert, offer, _)| json!({"request_id": request, "expert_id": expert, "offer_id": offer})),
                );
                known.promise(request, made)?;
            }
            Err(error) if error.code.status().is_server_error() => return Err(error),
            Err(error) => {
                let KeptFailure { code, ja, en } = KeptFailure::of(error);
                refused.push(KeptRefusal { request_id: request, code, ja, en });
            }
        }
    }
    let status = if offered.is_empty() { row.status } else { AllocationStatus::Applied };
    let version = store::set_status(conn, &row, status, ctx.now)?;
    let kept = if refused.is_empty() { None } else { Some(serde_json::to_string(&refused).map_err(Error::internal)?) };
    store::keep_refused(conn, row.id, kept.as_deref())?;
    let audit = Audit::new("allocation", row.id.0, row.owner_organisation_id).change(
        json!({"status": row.status}),
        json!({"status": status, "offers": offered, "refused": refused.iter().map(|one| one.request_id).collect::<Vec<_>>()}),
    );
    let row = store::find(conn, row.id)?.ok_or_else(Error::not_found)?;
    Ok(Outcome::changed(view(conn, &row)?, version, audit))
}

fn changed_since() -> Error {
    Error::rule(
        "changed_since",
        "/request_ids",
        "計画の作成後に申請または専門家の情報が変わっています。計画を作り直してください",
        "The request or the expert has changed since the plan was made: plan again",
    )
}

/// An assignment with the further members of its team.
struct Team {
    lead: AssignmentRow,
    others: Vec<MemberRow>,
}

impl Team {
    /// Everybody, with the version at which the plan saw them.
    fn members(&self) -> impl Iterator<Item = (ExpertId, Option<i64>)> + '_ {
        let lead = self.lead.expert_id.map(|lead| (lead, self.lead.expert_version));
        lead.into_iter().chain(self.others.iter().map(|other| (other.expert_id, other.expert_version)))
    }
}

/// An offer that was made: to whom, its id, and the visits it asks for.
type Made = (ExpertId, OfferId, Vec<OfferedVisit>);

/// Everything that is looked at, read once under the locks.
struct Known {
    requests: BTreeMap<RequestId, (RequestRow, Need)>,
    versions: BTreeMap<ExpertId, i64>,
    pools: BTreeMap<ProgrammeId, PoolId>,
    facts: BTreeMap<PoolId, PoolFacts>,
    standing: Standing,
}

impl Known {
    fn load(conn: &mut Conn, teams: &[Team]) -> Result<Self, Error> {
        let mut ids: Vec<RequestId> = teams.iter().map(|team| team.lead.request_id).collect();
        ids.sort_unstable();
        let experts: BTreeSet<ExpertId> = teams.iter().flat_map(Team::members).map(|(expert, _)| expert).collect();
        for id in &ids {
            lock_row(conn, Lockable::Request, id.0)?;
        }
        for expert in &experts {
            lock_row(conn, Lockable::Expert, expert.0)?;
        }
        let experts: Vec<ExpertId> = experts.into_iter().collect();
        let rows = crate::requests::store::find_many(conn, &ids)?;
        let mut pools = BTreeMap::new();
        for programme in rows.iter().map(|row| row.programme_id).collect::<BTreeSet<_>>() {
            pools.insert(programme, crate::pools::store::programme(conn, programme)?.pool_id);
        }
        let versions =
            crate::experts::store::find_many(conn, &experts)?.into_iter().map(|expert| (expert.id, expert.version)).collect();
        let needs = crate::requests::service::needs_of(conn, &rows)?;
        let all: Vec<PoolId> = pools.values().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let standing = Standing::load(conn, &all, None)?;
        // Whoever is there already says what a team still needs.
        let there = ids.iter().flat_map(|id| standing.of_request(*id)).map(|(expert, _)| ExpertId(expert));
        let everybody: Vec<ExpertId> = experts.iter().copied().chain(there).collect::<BTreeSet<_>>().into_iter().collect();
        let mut facts = BTreeMap::new();
        for pool in all {
            let of_pool = rows.iter().zip(&needs).filter(|(row, _)| pools.get(&row.programme_id) == Some(&pool));
            let of_pool: Vec<Need> = of_pool.map(|(row, need)| standing.reaching(row.id, need)).collect();
            let mut known = PoolFacts::load(conn, pool, &of_pool, Some(&everybody))?;
            // Whoever has been asked meanwhile may say yes.
            known.change(|candidate| standing.put(candidate));
            facts.insert(pool, known);
        }
        let requests = rows.into_iter().zip(needs).map(|(row, need)| (row.id, (row, need))).collect();
        Ok(Self { requests, versions, pools, facts, standing })
    }

    /// Reckons with offers that have just been made.
    fn promise(&mut self, request: RequestId, made: Vec<Made>) -> Result<(), Error> {
        let (row, need) = self.requests.get(&request).ok_or_else(Error::not_found)?;
        let pool = self.pools.get(&row.programme_id).ok_or_else(Error::not_found)?;
        let facts = self.facts.get_mut(pool).ok_or_else(Error::not_found)?;
        for (expert, offer, visits) in made {
            let asked = self.standing.promise(row, (expert, offer), visits, need.buffer_minutes);
            facts.change(|candidate| {
                if candidate.expert_id == expert.0 {
                    asked.put(candidate);
                }
            });
        }
        Ok(())
    }

    /// What the request still needs, and the members as they are now; an error where that is not what was planned.
    fn look(&mut self, team: &Team) -> Result<(RequestRow, Need, Vec<Candidate>), Error> {
        let (row, need) = self.requests.get(&team.lead.request_id).ok_or_else(Error::not_found)?;
        let is_as_planned = |(id, version): (ExpertId, Option<i64>)| self.versions.get(&id).copied() == version;
        if row.version != team.lead.request_version || !team.members().all(is_as_planned) {
            return Err(changed_since());
        }
        let there = self.standing.of_request(row.id);
        let all = i32::try_from(there.len() + team.members().count()).unwrap_or(i32::MAX);
        let asked = self.standing.asked(row.id);
        let is_asked = |id: ExpertId| asked.contains(&id.0);
        if all > row.experts_needed || team.members().any(|(id, _)| is_asked(id)) {
            return Err(Error::rule(
                "already_asked",
                "/request_ids",
                "この申請についてはすでに専門家に依頼しています",
                "An expert has already been asked for this request",
            ));
        }
        // Whoever was there when it was planned has declined since.
        if all < row.experts_needed {
            return Err(changed_since());
        }
        let pool = self.pools.get(&row.programme_id).ok_or_else(Error::not_found)?;
        let facts = self.facts.get_mut(pool).ok_or_else(Error::not_found)?;
        let need = self.standing.remainder(row.id, need, facts.for_need(need)).ok_or_else(changed_since)?;
        let candidates = facts.for_need(&need);
        let member = |(id, _): (ExpertId, Option<i64>)| {
            candidates.iter().find(|candidate| candidate.expert_id == id.0).cloned().ok_or_else(changed_since)
        };
        let members = team.members().map(member).collect::<Result<Vec<_>, _>>()?;
        // What a person has put in place knowingly is left to the offer's own conditions.
        if team.lead.override_reason.is_empty() && !members.iter().all(|member| self.can_take(&need, member)) {
            return Err(changed_since());
        }
        Ok((row.clone(), need, members))
    }

    /// Whether the member could take it even if everybody who has been asked said yes: the conditions are those of matching.
    fn can_take(&self, need: &Need, member: &Candidate) -> bool {
        let mut member = member.clone();
        member.simultaneous = member.simultaneous.saturating_add(self.standing.waiting(member.expert_id));
        if let (Some(limit), Some(alike)) = (&mut member.programme_limit, alike(need)) {
            limit.used = limit.used.saturating_add(self.standing.alike(member.expert_id, &alike));
        }
        matching::is_eligible(&Asked::of(need), &member)
    }
}

/// One offer for each member of the assignment, all or none of them.
fn offer(conn: &mut Conn, ctx: &Ctx, known: &mut Known, team: &mut Team, message: &str) -> Result<Vec<Made>, Error> {
    let (request, need, members) = known.look(team)?;
    let members: Vec<&Candidate> = members.iter().collect();
    let ids: Vec<ExpertId> = team.members().map(|(id, _)| id).collect();
    let asked = Asked::of(&need);
    let visits = asked.visits_of(&members);
    let mut made = Vec::with_capacity(ids.len());
    for (turn, expert) in ids.iter().enumerate() {
        let visits = visits
            .iter()
            .enumerate()
            .filter(|(number, _)| !need.rotation || number % ids.len() == turn)
            .map(|(_, visit)| {
                let fixed = facts::fixed(visit);
                Ok(OfferVisitBody {
                    day: fixed.map(|(day, _)| day),
                    start_minute: fixed.map(|(_, start)| i32::from(start)),
                    minutes: i32::try_from(visit.minutes).map_err(Error::internal)?,
                    mode: request.mode,
                    place: request.place.clone(),
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        // A team larger than the number of visits has members whose turn does not come.
        if visits.is_empty() {
            continue;
        }
        let body = CreateOfferBody {
            expert_id: *expert,
            visits,
            message: message.to_owned(),
            valid_hours: None,
            queue: false,
            conflict_override_reason: None,
        };
        let promised: Vec<OfferedVisit> = body.visits.iter().cloned().map(Into::into).collect();
        let outcome = crate::offers::service::create(conn, ctx, request.clone(), body)?;
        crate::audit::service::record(conn, ctx, "apply_allocation", &outcome.audit)?;
        made.push((*expert, outcome.view.id, promised));
    }
    for (expert, id, _) in &made {
        match team.others.iter_mut().find(|other| other.expert_id == *expert) {
            Some(other) => {
                other.offer_id = Some(*id);
                store::update_member(conn, other)?;
            }
            None => team.lead.offer_id = Some(*id),
        }
    }
    store::update_assignment(conn, &team.lead)?;
    Ok(made)
}
