//! Examples of the notices that are structures of their own.

use super::template::*;
use super::templates_samples::{at, day, dispatch, expert, office, request, town_person, town_section, visits};

const NAME: &str = "高﨑 太郎";
const TOWN: &str = "松野木町";
const OTHER: &str = "鬼北谷町";

fn text(text: &str) -> String {
    text.to_owned()
}

pub(super) fn account_changed() -> AccountChanged {
    AccountChanged {
        recipient: town_person(),
        change: AccountChange::PasswordChanged,
        changed_by: None,
        changed_at: at(0, 10),
        link: text("/account"),
    }
}

pub(super) fn expert_unavailable() -> ExpertUnavailable {
    let visit = |day, applicant| VisitInQuestion { day, applicant: text(applicant) };
    ExpertUnavailable {
        recipient: office(),
        expert: text(NAME),
        cause: UnavailableCause::Calendar,
        visits: vec![visit(Some(day(20)), TOWN), visit(Some(day(21)), OTHER)],
        link: text("/experts/3"),
    }
}

pub(super) fn posting_news(step: PostingStep) -> PostingNews {
    PostingNews {
        recipient: town_section(),
        reader: PostingReader::Host,
        step,
        expert: text(NAME),
        host: text(TOWN),
        from: day(30),
        last_day: day(211),
        share_percent: 40,
        link: text("/postings/2"),
    }
}

pub(super) fn claim_overdue() -> ClaimOverdue {
    ClaimOverdue {
        recipient: town_section(),
        own: true,
        kind: BilledKind::Contribution,
        number: text("R8-C0012"),
        debtor: text(TOWN),
        creditor: text("伊予県"),
        unpaid_yen: 617_284,
        due_on: day(0),
        link: text("/claims/5"),
    }
}

pub(super) fn membership_given() -> MembershipGiven {
    MembershipGiven {
        recipient: town_person(),
        organisation: text("伊予県松野木町"),
        role: text("市町承認者"),
        from: Some(day(0)),
        last_day: Some(day(182)),
        given_by: Some(text("伊予県デジタル戦略課")),
        link: text("/sign-in"),
    }
}

pub(super) fn membership_ended() -> MembershipEnded {
    MembershipEnded {
        recipient: town_person(),
        organisation: text("伊予県松野木町"),
        role: text("市町担当者"),
        last_day: day(30),
        ended_by: Some(text("伊予県松野木町 総務課")),
        link: text("/account"),
    }
}

pub(super) fn window_closing() -> WindowClosing {
    WindowClosing {
        recipient: town_section(),
        office: false,
        programme: text("ICTエキスパート派遣"),
        fiscal_year: 2026,
        closes_at: at(14, 17),
        link: text("/requests/new?programme=1"),
    }
}

pub(super) fn request_consented() -> RequestConsented {
    RequestConsented {
        recipient: town_section(),
        request: request(),
        body: text(OTHER),
        agrees: true,
        waiting: vec![text("愛南浜町")],
        link: text("/requests/12"),
    }
}

pub(super) fn request_unanswered() -> RequestUnanswered {
    RequestUnanswered {
        recipient: office(),
        request: RequestRef { number: None, document_number: None, ..request() },
        state: Some(text("提出済み")),
        idle_days: 7,
        review_by: Some(at(10, 17)),
        link: text("/requests/12"),
    }
}

pub(super) fn request_cancelled() -> RequestCancelled {
    RequestCancelled {
        recipient: office(),
        request: request(),
        cancelled_by: Some(CancelParty::Applicant),
        reason: Some(text("庁内の体制が変わったため。")),
        link: text("/requests/12"),
    }
}

pub(super) fn agreement_proposed() -> AgreementProposed {
    AgreementProposed {
        recipient: Addressee::Section { organisation: text("伊予県鬼北谷町"), section: Some(text("企画課")) },
        request: request(),
        number: 2,
        proposed_by: text(TOWN),
        bodies: vec![text(TOWN), text(OTHER)],
        own_share: Some(text("2分の1")),
        reason: Some(text("参加人数が変わったため。")),
        answer_by: Some(at(14, 17)),
        link: text("/requests/12/agreements"),
    }
}

pub(super) fn agreement_concluded() -> AgreementConcluded {
    AgreementConcluded {
        recipient: town_section(),
        request: request(),
        number: 2,
        bodies: vec![text(TOWN), text(OTHER)],
        own_share: Some(text("2分の1")),
        agreed_on: day(3),
        link: text("/requests/12/agreements"),
    }
}

pub(super) fn offer_expiring() -> OfferExpiring {
    OfferExpiring { recipient: expert(), request: request(), visits: visits(), expires_at: at(7, 17), link: text("/offers/4") }
}

pub(super) fn report_submitted() -> ReportSubmitted {
    ReportSubmitted {
        recipient: office(),
        dispatch: dispatch(),
        visit_on: Some(day(20)),
        resubmitted: false,
        check_by: Some(day(34)),
        link: text("/dispatches/7/report"),
    }
}

pub(super) fn survey_due() -> SurveyDue {
    SurveyDue {
        recipient: town_section(),
        dispatch: dispatch(),
        answer_by: Some(day(60)),
        instructions: Some(text("助言を受けて何が変わりましたか。\n続けて支援が要ることがあれば書いてください。")),
        link: text("/dispatches/7/survey"),
    }
}

pub(super) fn settlement_billed() -> SettlementBilled {
    SettlementBilled {
        recipient: town_section(),
        number: text("R8-C0012"),
        kind: BilledKind::Contribution,
        creditor: text("伊予県"),
        amount_yen: 1_234_567,
        instalments: vec![
            Instalment { due_on: day(60), amount_yen: 617_284 },
            Instalment { due_on: day(240), amount_yen: 617_283 },
        ],
        programme: Some(text("高度デジタル人材シェアリング事業")),
        subject: Some(text("R8-0012 窓口業務の見直しとオンライン申請")),
        link: text("/settlements/5"),
    }
}

