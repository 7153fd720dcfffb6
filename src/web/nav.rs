//! Which pages a person finds where: the few of the daily work in the line at the top, all of them in the menu.

use super::tongue::Tongue;
use crate::auth::policy::{
    FileRequests, ManageApiClients, ManageImports, ManageNotifications, ManageUsers, ManageWebhooks, MatchExperts, OwnAccount,
    OwnCalendars, Permission as _, PermissionInfo, ReadAudit, ReadBudgets, ReadCosts, ReadDispatches, ReadDocuments,
    ReadExpertPayments, ReadExperts, ReadNotices, ReadOffers, ReadOrganisations, ReadPools, ReadRequests, ReadSkills,
    ReadStatistics, ReadUsers, ReadWorkload, Role,
};
use crate::auth::principal::Principal;

/// A page that is found by its name.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Address.
    pub path: &'static str,
    ja: &'static str,
    en: &'static str,
    permission: PermissionInfo,
}

impl Entry {
    /// Its name.
    pub fn label(&self, tongue: Tongue) -> &'static str {
        tongue.t(self.ja, self.en)
    }
}

const fn entry(path: &'static str, ja: &'static str, en: &'static str, permission: PermissionInfo) -> Entry {
    Entry { path, ja, en, permission }
}

const HOME: Entry = entry("/", "ホーム", "Home", OwnAccount::INFO);
const REQUESTS: Entry = entry("/requests", "申請", "Requests", ReadRequests::INFO);
const NEW_REQUEST: Entry = entry("/requests/new", "新しい申請", "New request", FileRequests::INFO);
const OFFERS: Entry = entry("/offers", "打診", "Offers", ReadOffers::INFO);
const DISPATCHES: Entry = entry("/dispatches", "派遣", "Dispatches", ReadDispatches::INFO);
const CALENDAR: Entry = entry("/calendar", "予定表", "Calendar", ReadDispatches::INFO);
const VISITS: Entry = entry("/visits", "訪問の一覧", "Visits", ReadDispatches::INFO);
const REPORTS: Entry = entry("/reports", "報告", "Reports", ReadDispatches::INFO);
const EXPERTS: Entry = entry("/experts", "専門家", "Experts", ReadExperts::INFO);
const WORKLOAD: Entry = entry("/workload", "稼働状況", "Workload", ReadWorkload::INFO);
const OWN_WORKLOAD: Entry = entry("/my-workload", "稼働時間", "My hours", ReadWorkload::INFO);
const AVAILABILITY: Entry = entry("/my-availability", "対応できる日時", "My availability", ReadWorkload::INFO);
const PROFILE: Entry = entry("/my-profile", "登録内容", "My profile", ReadWorkload::INFO);
const ALLOCATIONS: Entry = entry("/allocations", "一括配分", "Allocation", MatchExperts::INFO);
const POSTINGS: Entry = entry("/postings", "配属", "Postings", ReadDispatches::INFO);
const STATISTICS: Entry = entry("/statistics", "統計", "Statistics", ReadStatistics::INFO);
const YEAR_END: Entry = entry("/year-end", "年度末の集計", "Year-end table", ReadStatistics::INFO);
const SETTLEMENTS: Entry = entry("/settlements", "精算", "Settlements", ReadCosts::INFO);
const CLAIMS: Entry = entry("/claims", "請求", "Claims", ReadCosts::INFO);
const COST_ITEMS: Entry = entry("/cost-items", "費用の明細", "Cost items", ReadCosts::INFO);
const PAYMENTS: Entry = entry("/expert-payments", "専門家への支払", "Expert payments", ReadExpertPayments::INFO);
const MENU_ORDERS: Entry = entry("/menu-orders", "メニューの発注", "Menu orders", ReadCosts::INFO);
const DOCUMENTS: Entry = entry("/documents", "文書", "Documents", ReadDocuments::INFO);
const CLOSED: Entry = entry("/closed-periods", "締めた月", "Closed months", ReadBudgets::INFO);
const POOLS: Entry = entry("/pools", "人材プール", "Pools", ReadPools::INFO);
const PROGRAMMES: Entry = entry("/programmes", "事業", "Programmes", ReadPools::INFO);
const PRESETS: Entry = entry("/programmes/presets", "事業のひな形", "Programme presets", ReadPools::INFO);
const SKILLS: Entry = entry("/skill-frameworks", "スキルの体系", "Skill frameworks", ReadSkills::INFO);
const ORGANISATIONS: Entry = entry("/organisations", "団体", "Organisations", ReadOrganisations::INFO);
const USERS: Entry = entry("/users", "利用者", "People", ReadUsers::INFO);
const HANDOVER: Entry = entry("/users/hand-over", "異動・引継ぎ", "Hand-over", ManageUsers::INFO);
const IMPORTS: Entry = entry("/imports", "一括取込", "Imports", ManageImports::INFO);
const NOTICES: Entry = entry("/notices", "お知らせ", "Notices", ReadNotices::INFO);
const CHOICES: Entry = entry("/notification-preferences", "お知らせの受け取り方", "How to be told", ReadNotices::INFO);
const MAILS: Entry = entry("/notifications", "送信したメール", "Mails sent", ManageNotifications::INFO);
const SAMPLES: Entry = entry("/notification-templates", "メールの見本", "Mail samples", ManageNotifications::INFO);
const DEAD: Entry = entry("/undeliverable-addresses", "届かないアドレス", "Undeliverable addresses", ManageNotifications::INFO);
const KEPT: Entry = entry("/saved-filters", "残した条件", "Filters kept", OwnAccount::INFO);
const FEEDS: Entry = entry("/calendar-feeds", "予定表の配信", "Calendar feeds", OwnCalendars::INFO);
const WEBHOOKS: Entry = entry("/webhooks", "Webhook", "Webhooks", ManageWebhooks::INFO);
const CLIENTS: Entry = entry("/api-clients", "APIクライアント", "API clients", ManageApiClients::INFO);
const AUDIT: Entry = entry("/audit-events", "監査記録", "Audit trail", ReadAudit::INFO);
const SEAL: Entry = entry("/audit-events/verification", "監査記録の検証", "Audit verification", ReadAudit::INFO);
const ACCOUNT: Entry = entry("/account", "アカウントと安全", "Account and security", OwnAccount::INFO);

