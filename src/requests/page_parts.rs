//! The parts of a request's page that hang on the request: its facts in groups, the offers, the bodies and their consents,
//! files and messages. Reads through the same stores as the API.

use serde_json::json;

use super::page_words::{offer_tag, said};
use crate::auth::policy::{AgreeOnShares, ConsentRequests, FileRequests, ReadCosts, ReadOffers, Role, WriteMessages};
use crate::db::Conn;
use crate::error::Error;
use crate::experts::page_expert::languages;
use crate::http::ListQuery;
use crate::ids::OrganisationId;
use crate::offers::model::OfferStatus;
use crate::offers::store::{self as offers, OfferFilter};
use crate::requests::attachments;
use crate::requests::children;
use crate::requests::messages::{self, RequestMessageView};
use crate::requests::model::{RequestStatus, RequestVerb};
use crate::requests::store::RequestRow;
use crate::requests::views::{ParticipantView, RequestView};
use crate::settlements::agreement_store::{self, AgreementStatus};
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::View;
use crate::web::tongue::esc;

/// A group of facts under a heading.
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// What each fact is called, and what it is.
    pub facts: Vec<(&'static str, String)>,
}

fn group(view: &View, title: (&'static str, &'static str), facts: Vec<(&'static str, &'static str, String)>) -> Group {
    let pick = |ja: &'static str, en: &'static str| if view.tongue.english() { en } else { ja };
    Group {
        title: pick(title.0, title.1),
        facts: facts.into_iter().filter(|(.., value)| !value.is_empty()).map(|(ja, en, value)| (pick(ja, en), value)).collect(),
    }
}

/// What is asked for, when and where.
pub fn groups(view: &View, request: &RequestView, programme: &str) -> Vec<Group> {
    let t = view.tongue;
    let wished: Vec<String> = request
        .wished_dates
        .iter()
        .enumerate()
        .map(|(index, wish)| {
            let time = match (wish.start_minute, wish.end_minute) {
                (Some(from), Some(to)) => format!(" {}〜{}", t.time(from), t.time(to)),
                _ => t.t("（時間は問わない）", " (any time)").to_owned(),
            };
            let rank = index + 1;
            let place = if t.english() { format!("{rank}. ") } else { format!("第{rank}希望　") };
            format!("{place}{}{time}", t.day_of_week(wish.day))
        })
        .collect();
    let skills: Vec<String> = request
        .required_skills
        .iter()
        .map(|skill| {
            let mut line = if t.english() {
                format!("{} (level {} or above", skill.name, skill.min_level)
            } else {
                format!("{}（レベル{}以上", skill.name, skill.min_level)
            };
            line.push_str(if skill.must { t.t("・必須", ", required") } else { t.t("・あれば歓迎", ", welcome") });
            if let Some(group) = skill.alternative_group {
                line.push_str(&format!("{}{group}", t.t("・いずれか", ", one of group ")));
            }
            if skill.verified_only {
                line.push_str(t.t("・確認済みに限る", ", verified only"));
            }
            line.push_str(t.t("）", ")"));
            line
        })
        .collect();
    let people = request
        .audience_count
        .map_or(String::new(), |count| if t.english() { format!(" ({count})") } else { format!("（{count}人）") });
    let team = if request.experts_needed > 1 {
        let way = if request.rotation { t.t("交替で訪問", "in turn") } else { t.t("全員で訪問", "all together") };
        if t.english() {
            format!("{} experts, {way}", request.experts_needed)
        } else {
            format!("{}人（{way}）", request.experts_needed)
        }
    } else {
        String::new()
    };
    let preferred: Vec<&str> = request.preferred_experts.iter().flatten().map(|expert| expert.name.as_str()).collect();
    let choice = match (preferred.is_empty(), request.leave_to_office) {
        (true, _) => t.t("事務局に任せる", "left to the office").to_owned(),
        (false, true) => format!("{}{}", preferred.join("、"), t.t("（事務局一任）", " (left to the office)")),
        (false, false) => preferred.join("、"),
    };
    let choice = if view.ctx.principal.acts_as == Role::Expert { String::new() } else { choice };
    let work = if t.english() {
        format!("{} visits of {}", request.visit_count, t.minutes(i64::from(request.minutes_per_visit)))
    } else {
        format!("{}回 × 1回{}", request.visit_count, t.minutes(i64::from(request.minutes_per_visit)))
    };
    let place = match (request.place.as_str(), request.on_island) {
        (place, false) => place.to_owned(),
        (place, true) => format!("{place}{}", t.t("（離島）", " (remote island)")),
    };
    vec![
        group(
            view,
            ("相談内容", "What it is about"),
            vec![
                ("事業", "Programme", format!("{}{}{}", programme, t.t("　", ", "), t.fiscal_year(request.fiscal_year))),
                ("活動の種類", "Kind", said(t, request.activity_kind.label_ja(), request.activity_kind.as_str())),
                ("背景・課題", "Background", request.background.clone()),
                ("達成したいこと", "Goal", request.goal.clone()),
            ],
        ),
        group(
            view,
            ("日程・場所", "When and where"),
            vec![
                ("希望期間", "Period", t.period(request.period_from, request.period_to)),
                ("支援の量", "Work", work),
                (
                    "希望日時",
                    "Wished dates",
                    if wished.is_empty() { t.t("期間内で調整", "to be arranged").to_owned() } else { wished.join("\n") },
                ),
                ("実施方法", "Mode", said(t, request.mode.label_ja(), request.mode.as_str())),
                ("場所", "Place", place),
                ("参加者", "Audience", format!("{}{people}", request.audience)),
                ("会場の設備", "Equipment", request.equipment.clone()),
            ],
        ),
        group(
            view,
            ("必要なスキルと専門家", "Skills and expert"),
            vec![
                ("必要なスキル", "Skills", skills.join("\n")),
                ("求める言語", "Languages", languages(&request.languages, t)),
                ("チーム", "Team", team),
                ("希望する専門家", "Preferred expert", choice),
            ],
        ),
    ]
}

