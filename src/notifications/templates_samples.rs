//! One example of every notice, for previews and tests. Bodies and people are invented.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::template::{Notice, NoticeKind, PostingStep};
use super::templates_facts::{
    Addressee, Both, CancelParty, Change, DecisionReader, DispatchRef, OneTimeLink, PlannedVisit, RequestRef,
};
use super::templates_samples_more as more;
use crate::requests::model::Mode;

fn both(ja: &str, en: &str) -> Both {
    Both { ja: ja.to_owned(), en: en.to_owned() }
}

/// An example of the kind with everything filled in; a decision is the applicant's.
pub fn sample(kind: NoticeKind) -> Notice {
    let link = || "/requests/12".to_owned();
    let dispatch_link = || "/dispatches/7".to_owned();
    match kind {
        NoticeKind::Invitation => Notice::Invitation {
            recipient: town_person(),
            organisation: "伊予県松野木町".to_owned(),
            role: Some("市町担当者".to_owned()),
            invited_by: Some("伊予県デジタル戦略課".to_owned()),
            link: OneTimeLink::new("/invitations/accept?token=Zm9vYmFyYmF6"),
            expires_at: at(7, 17),
        },
        NoticeKind::PasswordReset => Notice::PasswordReset {
            recipient: town_person(),
            link: OneTimeLink::new("/password/reset?token=Zm9vYmFyYmF6"),
            expires_at: at(0, 11),
        },
        NoticeKind::RequestSubmitted => Notice::RequestSubmitted {
            recipient: office(),
            request: RequestRef { number: None, document_number: None, ..request() },
            filed_by: Some("伊予県デジタル戦略課（代理入力）".to_owned()),
            resubmitted: false,
            wished: visits(),
            review_by: Some(at(7, 17)),
            link: link(),
        },
        NoticeKind::RequestReturned => Notice::RequestReturned {
            recipient: town_section(),
            request: request(),
            reason: Some("会場が未定のようです。\n会場と参加人数を書き足してください。".to_owned()),
            correct_by: Some(at(7, 17)),
            link: link(),
        },
        NoticeKind::RequestAccepted => Notice::RequestAccepted {
            recipient: town_section(),
            request: request(),
            comment: Some("第2希望の日程で調整します。".to_owned()),
            link: link(),
        },
        NoticeKind::RequestRejected => Notice::RequestRejected {
            recipient: town_section(),
            request: request(),
            reason_label: Some("対象外の内容".to_owned()),
            reason: Some("機器の購入は本事業の対象ではありません。".to_owned()),
            link: link(),
        },
        NoticeKind::BudgetWarning => Notice::BudgetWarning {
            recipient: office(),
            programme: "ICTエキスパート派遣".to_owned(),
            fiscal_year: 2026,
            percent: 80,
            budget_yen: 3_000_000,
            bound_yen: 2_420_000,
            link: link(),
        },
        NoticeKind::BudgetFreed => Notice::BudgetFreed {
            recipient: office(),
            programme: "ICTエキスパート派遣".to_owned(),
            fiscal_year: 2026,
            free_yen: 60_000,
            applicant: "藤枝市".to_owned(),
            title: "窓口業務のデジタル化".to_owned(),
            link: link(),
        },
        NoticeKind::PostingDaysExceeded => Notice::PostingDaysExceeded {
            recipient: office(),
            expert: "共通 人材".to_owned(),
            host: "藤枝市".to_owned(),
            month: chrono::NaiveDate::from_ymd_opt(2026, 6, 1).unwrap_or_default(),
            agreed_days: 4,
            link: link(),
        },
        NoticeKind::RequestWaitlisted => Notice::RequestWaitlisted {
            recipient: town_section(),
            request: request(),
            position: Some(2),
            reason: Some("今年度の枠が埋まっています。".to_owned()),
            link: link(),
        },
        NoticeKind::RequestAwaitingApproval => Notice::RequestAwaitingApproval {
            recipient: town_section(),
            request: request(),
            filed_by: Some("髙橋 花子".to_owned()),
            link: link(),
        },
        NoticeKind::RequestConsentWanted => {
            Notice::RequestConsentWanted { recipient: town_section(), request: request(), link: link() }
        }
        NoticeKind::RequestWithdrawn => Notice::RequestWithdrawn {
            recipient: office(),
            request: request(),
            reason_label: Some("申請者の都合".to_owned()),
            reason: Some("庁内で対応できることになりました。".to_owned()),
            link: link(),
        },
        NoticeKind::RequestMessage => Notice::RequestMessage {
            recipient: town_section(),
            request: request(),
            author: "伊予県デジタル戦略課".to_owned(),
            message: "当日の参加人数を教えてください。".to_owned(),
            link: link(),
        },
        NoticeKind::OfferSent => Notice::OfferSent {
            recipient: expert(),
            request: request(),
            visits: visits(),
            message: Some("昨年度に続いてのお願いです。".to_owned()),
            answer_link: OneTimeLink::new("/offers/answer?token=Zm9vYmFyYmF6"),
            expires_at: at(7, 17),
        },
        NoticeKind::OfferAccepted => Notice::OfferAccepted {
            recipient: office(),
            request: request(),
            expert: "高﨑 太郎".to_owned(),
            visits: visits(),
            comment: Some("よろしくお願いします。".to_owned()),
            link: link(),
        },
        NoticeKind::OfferDeclined => Notice::OfferDeclined {
            recipient: office(),
            request: request(),
            expert: "高﨑 太郎".to_owned(),
            reason: Some("その週は出張のため伺えません。".to_owned()),
            next_expert: Some("𠮷野 美咲".to_owned()),
            link: link(),
        },
        NoticeKind::OfferDatesProposed => Notice::OfferDatesProposed {
            recipient: office(),
            request: request(),
            expert: "高﨑 太郎".to_owned(),
            proposed: visits(),
            comment: Some("午後であれば伺えます。".to_owned()),
            answer_by: Some(at(7, 17)),
            link: link(),
        },
        NoticeKind::OfferExpired => Notice::OfferExpired {
            recipient: office(),
            request: request(),
            expert: "高﨑 太郎".to_owned(),
            next_expert: None,
            link: link(),
        },
        NoticeKind::OfferWithdrawn => Notice::OfferWithdrawn {
            recipient: expert(),
            request: request(),
            visits: visits(),
            had_accepted: true,
            link: "/offers/4".to_owned(),
        },
        NoticeKind::DecisionNotice => decision(DecisionReader::Applicant),
        NoticeKind::DispatchAmended => Notice::DispatchAmended {
            recipient: town_section(),
            dispatch: dispatch(),
            amended_on: day(3),
            changes: vec![
                Change {
                    item: both("1回目の日時", "First visit"),
                    before: Some(both("4月20日 10:00", "20 April 10:00")),
                    after: Some(both("4月21日 10:00", "21 April 10:00")),
                },
                Change {
                    item: both("会場", "Place"), before: None, after: Some(both("役場3階会議室", "役場3階会議室"))
                },
            ],
            reason: Some("会場の都合".to_owned()),
            visits: visits(),
            link: dispatch_link(),
        },
        NoticeKind::DispatchCancelled => Notice::DispatchCancelled {
            recipient: expert(),
            dispatch: dispatch(),
            cancelled_on: day(5),
            cancelled_by: Some(CancelParty::Applicant),
            reason: Some("庁内の体制が変わったため。".to_owned()),
            link: dispatch_link(),
        },
        NoticeKind::VisitCancelled => Notice::VisitCancelled {
            recipient: expert(),
            dispatch: dispatch(),
            visit: visit(20),
            cancelled_by: Some(CancelParty::Circumstances),
            reason: Some("大雨の予報のため。".to_owned()),
            link: dispatch_link(),
        },
        NoticeKind::ReportReminder => Notice::ReportReminder {
            recipient: town_section(),
            dispatch: dispatch(),
            visit_on: Some(day(20)),
            due_on: day(27),
            overdue_days: 0,
            link: "/dispatches/7/report".to_owned(),
        },
        NoticeKind::ReportReturned => Notice::ReportReturned {
            recipient: town_section(),
            dispatch: dispatch(),
            visit_on: Some(day(20)),
            reason: Some("参加人数が抜けています。".to_owned()),
            correct_by: Some(day(34)),
            link: "/dispatches/7/report".to_owned(),
        },
        NoticeKind::AccountChanged => Notice::AccountChanged(more::account_changed()),
        NoticeKind::MembershipGiven => Notice::MembershipGiven(more::membership_given()),
        NoticeKind::MembershipEnded => Notice::MembershipEnded(more::membership_ended()),
        NoticeKind::WindowClosing => Notice::WindowClosing(more::window_closing()),
        NoticeKind::RequestConsented => Notice::RequestConsented(more::request_consented()),
        NoticeKind::RequestUnanswered => Notice::RequestUnanswered(more::request_unanswered()),
        NoticeKind::RequestCancelled => Notice::RequestCancelled(more::request_cancelled()),
        NoticeKind::AgreementProposed => Notice::AgreementProposed(more::agreement_proposed()),
        NoticeKind::AgreementConcluded => Notice::AgreementConcluded(more::agreement_concluded()),
        NoticeKind::OfferExpiring => Notice::OfferExpiring(more::offer_expiring()),
        NoticeKind::ReportSubmitted => Notice::ReportSubmitted(more::report_submitted()),
        NoticeKind::SurveyDue => Notice::SurveyDue(more::survey_due()),
        NoticeKind::SettlementBilled => Notice::SettlementBilled(more::settlement_billed()),
        NoticeKind::ClaimOverdue => Notice::ClaimOverdue(more::claim_overdue()),
        NoticeKind::WorkloadNearLimit => Notice::WorkloadNearLimit(more::workload(32)),
        NoticeKind::WorkloadReached => Notice::WorkloadReached(more::workload(40)),
        NoticeKind::AppointmentEnding => Notice::AppointmentEnding(more::appointment_ending()),
        NoticeKind::PauseEnding => Notice::PauseEnding(more::pause_ending()),
        NoticeKind::ExpertUnavailable => Notice::ExpertUnavailable(more::expert_unavailable()),
        NoticeKind::PostingDecided => Notice::PostingDecided(more::posting_news(PostingStep::Decided)),
        NoticeKind::PostingChanged => Notice::PostingChanged(more::posting_news(PostingStep::Changed)),
        NoticeKind::PostingCancelled => Notice::PostingCancelled(more::posting_news(PostingStep::Cancelled)),
        NoticeKind::PostingEnding => Notice::PostingEnding(more::posting_ending()),
        NoticeKind::WebhookDisabled => Notice::WebhookDisabled(more::webhook_disabled()),
        NoticeKind::MailUndeliverable => Notice::MailUndeliverable(more::mail_undeliverable()),
        NoticeKind::Digest => Notice::Digest(more::digest()),
        NoticeKind::TestMail => Notice::TestMail { recipient: office(), requested_at: at(0, 10) },
    }
}

