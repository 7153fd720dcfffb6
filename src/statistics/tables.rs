//! The statistics as tables: each made from the view that is also sent as JSON, so that a file never says anything else.

use super::model::DispatchBreakdown;
use super::sheet::{Cell, Column, ColumnKind, Sheet};
use super::views::{
    CostStatistics, CoverageFigures, CoverageStatistics, DispatchFigures, DispatchStatistics, WorkloadStatistics,
};
use crate::calendar::FiscalYear;

const fn column(key: &'static str, label_ja: &'static str, label_en: &'static str, kind: ColumnKind) -> Column {
    Column { key, label_ja, label_en, kind }
}

/// Short name of a fiscal year by its starting year.
fn short(year: i32) -> String {
    FiscalYear::new(year).map_or_else(|_| year.to_string(), FiscalYear::short)
}

/// `R1-R6`, or `R6` for a single year: part of file names and titles.
pub fn span(from: i32, to: i32) -> String {
    if from == to { short(from) } else { format!("{}-{}", short(from), short(to)) }
}

fn percent(permille: Option<i64>) -> Cell {
    permille.map_or(Cell::Empty, |thousandths| Cell::Percent(thousandths * 10))
}

fn yes(flag: bool) -> Cell {
    Cell::from(if flag { "見込" } else { "" })
}

/// The dispatch table: its parts where it is divided, else one row for each year and one for the period.
pub fn dispatches(view: &DispatchStatistics) -> Sheet {
    match view.by {
        None => dispatch_years(view),
        Some(by) => dispatch_parts(view, by),
    }
}

fn dispatch_years(view: &DispatchStatistics) -> Sheet {
    use ColumnKind::{Date, Integer, Text};
    let columns = vec![
        column("fiscal_year", "年度", "Fiscal year", Text),
        column("organisations", "団体数", "Organisations", Integer),
        column("visits", "派遣回数", "Visits", Integer),
        column("experts", "専門家数", "Experts", Integer),
        column("minutes", "時間（分）", "Minutes", Integer),
        column("is_estimate", "見込", "Estimate", Text),
        column("as_of", "基準日", "As of", Date),
        column("ahead_visits", "うち基準日後・今後の予定（回）", "Visits ahead", Integer),
        column("ahead_minutes", "同（分）", "Minutes ahead", Integer),
        column("consultation_organisations", "相談：団体数", "Consultations: organisations", Integer),
        column("consultation_visits", "相談：回数", "Consultations", Integer),
        column("consultation_experts", "相談：専門家数", "Consultations: experts", Integer),
    ];
    let ahead = |planned: Option<DispatchFigures>, expected: Option<DispatchFigures>| {
        let figures = planned.or(expected);
        [Cell::from(figures.map(|f| f.visits)), Cell::from(figures.map(|f| f.minutes))]
    };
    let mut rows: Vec<Vec<Cell>> = view
        .years
        .iter()
        .map(|year| {
            let [ahead_visits, ahead_minutes] = ahead(year.planned, year.expected);
            vec![
                Cell::from(year.label.as_str()),
                year.organisations.into(),
                year.visits.into(),
                year.experts.into(),
                year.minutes.into(),
                yes(year.is_estimate),
                year.as_of.into(),
                ahead_visits,
                ahead_minutes,
                year.consultations.organisations.into(),
                year.consultations.visits.into(),
                year.consultations.experts.into(),
            ]
        })
        .collect();
    let total = &view.total;
    let [ahead_visits, ahead_minutes] = ahead(total.planned, total.expected);
    rows.push(vec![
        Cell::from("期間計（団体・専門家は実数）"),
        total.organisations.into(),
        total.visits.into(),
        total.experts.into(),
        total.minutes.into(),
        yes(total.is_estimate),
        view.as_of.filter(|_| total.is_estimate).into(),
        ahead_visits,
        ahead_minutes,
        total.consultations.organisations.into(),
        total.consultations.visits.into(),
        total.consultations.experts.into(),
    ]);
    Sheet { title: format!("派遣実績 {}", span(view.from_fiscal_year, view.to_fiscal_year)), columns, rows }
}

