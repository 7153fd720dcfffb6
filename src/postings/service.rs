//! Use cases of placements: make, change, cancel, each checked under lock.

use chrono::NaiveDate;
use serde_json::json;

use super::model::{self, Period, PostingStatus, PostingVerb};
use super::news;
use super::store::{self, NewPosting, PostingRow};
use super::views::{CancelPostingBody, CreatePostingBody, PostingView, UpdatePostingBody};
use crate::calendar::wareki;
use crate::db::{Conn, dialect};
use crate::error::{Error, ErrorCode};
use crate::experts::model::ExpertStatus;
use crate::experts::store as experts_store;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ExpertId, OrganisationId, PostingId};
use crate::notifications::template::PostingStep;
use crate::pools::rules::PostingRules;
use crate::pools::service as pools_service;
use crate::pools::store::{self as pools_store, ProgrammeRow, Standing};

/// A placement with its names.
pub fn view(conn: &mut Conn, row: PostingRow) -> Result<PostingView, Error> {
    let (_, host, expert) = store::names(conn, &[row.id])?.into_iter().next().ok_or_else(Error::not_found)?;
    Ok(PostingView::new(row, host, expert))
}

/// Places an expert with a host.
pub fn create(conn: &mut Conn, ctx: &Ctx, body: CreatePostingBody) -> Result<Outcome<PostingView>, Error> {
    let programme = own_programme(conn, ctx, &body)?;
    let period = Period { from: body.valid_from, to: body.valid_to };
    let mut fields = Fields::new();
    check_values(period, body.share_percent, &body.note, &mut fields);
    fields.finish()?;
    let plan = Plan {
        id: None,
        programme: &programme,
        expert: body.expert_id,
        host: body.host_organisation_id,
        share: body.share_percent,
        period,
    };
    plan.check(conn)?;
    let row = store::insert(
        conn,
        NewPosting {
            programme_id: programme.id,
            owner_organisation_id: programme.owner_organisation_id,
            expert_id: body.expert_id,
            host_organisation_id: body.host_organisation_id,
            share_percent: body.share_percent,
            valid_from: body.valid_from,
            valid_to: body.valid_to,
            legal_basis: body.legal_basis,
            status: PostingStatus::Active,
            note: body.note,
            created_at: ctx.now,
            updated_at: ctx.now,
        },
    )?;
    news::tell(conn, ctx, &row, PostingStep::Decided)?;
    let audit = Audit::new("posting", row.id.0, row.owner_organisation_id).created(figures(&row));
    let (location, version) = (format!("/api/v1/postings/{}", row.id), row.version);
    Ok(Outcome::created(view(conn, row)?, version, location, audit))
}

/// Changes days, share, basis or note of a placement.
pub fn update(conn: &mut Conn, ctx: &Ctx, posting: PostingRow, body: UpdatePostingBody) -> Result<Outcome<PostingView>, Error> {
    posting.status.after(PostingVerb::Edit)?;
    let mut row = posting.clone();
    row.share_percent = body.share_percent.unwrap_or(row.share_percent);
    row.valid_from = body.valid_from.unwrap_or(row.valid_from);
    row.valid_to = body.valid_to.unwrap_or(row.valid_to);
    row.legal_basis = body.legal_basis.unwrap_or(row.legal_basis);
    row.note = body.note.unwrap_or(row.note);
    let mut fields = Fields::new();
    check_values(row.period(), row.share_percent, &row.note, &mut fields);
    fields.finish()?;
    if row.period() != posting.period() || row.share_percent != posting.share_percent {
        let programme = pools_store::programme(conn, row.programme_id)?;
        Plan::of(&row, &programme).check(conn)?;
    }
    let row = store::update(conn, &row, ctx.now)?;
    if row.period() != posting.period() || row.share_percent != posting.share_percent {
        news::tell(conn, ctx, &row, PostingStep::Changed)?;
    }
    let audit = Audit::new("posting", row.id.0, row.owner_organisation_id).change(figures(&posting), figures(&row));
    let version = row.version;
    Ok(Outcome::changed(view(conn, row)?, version, audit))
}

