//! What each tag holds together.

/// Japanese and English.
pub(super) fn description(tag: &str) -> &'static str {
    match tag {
        "auth" => "サインイン、セッション、所属の切替え / Sign-in, sessions, active membership",
        "api-clients" => "プログラムからの利用（APIキー） / Programs and their keys",
        "organisations" => "団体 / Organisations",
        "users" => "利用者と所属 / People and memberships",
        "pools" => "人材プール / Talent pools",
        "programmes" => "事業と年度ごとの規則 / Programmes and their yearly rules",
        "experts" => "専門家 / Experts",
        "skill-frameworks" => "スキル標準 / Skill frameworks",
        "requests" => "派遣申請 / Dispatch requests",
        "offers" => "専門家への依頼 / Offers to experts",
        "dispatches" => "派遣決定 / Decided dispatches",
        "visits" => "訪問（回） / Visits",
        "allocations" => "全体計画（割当ての最適化） / Plan-wide allocation",
        "postings" => "配属 / Long placements",
        "reports" => "実績報告 / Activity reports",
        "cost-items" => "費用と負担 / Costs and shares",
        "statistics" => "統計 / Counts",
        "notifications" => "お知らせとメール / Notices and mail",
        "calendars" => "カレンダー / Calendars",
        "webhooks" => "Webhook / Webhooks",
        "today" => "今日やること / What is to be done today",
        "audit-events" => "監査記録 / Audit events",
        "imports" => "取込み / Imports",
        "exports" => "書出し / Exports",
        _ => "運用 / Operation",
    }
}