/// Every example: one of each kind and the variants that read differently.
pub fn samples() -> Vec<Notice> {
    let mut all: Vec<Notice> = NoticeKind::ALL.into_iter().map(sample).collect();
    all.push(decision(DecisionReader::Expert));
    all.push(decision(DecisionReader::ParticipatingBody));
    all.push(Notice::ReportReminder {
        recipient: town_section(),
        dispatch: dispatch(),
        visit_on: Some(day(20)),
        due_on: day(27),
        overdue_days: 3,
        link: "/dispatches/7/report".to_owned(),
    });
    all.extend(more::variants());
    all
}

fn decision(reader: DecisionReader) -> Notice {
    Notice::DecisionNotice {
        recipient: match reader {
            DecisionReader::Applicant => town_section(),
            DecisionReader::Expert => expert(),
            DecisionReader::ParticipatingBody => {
                Addressee::Section { organisation: "伊予県鬼北谷町".to_owned(), section: Some("企画課".to_owned()) }
            }
        },
        reader,
        dispatch: dispatch(),
        decided_on: day(0),
        visits: visits(),
        report_within_days: Some(7),
        link: "/dispatches/7".to_owned(),
    }
}

pub(super) fn office() -> Addressee {
    Addressee::Section { organisation: "伊予県".to_owned(), section: Some("デジタル戦略課".to_owned()) }
}