/// Cancels a placement as a whole.
pub fn cancel(conn: &mut Conn, ctx: &Ctx, posting: PostingRow, body: CancelPostingBody) -> Result<Outcome<PostingView>, Error> {
    let mut row = posting.clone();
    row.status = posting.status.after(PostingVerb::Cancel)?;
    let mut fields = Fields::new();
    fields.line("/reason", &body.reason, 1000);
    fields.finish()?;
    let row = store::update(conn, &row, ctx.now)?;
    news::tell(conn, ctx, &row, PostingStep::Cancelled)?;
    let audit = Audit::new("posting", row.id.0, row.owner_organisation_id)
        .change(json!({"status": posting.status}), json!({"status": row.status}))
        .because(body.reason);
    let version = row.version;
    Ok(Outcome::changed(view(conn, row)?, version, audit))
}

fn own_programme(conn: &mut Conn, ctx: &Ctx, body: &CreatePostingBody) -> Result<ProgrammeRow, Error> {
    match pools_store::visible_programme(conn, ctx, body.programme_id) {
        Ok((programme, Standing::Owner)) => Ok(programme),
        Err(error) if error.code != ErrorCode::NotFound => Err(error),
        _ => Err(Error::new(ErrorCode::ValidationFailed).field(
            "/programme_id",
            "not_yours",
            "自団体の事業を指定してください",
            "Must be a programme of the own organisation",
        )),
    }
}

fn check_values(period: Period, share: i32, note: &str, fields: &mut Fields) {
    fields.within("/share_percent", i64::from(share), 1, 100);
    fields.validity("/valid_to", period.from, Some(period.to));
    fields.text("/note", note, 1000);
}

/// A placement as it would be, for checking it against the rules and the other placements.
pub(super) struct Plan<'a> {
    /// The placement that is changed, which does not count against itself.
    id: Option<PostingId>,
    programme: &'a ProgrammeRow,
    expert: ExpertId,
    host: OrganisationId,
    share: i32,
    period: Period,
}

impl<'a> Plan<'a> {
    /// A placement that exists, as it would be.
    pub(super) fn of(row: &PostingRow, programme: &'a ProgrammeRow) -> Self {
        Self {
            id: Some(row.id),
            programme,
            expert: row.expert_id,
            host: row.host_organisation_id,
            share: row.share_percent,
            period: row.period(),
        }
    }

    /// 422 for what can never be, 409 for what other placements leave no room for. Takes the locks: of the host's places
    /// first, then of the expert, and holds them until the transaction ends.
    fn check(&self, conn: &mut Conn) -> Result<(), Error> {
        let rules = self.check_beyond_term(conn)?;
        self.check_length(&rules)
    }

    /// The same for a placement that an amendment lets go on beyond the longest term.
    pub(super) fn check_beyond_term(&self, conn: &mut Conn) -> Result<PostingRules, Error> {
        let year = pools_service::rules_on(conn, self.programme.id, self.period.from, "/valid_from")?;
        let Some(rules) = year.rules.postings else {
            return Err(Error::rule(
                "postings",
                "/programme_id",
                "この事業の規則に配属はありません",
                "The rules of this programme have no placements",
            ));
        };
        dialect::claim(conn, &format!("places of host {} in programme {}", self.host, self.programme.id))?;
        dialect::lock_row(conn, dialect::Lockable::Expert, self.expert.0)?;
        let others: Vec<PostingRow> = store::around(conn, self.expert, self.programme.id, self.host, self.period)?
            .into_iter()
            .filter(|row| Some(row.id) != self.id)
            .collect();
        self.check_share(&others)?;
        self.check_places(&others, &rules)?;
        self.check_parties(conn)?;
        Ok(rules)
    }