/// The pages of the daily work.
fn daily(role: Role) -> &'static [Entry] {
    match role {
        Role::PrefecturalCoordinator => {
            &[HOME, REQUESTS, OFFERS, DISPATCHES, CALENDAR, EXPERTS, WORKLOAD, ALLOCATIONS, SETTLEMENTS, STATISTICS]
        }
        Role::MunicipalStaff | Role::MunicipalApprover => {
            &[HOME, NEW_REQUEST, REQUESTS, DISPATCHES, CALENDAR, REPORTS, EXPERTS, CLAIMS, DOCUMENTS]
        }
        Role::Expert => &[HOME, OFFERS, CALENDAR, AVAILABILITY, OWN_WORKLOAD, REPORTS, PAYMENTS, PROFILE],
        Role::Auditor => &[HOME, REQUESTS, DISPATCHES, SETTLEMENTS, YEAR_END, STATISTICS, DOCUMENTS, AUDIT],
        Role::SystemAdmin | Role::ApiClient => &[HOME, ORGANISATIONS, USERS, CLIENTS, AUDIT],
    }
}

/// The line at the top.
pub fn line(who: &Principal) -> impl Iterator<Item = Entry> {
    let who = who.clone();
    daily(who.role).iter().copied().filter(move |entry| who.may(&entry.permission))
}

/// One part of the menu.
type Part = (&'static str, &'static str, &'static [Entry]);

const MENU: &[Part] = &[
    ("申請と調整", "Requests and matching", &[NEW_REQUEST, REQUESTS, OFFERS, ALLOCATIONS]),
    ("派遣", "Dispatches", &[DISPATCHES, CALENDAR, VISITS, REPORTS, POSTINGS]),
    ("専門家", "Experts", &[EXPERTS, WORKLOAD, OWN_WORKLOAD, AVAILABILITY, PROFILE, SKILLS]),
    ("費用", "Money", &[SETTLEMENTS, CLAIMS, COST_ITEMS, PAYMENTS, MENU_ORDERS, DOCUMENTS, CLOSED]),
    ("集計", "Numbers", &[STATISTICS, YEAR_END]),
    ("事業と団体", "Programmes and bodies", &[POOLS, PROGRAMMES, PRESETS, ORGANISATIONS, USERS, HANDOVER, IMPORTS]),
    ("連絡", "Messages", &[NOTICES, CHOICES, FEEDS, MAILS, SAMPLES, DEAD]),
    ("接続と監査", "Systems and audit", &[CLIENTS, WEBHOOKS, AUDIT, SEAL, KEPT, ACCOUNT]),
];

/// Every page that the person may open, in parts.
pub fn menu(who: &Principal, tongue: Tongue) -> Vec<(&'static str, Vec<Entry>)> {
    let only_experts = [OWN_WORKLOAD.path, AVAILABILITY.path, PROFILE.path];
    MENU.iter()
        .map(|(ja, en, entries)| {
            let seen = entries.iter().copied().filter(|entry| who.may(&entry.permission));
            let seen = seen.filter(|entry| who.role == Role::Expert || !only_experts.contains(&entry.path));
            (tongue.t(ja, en), seen.collect::<Vec<_>>())
        })
        .filter(|(_, entries)| !entries.is_empty())
        .collect()
}

/// Whether an entry is where a page belongs.
pub fn is_here(entry: &Entry, place: &str) -> bool {
    let place = place.split('?').next().unwrap_or(place);
    place == entry.path
        || (entry.path != "/"
            && entry.path != NEW_REQUEST.path
            && place.strip_prefix(entry.path).is_some_and(|rest| rest.starts_with('/'))
            && place != NEW_REQUEST.path)
}