/// So many hours of forty.
pub(super) fn workload(hours: i64) -> Workload {
    Workload {
        recipient: office(),
        expert: text(NAME),
        own: false,
        limit: LoadLimit::MonthMinutes(day(61)),
        used: hours * 60,
        agreed: 40 * 60,
        link: text("/experts/3"),
    }
}

pub(super) fn appointment_ending() -> AppointmentEnding {
    AppointmentEnding {
        recipient: office(),
        expert: text(NAME),
        own: false,
        last_day: day(13),
        days_left: 14,
        link: text("/experts/3"),
    }
}

pub(super) fn pause_ending() -> PauseEnding {
    PauseEnding { recipient: expert(), expert: text(NAME), own: true, last_day: day(3), link: text("/experts/3/availability") }
}

pub(super) fn posting_ending() -> PostingEnding {
    PostingEnding {
        recipient: office(),
        reader: PostingReader::Office,
        expert: text(NAME),
        host: text(TOWN),
        last_day: day(2),
        days_left: 3,
        link: text("/postings/2"),
    }
}

pub(super) fn webhook_disabled() -> WebhookDisabled {
    WebhookDisabled {
        recipient: office(),
        name: text("文書管理システム"),
        host: text("hooks.pref.example.jp"),
        cause: WebhookCause::Failing(5),
        disabled_at: at(5, 9),
        last_answer: Some(text("503")),
        undelivered: 12,
        link: text("/webhooks/1"),
    }
}

pub(super) fn mail_undeliverable() -> MailUndeliverable {
    MailUndeliverable {
        recipient: office(),
        name: text("松野木町 総務課"),
        address: text("soumu@town.example.jp"),
        subject: text("【専門家派遣】派遣決定通知（R8-0012）"),
        answer: Some(text("550 5.1.1 User unknown")),
        link: text("/notifications/outbox"),
    }
}

pub(super) fn digest() -> Digest {
    let item = |title: &str, link: &str| DigestItem { title: text(title), link: Some(text(link)) };
    Digest {
        recipient: town_person(),
        day: day(0),
        groups: vec![
            DigestGroup {
                label: text("派遣申請"),
                items: vec![item("派遣申請を受理しました（R8-0012）", "/requests/12"), item("派遣申請の差戻し", "/requests/13")],
            },
            DigestGroup {
                label: text("派遣決定と訪問"), items: vec![item("派遣決定通知（R8-0011）", "/dispatches/6")]
            },
        ],
        link: text("/notices"),
        settings_link: text("/account/notifications"),
    }
}

/// The examples that read differently.
pub(super) fn variants() -> Vec<Notice> {
    let single = Instalment { due_on: day(60), amount_yen: 50_000 };
    let billed = |kind| SettlementBilled { kind, amount_yen: 50_000, instalments: vec![single.clone()], ..settlement_billed() };
    let load = |limit, used, agreed| Workload { recipient: expert(), own: true, limit, used, agreed, ..workload(0) };
    let posting = |reader, recipient| PostingEnding { reader, recipient, days_left: 1, ..posting_ending() };
    let changes = [
        AccountChange::PasswordReset,
        AccountChange::SecondFactorOn,
        AccountChange::SecondFactorOff,
        AccountChange::SecondFactorReset,
        AccountChange::RecoveryCodes,
        AccountChange::Email,
    ];
    let changed = changes.map(|change| Notice::AccountChanged(AccountChanged { change, ..account_changed() }));
    let mut all = vec![
        Notice::WindowClosing(WindowClosing { office: true, recipient: office(), link: text("/requests"), ..window_closing() }),
        Notice::RequestConsented(RequestConsented { agrees: false, waiting: vec![text(OTHER)], ..request_consented() }),
        Notice::RequestConsented(RequestConsented { waiting: Vec::new(), ..request_consented() }),
        Notice::ReportSubmitted(ReportSubmitted { resubmitted: true, check_by: None, ..report_submitted() }),
        Notice::SettlementBilled(billed(BilledKind::Contribution)),
        Notice::SettlementBilled(billed(BilledKind::Additional)),
        Notice::SettlementBilled(billed(BilledKind::Repayment)),
        Notice::WorkloadNearLimit(load(LoadLimit::YearMinutes(2026), 8_400, 9_000)),
        Notice::WorkloadReached(load(LoadLimit::YearDays(2026), 21, 20)),
        Notice::AppointmentEnding(AppointmentEnding { own: true, recipient: expert(), days_left: 3, ..appointment_ending() }),
        Notice::PauseEnding(PauseEnding { own: false, recipient: office(), ..pause_ending() }),
        Notice::ExpertUnavailable(ExpertUnavailable {
            cause: UnavailableCause::Suspended,
            visits: vec![VisitInQuestion { day: None, applicant: text(TOWN) }],
            ..expert_unavailable()
        }),
        Notice::ClaimOverdue(ClaimOverdue { own: false, recipient: office(), ..claim_overdue() }),
        Notice::ClaimOverdue(ClaimOverdue { kind: BilledKind::Repayment, ..claim_overdue() }),
        Notice::PostingDecided(PostingNews {
            reader: PostingReader::Expert,
            recipient: expert(),
            ..posting_news(PostingStep::Decided)
        }),
        Notice::PostingEnding(posting(PostingReader::Host, town_section())),
        Notice::PostingEnding(posting(PostingReader::Expert, expert())),
        Notice::WebhookDisabled(WebhookDisabled { cause: WebhookCause::Gone, undelivered: 0, ..webhook_disabled() }),
    ];
    all.extend(changed);
    all
}