fn dispatch_parts(view: &DispatchStatistics, by: DispatchBreakdown) -> Sheet {
    use ColumnKind::{Code, Integer, Text};
    let mut columns = vec![column("fiscal_year", "年度", "Fiscal year", Text)];
    match by {
        DispatchBreakdown::Organisation => columns.extend([
            column("lg_code", "団体コード", "Code", Code),
            column("label", "団体名", "Organisation", Text),
            column("participations", "参加回数（延べ）", "Participations", Integer),
            column("participation_minutes", "時間（延べ分）", "Participation minutes", Integer),
            column("experts", "専門家数", "Experts", Integer),
        ]),
        DispatchBreakdown::Expert => columns.extend([
            column("key", "専門家番号", "Expert id", Code),
            column("label", "専門家", "Expert", Text),
            column("participations", "従事回数（延べ）", "Participations", Integer),
            column("participation_minutes", "時間（延べ分）", "Participation minutes", Integer),
            column("organisations", "団体数", "Organisations", Integer),
        ]),
        DispatchBreakdown::Mode | DispatchBreakdown::Month | DispatchBreakdown::Activity => columns.extend([
            match by {
                DispatchBreakdown::Mode => column("label", "形態", "Mode", Text),
                DispatchBreakdown::Month => column("label", "月", "Month", Text),
                _ => column("label", "活動区分", "Activity", Text),
            },
            column("visits", "派遣回数", "Visits", Integer),
            column("minutes", "時間（分）", "Minutes", Integer),
            column("organisations", "団体数", "Organisations", Integer),
            column("experts", "専門家数", "Experts", Integer),
        ]),
    }
    let rows = view
        .parts
        .iter()
        .flatten()
        .map(|part| {
            let mut cells = vec![Cell::from(short(part.fiscal_year))];
            match by {
                DispatchBreakdown::Organisation => cells.extend([
                    part.lg_code.clone().into(),
                    part.label.as_str().into(),
                    part.participations.into(),
                    part.participation_minutes.into(),
                    part.experts.into(),
                ]),
                DispatchBreakdown::Expert => cells.extend([
                    part.key.as_str().into(),
                    part.label.as_str().into(),
                    part.participations.into(),
                    part.participation_minutes.into(),
                    part.organisations.into(),
                ]),
                DispatchBreakdown::Mode | DispatchBreakdown::Month | DispatchBreakdown::Activity => cells.extend([
                    Cell::from(part.label.as_str()),
                    part.visits.into(),
                    part.minutes.into(),
                    part.organisations.into(),
                    part.experts.into(),
                ]),
            }
            cells
        })
        .collect();
    Sheet {
        title: format!("派遣実績（{}） {}", by.label_ja(), span(view.from_fiscal_year, view.to_fiscal_year)), columns, rows
    }
}

/// The months of a fiscal year as column keys and headings, April first.
const MONTHS: [(&str, &str, &str, &str); 12] = [
    ("04", "minutes_04", "4月（分）", "April (minutes)"),
    ("05", "minutes_05", "5月（分）", "May (minutes)"),
    ("06", "minutes_06", "6月（分）", "June (minutes)"),
    ("07", "minutes_07", "7月（分）", "July (minutes)"),
    ("08", "minutes_08", "8月（分）", "August (minutes)"),
    ("09", "minutes_09", "9月（分）", "September (minutes)"),
    ("10", "minutes_10", "10月（分）", "October (minutes)"),
    ("11", "minutes_11", "11月（分）", "November (minutes)"),
    ("12", "minutes_12", "12月（分）", "December (minutes)"),
    ("01", "minutes_01", "1月（分）", "January (minutes)"),
    ("02", "minutes_02", "2月（分）", "February (minutes)"),
    ("03", "minutes_03", "3月（分）", "March (minutes)"),
];