/// Who is in charge.
pub fn contact(view: &View, request: &RequestView) -> Group {
    group(
        view,
        ("担当者連絡先", "Contact"),
        vec![
            ("団体", "Body", request.applicant_name.clone()),
            ("部署", "Section", request.department.clone()),
            ("氏名", "Name", request.contact_name.clone()),
            ("メール", "Mail", request.contact_email.clone().unwrap_or_default()),
            ("電話", "Telephone", request.contact_phone.clone().unwrap_or_default()),
        ],
    )
}

/// An offer as the request's page shows it.
pub struct OfferLine {
    /// Its number.
    pub id: i64,
    /// Place in the order.
    pub rank: i32,
    /// Whom it asks.
    pub expert: String,
    /// The expert's number.
    pub expert_id: i64,
    /// Whether the expert has yet to answer.
    pub open: bool,
    /// Where it stands.
    pub status: String,
    /// Until when an answer is awaited, or when it came.
    pub when: String,
    /// What the expert wrote, or why not.
    pub word: String,
}

/// Whether somebody sees the offers of a request: the office and the experts, never the applicant.
pub fn sees_offers(view: &View, request: &RequestView) -> bool {
    let expert = view.ctx.principal.acts_as == Role::Expert;
    view.may::<ReadOffers>() && (expert || request.owner_organisation_id == view.ctx.organisation())
}

/// The offers in their order.
pub fn offers(conn: &mut Conn, view: &View, request: &RequestView) -> Result<Vec<OfferLine>, Error> {
    let t = view.tongue;
    let filter = OfferFilter { request_id: Some(request.id), ..OfferFilter::all(offers::scope(&view.ctx)) };
    let mut records = offers::list(conn, &filter, None, i64::from(crate::offers::model::MOST_OFFERS))?;
    records.sort_by_key(|record| record.offer.rank);
    Ok(records
        .into_iter()
        .map(|record| {
            let offer = record.offer;
            let status = offer.status.at(offer.expires_at, view.ctx.now);
            let when = match (status, offer.expires_at, offer.answered_at) {
                (OfferStatus::Sent, Some(end), _) => format!("{}{}", t.instant(end), t.t(" まで", " at the latest")),
                (_, _, Some(at)) => format!("{}{}", t.instant(at), t.t(" 回答", " answered")),
                _ => String::new(),
            };
            let reason = offer.answer_reason_code.map(|reason| said(t, reason.label_ja(), reason.as_str()));
            let word = [reason.unwrap_or_default(), offer.answer_note].into_iter().filter(|text| !text.is_empty());
            OfferLine {
                id: offer.id.0,
                rank: offer.rank,
                expert: record.expert_name,
                expert_id: offer.expert_id.0,
                open: status == OfferStatus::Sent,
                status: offer_tag(t, status),
                when,
                word: word.collect::<Vec<_>>().join("："),
            }
        })
        .collect())
}

