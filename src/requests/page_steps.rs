//! Where a request stands as a line of steps that everybody understands, and who has to do what next.

use super::page_words::said;
use crate::auth::policy::Role;
use crate::requests::model::{RequestVerb, Stage};
use crate::requests::views::RequestView;
use crate::web::page::View;
use crate::web::tongue::Tongue;

/// One step of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it is called.
    pub label: String,
    /// It lies behind.
    pub past: bool,
    /// The request is here.
    pub here: bool,
}

/// The way of a request: the steps and what comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The steps in order.
    pub steps: Vec<Step>,
    /// Who has to do what next.
    pub next: &'static str,
    /// Whether it is the turn of whoever looks.
    pub own_turn: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Writing,
    Approval,
    Review,
    Matching,
    Offer,
    Decision,
    Work,
    Report,
    Settling,
}

const PLACES: [(Place, &str, &str); 9] = [
    (Place::Writing, "下書き", "Draft"),
    (Place::Approval, "承認待ち", "Approval"),
    (Place::Review, "審査", "Review"),
    (Place::Matching, "専門家の選定", "Matching"),
    (Place::Offer, "打診", "Offer"),
    (Place::Decision, "決定", "Decision"),
    (Place::Work, "実施", "Visits"),
    (Place::Report, "報告", "Report"),
    (Place::Settling, "精算", "Settlement"),
];

fn place(stage: Stage, reached_office: bool) -> Place {
    match stage {
        Stage::Draft | Stage::Returned => Place::Writing,
        Stage::Withdrawn if !reached_office => Place::Writing,
        Stage::AwaitingApproval => Place::Approval,
        Stage::Submitted | Stage::Waitlisted | Stage::Rejected | Stage::Withdrawn => Place::Review,
        Stage::Matching => Place::Matching,
        Stage::Offered => Place::Offer,
        Stage::AwaitingDecision => Place::Decision,
        Stage::Scheduled | Stage::InProgress | Stage::Cancelled => Place::Work,
        Stage::AwaitingReport | Stage::Reported => Place::Report,
        Stage::Completed => Place::Settling,
    }
}

/// Who is to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Actor {
    Writer,
    Approver,
    Office,
    Expert,
    Nobody,
}

fn next(stage: Stage) -> (Actor, &'static str, &'static str) {
    match stage {
        Stage::Draft => (
            Actor::Writer,
            "まだ提出していません。申請団体の担当者が、内容を確かめて「申請する」を押してください。",
            "Not submitted yet: the applicant's staff checks it and presses “Submit”.",
        ),
        Stage::AwaitingApproval => (
            Actor::Approver,
            "申請団体の承認者が承認すると、事務局に届きます。",
            "It reaches the office once the applicant's approver has agreed.",
        ),
        Stage::Submitted => (
            Actor::Office,
            "事務局が要件を確かめ、受理・差戻し・補欠・不採択のいずれかを決めます。",
            "The office checks the rules and accepts, returns, waitlists or rejects it.",
        ),
        Stage::Returned => (
            Actor::Writer,
            "申請団体の担当者が、下の理由を見て内容を直し、もう一度「申請する」を押してください。",
            "The applicant's staff corrects it for the reason below and submits it again.",
        ),
        Stage::Waitlisted => (
            Actor::Nobody,
            "予算や専門家の都合がつきしだい、事務局が受理します。",
            "The office accepts it as soon as money and experts allow.",
        ),
        Stage::Rejected => (Actor::Nobody, "この申請は採択されませんでした。", "The request was not taken up."),
        Stage::Withdrawn => (Actor::Nobody, "この申請は取り下げられました。", "The request was withdrawn."),
        Stage::Cancelled => (Actor::Nobody, "派遣の決定後に中止となりました。", "It was called off after the decision."),
        Stage::Matching => {
            (Actor::Office, "事務局が候補者を比べて、専門家に打診します。", "The office compares candidates and asks an expert.")
        }
        Stage::Offered => (
            Actor::Expert,
            "打診を受けた専門家が、期限までに回答します。",
            "The expert who was asked answers before the end of the term.",
        ),
        Stage::AwaitingDecision => (
            Actor::Office,
            "専門家が承諾しました。事務局が派遣を決定し、通知します。",
            "An expert has accepted: the office decides the dispatch and gives notice.",
        ),
        Stage::Scheduled => (
            Actor::Nobody,
            "派遣が決まりました。予定した日に訪問を行います。",
            "The dispatch is decided; the visits take place as planned.",
        ),
        Stage::InProgress => (
            Actor::Nobody,
            "訪問が始まっています。終わった訪問から、実績を記録します。",
            "Visits are under way; what happened is recorded after each.",
        ),
        Stage::AwaitingReport => (
            Actor::Writer,
            "訪問がすべて終わりました。申請団体の担当者が報告書を提出してください。",
            "All visits are over: the applicant's staff hands in the report.",
        ),
        Stage::Reported => (
            Actor::Office,
            "報告書が提出されました。事務局が確認します。",
            "The report has been handed in; the office looks at it.",
        ),
        Stage::Completed => (
            Actor::Nobody,
            "報告書が承認されました。事務局が費用を精算します。",
            "The report is approved; the office settles the cost.",
        ),
    }
}

/// The way of a request as somebody sees it; `with_approval`: the applicant has an approver of its own; `asked`: an offer that
/// one sees has yet to be answered.
pub fn way(view: &View, request: &RequestView, with_approval: bool, asked: bool) -> Way {
    let t = view.tongue;
    let at = place(request.stage, request.submitted_at.is_some());
    let until = PLACES.iter().position(|(place, ..)| *place == at).unwrap_or_default();
    let uses = |place: Place| place != Place::Approval || with_approval || request.stage == Stage::AwaitingApproval;
    let steps = PLACES
        .iter()
        .enumerate()
        .filter(|(_, (place, ..))| uses(*place))
        .map(|(index, (_, ja, en))| Step {
            label: if index == until { here(t, request.stage, ja, en) } else { t.t(ja, en).to_owned() },
            past: index < until,
            here: index == until,
        })
        .collect();
    let (actor, ja, en) = next(request.stage);
    let me = view.ctx.organisation();
    let office = request.owner_organisation_id == me && view.ctx.principal.is_coordinator();
    let body = request.applicant_organisation_id == me || request.filed_by_organisation_id == Some(me);
    let own_turn = match actor {
        Actor::Writer => {
            body && matches!(
                view.ctx.principal.acts_as,
                Role::MunicipalStaff | Role::MunicipalApprover | Role::PrefecturalCoordinator
            )
        }
        Actor::Approver => request.allowed.contains(&RequestVerb::Approve),
        Actor::Office => office,
        Actor::Expert => asked && view.ctx.principal.acts_as == Role::Expert,
        Actor::Nobody => false,
    };
    Way { steps, next: if t.english() { en } else { ja }, own_turn }
}

/// The step the request is at, with what is special about it.
fn here(tongue: Tongue, stage: Stage, ja: &str, en: &str) -> String {
    let label = tongue.t(ja, en);
    match stage {
        Stage::Returned | Stage::Waitlisted | Stage::Rejected | Stage::Withdrawn | Stage::Cancelled => {
            format!("{label}{}{}{}", tongue.t("（", " ("), said(tongue, stage.label_ja(), stage.as_str()), tongue.t("）", ")"))
        }
        _ => label.to_owned(),
    }
}