/// The workload table; the month columns hold minutes done and ahead.
pub fn workload(view: &WorkloadStatistics) -> Sheet {
    use ColumnKind::{Code, Integer, Percent, Text};
    let mut columns = vec![
        column("expert_id", "専門家番号", "Expert id", Code),
        column("name", "専門家", "Expert", Text),
        column("done_visits", "実施回数", "Visits done", Integer),
        column("done_minutes", "実施時間（分）", "Minutes done", Integer),
        column("planned_visits", "予定回数", "Visits ahead", Integer),
        column("planned_minutes", "予定時間（分）", "Minutes ahead", Integer),
        column("days", "日数", "Days", Integer),
        column("capacity_minutes", "年間上限（分）", "Capacity (minutes)", Integer),
        column("capacity_days", "年間上限（日）", "Capacity (days)", Integer),
        column("capacity_taken", "稼働率", "Capacity taken", Percent),
    ];
    columns.extend(MONTHS.iter().map(|(_, key, ja, en)| column(key, ja, en, Integer)));
    let rows = view
        .experts
        .iter()
        .map(|expert| {
            let mut cells = vec![
                Cell::from(expert.expert_id.to_string()),
                expert.name.as_str().into(),
                expert.done_visits.into(),
                expert.done_minutes.into(),
                expert.planned_visits.into(),
                expert.planned_minutes.into(),
                expert.days.into(),
                expert.capacity_minutes.into(),
                expert.capacity_days.map(i64::from).into(),
                percent(expert.capacity_taken_permille),
            ];
            cells.extend(MONTHS.iter().map(|(number, ..)| {
                let month = expert.months.iter().find(|month| month.month.ends_with(&format!("-{number}")));
                Cell::Int(month.map_or(0, |month| month.done_minutes + month.planned_minutes))
            }));
            cells
        })
        .collect();
    Sheet { title: format!("専門家の稼働 {}", view.label), columns, rows }
}

/// The coverage table: every member municipality, then the size classes and the whole.
pub fn coverage(view: &CoverageStatistics) -> Sheet {
    use ColumnKind::{Code, Date, Integer, Percent, Text};
    let columns = vec![
        column("lg_code", "団体コード", "Code", Code),
        column("name", "団体名・区分", "Organisation or class", Text),
        column("band", "人口規模", "Size class", Text),
        column("population", "人口", "Population", Integer),
        column("population_as_of", "人口の基準日", "Population as of", Date),
        column("participations", "参加回数（延べ）", "Participations", Integer),
        column("first_served", "初回利用年度", "First served", Text),
        column("last_served", "最終利用年度", "Last served", Text),
        column("members", "会員市町村数", "Members", Integer),
        column("served", "期間内利用数", "Served in the period", Integer),
        column("never_served", "未利用数", "Never served", Integer),
        column("served_share", "利用率", "Share served", Percent),
        column("never_served_before_share", "未利用率（期間前）", "Never served before", Percent),
        column("never_served_share", "未利用率（期間末）", "Never served", Percent),
    ];
    let mut rows: Vec<Vec<Cell>> = view
        .organisations
        .iter()
        .map(|organisation| {
            let mut cells = vec![
                organisation.lg_code.clone().into(),
                organisation.name.as_str().into(),
                organisation.band.label_ja().into(),
                organisation.population.into(),
                organisation.population_as_of.into(),
                organisation.participations.into(),
                organisation.first_served_fiscal_year.map(short).into(),
                organisation.last_served_fiscal_year.map(short).into(),
            ];
            cells.extend(std::iter::repeat_n(Cell::Empty, 6));
            cells
        })
        .collect();
    let summary = |label: &str, figures: &CoverageFigures| {
        let mut cells = vec![Cell::Empty, Cell::from(label)];
        cells.extend(std::iter::repeat_n(Cell::Empty, 6));
        cells.extend([
            figures.members.into(),
            figures.served.into(),
            figures.never_served.into(),
            percent(figures.served_permille),
            percent(figures.never_served_before_permille),
            percent(figures.never_served_permille),
        ]);
        cells
    };
    rows.extend(view.bands.iter().map(|band| summary(&band.label, &band.figures)));
    rows.push(summary("全体", &view.all));
    Sheet { title: format!("利用状況 {}", span(view.from_fiscal_year, view.to_fiscal_year)), columns, rows }
}