/// A body that takes part.
pub struct BodyLine {
    /// Its name.
    pub name: String,
    /// Whether it applies for all.
    pub lead: bool,
    /// When it agreed.
    pub consented: Option<String>,
    /// The button with which it agrees, or takes that back.
    pub button: String,
}

/// The form with which a body agrees to take part, or takes that back.
fn consent(view: &View, request: &RequestView, body: OrganisationId, agrees: bool, button: &str) -> Result<String, Error> {
    let current = json!({"version": request.version});
    let form = Form::new(view, "consent_request", format!("/requests/{}/consent", request.id), current, Choices::default())?;
    let who = form.fixed("organisation_id", body);
    Ok(format!("{}{who}{}{button}</form>", form.open(), form.fixed("agrees", agrees)))
}

/// Whether the own body has yet to agree to the joint request.
pub fn waits_for_consent(view: &View, request: &RequestView) -> bool {
    let own = |body: &&ParticipantView| body.organisation_id == view.ctx.organisation() && !body.is_lead;
    request.allowed.contains(&RequestVerb::Consent)
        && request.participants.iter().find(own).is_some_and(|body| body.consented_at.is_none())
}

/// The button with which the own body agrees.
pub fn agree(view: &View, request: &RequestView) -> Result<String, Error> {
    let label = esc(view.t("共同申請に同意する", "Agree to take part"));
    consent(view, request, view.ctx.organisation(), true, &format!(r#"<button type="submit">{label}</button>"#))
}

/// The bodies of a joint request. Each may take its own consent back; the office records that of a body without users.
pub fn bodies(conn: &mut Conn, view: &View, request: &RequestView) -> Result<Vec<BodyLine>, Error> {
    let (t, me) = (view.tongue, view.ctx.organisation());
    let may = request.allowed.contains(&RequestVerb::Consent) && view.may::<ConsentRequests>();
    let office = request.owner_organisation_id == me && view.ctx.principal.is_coordinator();
    let waits = |body: &&ParticipantView| !body.is_lead && body.consented_at.is_none() && body.organisation_id != me;
    let waiting: Vec<OrganisationId> = if may && office {
        request.participants.iter().filter(waits).map(|body| body.organisation_id).collect()
    } else {
        Vec::new()
    };
    let with_users = if waiting.is_empty() { Vec::new() } else { children::with_account(conn, &waiting, view.ctx.today())? };
    request
        .participants
        .iter()
        .map(|body| {
            let (own, agreed) = (body.organisation_id == me, body.consented_at.is_some());
            let label = match (own, agreed) {
                _ if !may || body.is_lead => None,
                (true, true) => Some(t.t("同意を取り消す", "Take the consent back")),
                (false, false) if office && !with_users.contains(&body.organisation_id) => {
                    Some(t.t("同意を代わりに記録する", "Record its consent"))
                }
                _ => None,
            };
            let button = match label {
                Some(label) => {
                    let button = format!(r#"<button type="submit" class="quiet">{}</button>"#, esc(label));
                    consent(view, request, body.organisation_id, !agreed, &button)?
                }
                None => String::new(),
            };
            Ok(BodyLine {
                name: body.name.clone(),
                lead: body.is_lead,
                consented: body.consented_at.map(|at| t.instant(at)),
                button,
            })
        })
        .collect()
}

/// A version of the agreement on sharing.
pub struct AgreementLine {
    /// Its number.
    pub number: i32,
    /// Where it stands.
    pub status: String,
    /// The day it carries.
    pub day: String,
    /// What each body would pay of a million yen, and whether it agreed.
    pub shares: Vec<(String, String, bool)>,
    /// The button with which the own body agrees.
    pub button: String,
}

/// Whether somebody may propose how the bodies share: the office or who wrote the request, as long as it is not over.
pub fn proposes(view: &View, row: &RequestRow) -> bool {
    let office = row.owner_organisation_id == view.ctx.organisation() && view.ctx.principal.is_coordinator();
    let over = matches!(row.status, RequestStatus::Rejected | RequestStatus::Withdrawn | RequestStatus::Cancelled);
    view.may::<AgreeOnShares>() && !over && (office || row.is_written_by(view.ctx.organisation()))
}

/// The agreements on sharing, the newest first.
pub fn agreements(conn: &mut Conn, view: &View, request: &RequestView) -> Result<Vec<AgreementLine>, Error> {
    if request.participants.len() < 2 || !view.may::<ReadCosts>() {
        return Ok(Vec::new());
    }
    let (t, me) = (view.tongue, view.ctx.organisation());
    let name = |id| {
        request
            .participants
            .iter()
            .find(|body| body.organisation_id == id)
            .map_or_else(|| format!("#{id}"), |body| body.name.clone())
    };
    agreement_store::of_request(conn, request.id)?
        .iter()
        .map(|agreement| {
            let made = crate::settlements::agreements::view(agreement)?;
            let waits = made.bodies.iter().any(|body| body.organisation_id == me && body.consented_at.is_none());
            let button = if made.status == AgreementStatus::Proposed && waits && view.may::<AgreeOnShares>() {
                let path = format!("/agreements/{}/consent", made.id);
                let form = Form::new(view, "consent_agreement", path, json!({}), Choices::default())?;
                format!("{}{}", form.open(), form.close(t.t("この負担割合に同意する", "Agree to these shares")))
            } else {
                String::new()
            };
            let shares = made
                .bodies
                .iter()
                .map(|body| {
                    let share = made.example.iter().find(|example| example.organisation_id == body.organisation_id);
                    (
                        name(body.organisation_id),
                        share.map(|share| t.yen(share.amount_yen)).unwrap_or_default(),
                        body.consented_at.is_some(),
                    )
                })
                .collect();
            Ok(AgreementLine {
                number: made.number,
                status: said(t, made.status.label_ja(), made.status.as_str()),
                day: t.day(made.agreed_on),
                shares,
                button,
            })
        })
        .collect()
}

/// A file of the request.
pub struct FileLine {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// How large it is.
    pub size: String,
    /// When it was attached.
    pub day: String,
    /// The button that takes it away.
    pub remove: String,
}

/// The files of a request and the form for another one; nothing where they are not to be seen.
pub fn files(conn: &mut Conn, view: &View, request: &RequestView) -> Result<Option<(Vec<FileLine>, String)>, Error> {
    let expert = view.ctx.principal.acts_as == Role::Expert;
    if expert && attachments::readable(conn, &view.ctx, request.id).is_err() {
        return Ok(None);
    }
    let t = view.tongue;
    let may = request.allowed.contains(&RequestVerb::Edit) && view.may::<FileRequests>();
    let path = format!("/requests/{}/attachments", request.id);
    let lines = attachments::list(conn, request.id)?
        .into_iter()
        .map(|file| {
            let kib = i64::from(file.size_bytes).div_euclid(1024) + 1;
            let remove = if may {
                let form = Form::new(
                    view,
                    "remove_request_attachment",
                    format!("{path}/{}/remove", file.id),
                    json!({}),
                    Choices::default(),
                )?;
                form.button(t.t("外す", "Remove"), "quiet")
            } else {
                String::new()
            };
            Ok(FileLine {
                id: file.id.0,
                name: file.file_name,
                size: format!("{kib} KB"),
                day: t.day(file.created_at.jst_day()),
                remove,
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let form = if may {
        let form = Form::new(view, "create_request_attachment", path, json!({}), Choices::default())?;
        let file = form.field("content_base64");
        format!("{}{file}{}", form.open(), form.close(t.t("ファイルを添付する", "Attach the file")))
    } else {
        String::new()
    };
    Ok(Some((lines, form)))
}

/// The messages between applicants and office.
pub struct Thread {
    /// Oldest first.
    pub messages: Vec<RequestMessageView>,
    /// Whether there are later ones.
    pub more: bool,
    /// The form for an answer.
    pub answer: String,
}

/// The messages and the form for an answer; nothing for experts, who are not in the thread.
pub fn thread(conn: &mut Conn, view: &View, request: &RequestView) -> Result<Option<Thread>, Error> {
    if view.ctx.principal.acts_as == Role::Expert {
        return Ok(None);
    }
    let query = ListQuery::new(Some(200), None, &("messages", request.id))?;
    let page = query.page(messages::list(conn, request.id, &query)?, |message| (String::new(), message.id.0));
    let form = if view.may::<WriteMessages>() {
        let form = Form::new(
            view,
            "create_request_message",
            format!("/requests/{}/messages", request.id),
            json!({}),
            Choices::default(),
        )?;
        format!("{}{}{}", form.open(), form.field("body"), form.close(view.t("送る", "Send")))
    } else {
        String::new()
    };
    Ok(Some(Thread { messages: page.items, more: page.next_cursor.is_some(), answer: form }))
}