pub(super) fn town_section() -> Addressee {
    Addressee::Section { organisation: "伊予県松野木町".to_owned(), section: Some("総務課".to_owned()) }
}

pub(super) fn town_person() -> Addressee {
    Addressee::Person { organisation: Some("伊予県松野木町".to_owned()), name: "佐藤 花子".to_owned() }
}

pub(super) fn expert() -> Addressee {
    Addressee::Person { organisation: None, name: "高﨑 太郎".to_owned() }
}

pub(super) fn request() -> RequestRef {
    RequestRef {
        number: Some("R8-0012".to_owned()),
        document_number: Some("8伊デ第34号".to_owned()),
        programme: Some("高度デジタル人材シェアリング事業".to_owned()),
        applicant: "松野木町".to_owned(),
        joint_applicants: vec!["鬼北谷町".to_owned()],
        title: "窓口業務の見直しとオンライン申請".to_owned(),
    }
}

pub(super) fn dispatch() -> DispatchRef {
    let request = request();
    DispatchRef {
        number: "R8-0012".to_owned(),
        document_number: request.document_number,
        programme: request.programme,
        applicant: request.applicant,
        title: request.title,
        experts: vec!["高﨑 太郎".to_owned()],
    }
}

pub(super) fn visits() -> Vec<PlannedVisit> {
    let later = PlannedVisit { minutes: Some(90), mode: Some(Mode::Online), ..PlannedVisit::default() };
    vec![visit(20), later]
}

fn visit(days: i64) -> PlannedVisit {
    PlannedVisit {
        starts_at: Some(at(days, 10)),
        minutes: Some(240),
        mode: Some(Mode::Onsite),
        place: Some("松野木町役場".to_owned()),
    }
}

/// An hour of the day in Japan, so many days after 1 April 2026.
pub(super) fn at(days: i64, hour: i64) -> DateTime<Utc> {
    // 2026-04-01 00:00 in Japan.
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_774_969_200) + TimeDelta::days(days) + TimeDelta::hours(hour)
}

pub(super) fn day(days: i64) -> NaiveDate {
    (at(days, 9)).date_naive()
}