/// The cost table: by component, by payer, by who bears it; each block adds up to the total where all is disclosed.
pub fn costs(view: &CostStatistics) -> Sheet {
    use ColumnKind::{Code, Text, Yen};
    let columns = vec![
        column("block", "区分", "Block", Text),
        column("lg_code", "団体コード", "Code", Code),
        column("label", "費目・負担者", "Component or payer", Text),
        column("amount_yen", "金額（円）", "Amount (yen)", Yen),
    ];
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut push =
        |block: &str, code: Option<String>, label: &str, yen: Cell| rows.push(vec![block.into(), code.into(), label.into(), yen]);
    for sum in &view.components {
        push("費目別", None, &sum.label, sum.amount_yen.into());
    }
    for sum in &view.budget_items {
        push("節別", None, &format!("{} {}", sum.number, sum.label), sum.amount_yen.into());
    }
    for sum in &view.payers {
        push("負担区分別", None, &sum.label, sum.amount_yen.into());
    }
    for sum in &view.organisations {
        push("団体別", sum.lg_code.clone(), &sum.name, sum.amount_yen.into());
    }
    let note = if view.amounts_undisclosed && view.total_yen.is_none() {
        "合計（非公開）"
    } else if view.is_partial {
        "合計（非公開分を除く）"
    } else if view.is_approximate {
        "合計（概数を含む）"
    } else {
        "合計"
    };
    push("合計", None, note, view.total_yen.into());
    Sheet { title: format!("費用 {}", short(view.fiscal_year)), columns, rows }
}

#[cfg(test)]
mod tests {
    use super::super::model::CoverageBand;
    use super::super::views::{
        CoverageBandView, CoverageOrganisation, DispatchPart, DispatchTotal, DispatchYear, ExpertWorkload,
        WorkloadStatisticsMonth,
    };
    use super::*;
    use crate::ids::{ExpertId, OrganisationId, PoolId, ProgrammeId};

    const NONE: DispatchFigures = DispatchFigures { organisations: 0, visits: 0, experts: 0, minutes: 0 };

    fn sample(by: Option<DispatchBreakdown>) -> DispatchStatistics {
        DispatchStatistics {
            programme_id: ProgrammeId(1),
            programme_name: "事業".into(),
            from_fiscal_year: 2024,
            to_fiscal_year: 2024,
            activities: Vec::new(),
            as_of: None,
            years: vec![DispatchYear {
                fiscal_year: 2024,
                label: "R6".into(),
                organisations: 2,
                visits: 5,
                experts: 2,
                minutes: 600,
                is_estimate: false,
                as_of: None,
                planned: Some(NONE),
                expected: None,
                consultations: NONE,
            }],
            total: DispatchTotal {
                organisations: 2,
                visits: 5,
                experts: 2,
                minutes: 600,
                is_estimate: false,
                planned: Some(NONE),
                expected: None,
                consultations: NONE,
            },
            by,
            parts: by.map(|_| {
                vec![DispatchPart {
                    fiscal_year: 2024,
                    key: "9".into(),
                    label: "浜松市".into(),
                    lg_code: Some("221309".into()),
                    visits: None,
                    minutes: None,
                    participations: Some(3),
                    participation_minutes: Some(300),
                    organisations: None,
                    experts: Some(1),
                }]
            }),
        }
    }