    fn check_share(&self, others: &[PostingRow]) -> Result<(), Error> {
        let shares: Vec<(Period, i32)> =
            others.iter().filter(|row| row.expert_id == self.expert).map(|row| (row.period(), row.share_percent)).collect();
        match model::share_exceeded(self.period, self.share, &shares) {
            None => Ok(()),
            Some((day, sum)) => Err(conflict(
                ErrorCode::PostingShareExceeded,
                "/share_percent",
                "postings_share_sum",
                day,
                &format!("この専門家の配属の割合が合計{sum}%になります（100%まで）"),
                &format!("the shares of this expert would be {sum} %, at most 100 % are possible"),
            )),
        }
    }

    fn check_places(&self, others: &[PostingRow], rules: &PostingRules) -> Result<(), Error> {
        let places = rules.places_per_host;
        let people: Vec<(Period, i64)> = others
            .iter()
            .filter(|row| row.host_organisation_id == self.host && row.programme_id == self.programme.id)
            .map(|row| (row.period(), row.expert_id.0))
            .collect();
        match model::places_exceeded(self.period, self.expert.0, &people, places) {
            None => Ok(()),
            Some((day, count)) => Err(conflict(
                ErrorCode::PostingPlacesExceeded,
                "/host_organisation_id",
                "places_per_host",
                day,
                &format!("この団体への配属が{count}人になります（{places}人まで）"),
                &format!("this host would have {count} people, at most {places} are allowed"),
            )),
        }
    }

    fn check_length(&self, rules: &PostingRules) -> Result<(), Error> {
        match rules.longest_months {
            Some(months) if model::longer_than(self.period, months) => Err(Error::rule(
                "longest_months",
                "/valid_to",
                format!("配属は{months}か月以内です。延長には協定等の変更（延長の操作）が必要です"),
                format!("A placement lasts at most {months} months; it goes on only by an amendment (extend)"),
            )),
            _ => Ok(()),
        }
    }

    /// The expert is of the pool, may be given work and is appointed throughout; the host is a member throughout.
    fn check_parties(&self, conn: &mut Conn) -> Result<(), Error> {
        let mut fields = Fields::new();
        let expert = experts_store::find(conn, self.expert)?.filter(|row| row.pool_id == self.programme.pool_id);
        match expert {
            None => fields.wrong(
                "/expert_id",
                "not_in_pool",
                "この事業の人材プールの専門家を指定してください",
                "Must be an expert of the programme's pool",
            ),
            Some(expert) => {
                // Ending or shortening the placement of somebody who is suspended meanwhile must stay possible.
                fields.check(
                    expert.status == ExpertStatus::Registered || self.id.is_some(),
                    "/expert_id",
                    "not_registered",
                    "登録中の専門家を指定してください",
                    "The expert must be registered",
                );
                let last = self.period.to.pred_opt().unwrap_or(self.period.to);
                fields.check(
                    expert.appointed_during(self.period.from, last),
                    "/valid_to",
                    "outside_appointment",
                    "専門家の委嘱期間内にしてください",
                    "Must lie within the expert's appointment",
                );
            }
        }
        let memberships: Vec<_> = pools_store::members(conn, self.programme.pool_id)?
            .into_iter()
            .filter(|member| member.organisation_id == self.host)
            .map(|member| (member.valid_from, member.valid_to))
            .collect();
        fields.check(
            model::covered(self.period, &memberships),
            "/host_organisation_id",
            "not_a_member",
            "配属の全期間にわたり人材プールの会員である団体を指定してください",
            "Must be a member of the pool in the whole period",
        );
        fields.finish()
    }
}

fn conflict(code: ErrorCode, pointer: &str, rule: &'static str, day: NaiveDate, ja: &str, en: &str) -> Error {
    let (ja, en) = (format!("{}に{ja}", wareki(day)), format!("On {day} {en}"));
    Error::new(code).detail(ja.clone(), en.clone()).field(pointer, rule, ja, en)
}

fn figures(row: &PostingRow) -> serde_json::Value {
    json!({
        "programme_id": row.programme_id, "expert_id": row.expert_id, "host_organisation_id": row.host_organisation_id,
        "share_percent": row.share_percent, "valid_from": row.valid_from, "valid_to": row.valid_to,
        "legal_basis": row.legal_basis, "status": row.status,
    })
}