    fn is_rectangular(sheet: &Sheet) {
        for row in &sheet.rows {
            assert_eq!(row.len(), sheet.columns.len(), "{}", sheet.title);
        }
        let mut keys: Vec<_> = sheet.columns.iter().map(|c| c.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), sheet.columns.len(), "keys are unique");
    }

    #[test]
    fn the_dispatch_table_ends_with_the_period() {
        let sheet = dispatches(&sample(None));
        is_rectangular(&sheet);
        assert_eq!(sheet.title, "派遣実績 R6");
        assert_eq!(sheet.rows.len(), 2);
        assert_eq!(sheet.rows[0][0], Cell::from("R6"));
        for by in DispatchBreakdown::ALL {
            let sheet = dispatches(&sample(Some(*by)));
            is_rectangular(&sheet);
            assert_eq!(sheet.rows.len(), 1);
        }
        let sheet = dispatches(&sample(Some(DispatchBreakdown::Organisation)));
        assert_eq!(sheet.rows[0][1..4], [Cell::from("221309"), Cell::from("浜松市"), Cell::Int(3)]);
    }

    #[test]
    fn workload_has_a_column_for_each_month() {
        let month = |month: &str, done| WorkloadStatisticsMonth {
            month: month.into(),
            done_visits: 1,
            done_minutes: done,
            planned_visits: 0,
            planned_minutes: 30,
        };
        let view = WorkloadStatistics {
            pool_id: PoolId(1),
            programme_id: None,
            fiscal_year: 2024,
            label: "R6".into(),
            experts: vec![ExpertWorkload {
                expert_id: ExpertId(3),
                name: "見本".into(),
                status: "registered".into(),
                done_visits: 2,
                done_minutes: 300,
                planned_visits: 0,
                planned_minutes: 60,
                days: 2,
                capacity_minutes: Some(720),
                capacity_days: None,
                capacity_taken_permille: Some(500),
                months: vec![month("2024-04", 120), month("2025-03", 180)],
            }],
        };
        let sheet = workload(&view);
        is_rectangular(&sheet);
        assert_eq!(sheet.columns.len(), 22);
        assert_eq!(sheet.rows[0][9], Cell::Percent(5_000));
        assert_eq!((&sheet.rows[0][10], &sheet.rows[0][21]), (&Cell::Int(150), &Cell::Int(210)));
    }

    #[test]
    fn coverage_lists_bodies_then_classes_then_the_whole() {
        let figures = CoverageFigures { members: 1, served: 1, served_permille: Some(1_000), ..CoverageFigures::default() };
        let view = CoverageStatistics {
            programme_id: ProgrammeId(1),
            programme_name: "事業".into(),
            from_fiscal_year: 2019,
            to_fiscal_year: 2024,
            members_on: chrono::NaiveDate::default(),
            all: figures,
            bands: vec![CoverageBandView { band: CoverageBand::Unknown, label: "人口未登録".into(), figures }],
            organisations: vec![CoverageOrganisation {
                organisation_id: OrganisationId(1),
                lg_code: Some("221309".into()),
                name: "浜松市".into(),
                population: None,
                population_as_of: None,
                band: CoverageBand::Unknown,
                participations: 4,
                first_served_fiscal_year: Some(2019),
                last_served_fiscal_year: Some(2023),
            }],
        };
        let sheet = coverage(&view);
        is_rectangular(&sheet);
        assert_eq!((sheet.title.as_str(), sheet.rows.len()), ("利用状況 R1-R6", 3));
        assert_eq!(sheet.rows[0][3], Cell::Empty, "an unknown population is not zero");
        assert_eq!(sheet.rows[2][1], Cell::from("全体"));
    }

    #[test]
    fn undisclosed_costs_have_no_total() {
        let view = CostStatistics {
            programme_id: ProgrammeId(1),
            programme_name: "事業".into(),
            fiscal_year: 2024,
            is_partial: true,
            is_approximate: false,
            amounts_undisclosed: true,
            total_yen: None,
            components: Vec::new(),
            budget_items: Vec::new(),
            payers: Vec::new(),
            organisations: Vec::new(),
            open_items: None,
        };
        let sheet = costs(&view);
        is_rectangular(&sheet);
        assert_eq!(sheet.rows, [vec![Cell::from("合計"), Cell::Empty, Cell::from("合計（非公開）"), Cell::Empty]]);
    }
}
