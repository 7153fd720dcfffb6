use super::*;
use crate::imports::cells::tests::csv;
use crate::imports::directory::tests::body;

const HEAD: &str = "年度,日付,団体名,専門家氏名,専門家メール,時間（分）,形態,区分,状態,番号\n";

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn expert(id: i64, name: &str, email: &str, retired: bool) -> RosterExpert {
    RosterExpert { id: ExpertId(id), name: name.into(), alternative_name: String::new(), email: email.into(), retired }
}

fn read(rows: &str) -> Ledger {
    read_as(HEAD, rows)
}

fn read_as(head: &str, rows: &str) -> Ledger {
    let directory = Directory::new(
        vec![body(1, "221309", "浜松市", 22), body(2, "222119", "磐田市", 22), body(3, "222160", "袋井市", 22)],
        Some(OrganisationId(22)),
        &[],
    );
    let experts = [
        expert(1, "見本 太郎", "taro@example.jp", false),
        expert(2, "同名 花子", "h1@example.jp", false),
        expert(3, "同名花子", "h2@example.jp", false),
        expert(4, "昔 次郎", "old@example.jp", true),
    ];
    check(
        &csv(&format!("{head}{rows}")),
        &LedgerWorld {
            programme: ProgrammeId(9),
            directory: &directory,
            experts: &experts,
            today: day(2025, 1, 31),
            preview_rows: 20,
        },
    )
}

fn problems(ledger: Ledger) -> Vec<String> {
    ledger.checked.problems.into_list().into_iter().map(|p| format!("{} {} {}", p.line, p.column, p.code)).collect()
}

#[test]
fn a_row_becomes_a_visit() {
    let ledger = read("R6,R6.5.10,浜松市、磐田市,見本太郎,,120,現地,研修,実施,\n");
    assert!(ledger.checked.problems.is_empty() && ledger.new_experts.is_empty());
    let (line, visit) = &ledger.checked.rows[0];
    assert_eq!((*line, visit.day, visit.minutes), (2, day(2024, 5, 10), 120));
    assert_eq!(visit.organisations, [OrganisationId(1), OrganisationId(2)]);
    assert_eq!((visit.expert, visit.mode), (LedgerExpert::Known(ExpertId(1)), Mode::Onsite));
    assert_eq!((visit.activity, visit.status), (ActivityKind::Training, LedgerStatus::Done));
    let shown: Vec<&str> = ledger.checked.preview[0].values.iter().map(|v| v.value.as_str()).collect();
    assert_eq!(shown, ["R6", "2024-05-10", "浜松市、磐田市", "見本 太郎", "120", "現地", "研修", "実施"]);
}

#[test]
fn an_empty_kind_is_a_visit_and_an_empty_state_is_done() {
    let visit = read("2024,2024-05-10,浜松市,見本太郎,,60,online,,,\n").checked.rows.remove(0).1;
    assert_eq!((visit.activity, visit.status, visit.mode), (ActivityKind::Visit, LedgerStatus::Done, Mode::Online));
}

#[test]
fn the_year_must_be_that_of_the_date() {
    assert_eq!(problems(read("R5,R6.5.10,浜松市,見本太郎,,60,現地,,,\n")), ["2 年度 fiscal_year_mismatch"]);
    assert_eq!(problems(read("R6,2025-03-31,浜松市,見本太郎,,60,現地,,予定,\n")), Vec::<String>::new());
    assert_eq!(problems(read("平成31年度,2019-04-02,浜松市,見本太郎,,60,現地,,,\n")), Vec::<String>::new());
    assert_eq!(problems(read("先年度,2019-04-02,浜松市,見本太郎,,60,現地,,,\n")), ["2 年度 not_a_fiscal_year"]);
}

#[test]
fn every_problem_of_every_row_is_named() {
    let wrong = problems(read(
        "R6,,無市,見本太郎,,60,現地,,,\nR6,R6.4.31,浜松市,,x,0,電話,宴会,中止,\nR6,2025-02-01,浜松市,見本太郎,,60,現地,,実施,\n",
    ));
    assert_eq!(
        wrong,
        [
            "2 日付 required",
            "3 日付 no_such_day",
            "3 時間（分） out_of_range",
            "3 形態 unknown_value",
            "3 区分 unknown_value",
            "3 状態 unknown_value",
            "3 専門家氏名 required",
            "3 専門家メール not_an_address",
            "4 状態 not_yet",
        ]
    );
}

#[test]
fn an_expert_who_is_no_longer_in_the_pool_is_kept_as_retired() {
    let ledger = read(
        "R5,2023-05-10,浜松市,去 三郎,,60,現地,,,\nR6,2024-06-01,磐田市,去三郎,,60,現地,,,\nR6,2024-06-02,磐田市,昔次郎,,60,現地,,,\n",
    );
    assert!(ledger.checked.problems.is_empty());
    assert_eq!(ledger.new_experts.len(), 1);
    let new = &ledger.new_experts[0];
    assert_eq!((new.name.as_str(), new.first_day, new.last_day), ("去 三郎", day(2023, 5, 10), day(2024, 6, 1)));
    assert!(new.address().ends_with(".invalid"));
    assert_eq!(ledger.checked.rows[1].1.expert, LedgerExpert::New(0));
    assert_eq!(ledger.checked.rows[2].1.expert, LedgerExpert::Known(ExpertId(4)));
    assert_eq!(ledger.checked.preview[1].notes.len(), 2, "registered as retired, and with a placeholder");
    assert!(ledger.checked.preview[2].notes.is_empty());
}

#[test]
fn namesakes_are_told_apart_by_address_or_refused() {
    assert_eq!(problems(read("R6,2024-06-02,浜松市,同名花子,,60,現地,,,\n")), ["2 専門家氏名 ambiguous_expert"]);
    let ledger = read("R6,2024-06-02,浜松市,同名花子,H2@example.jp,60,現地,,,\n");
    assert_eq!(ledger.checked.rows[0].1.expert, LedgerExpert::Known(ExpertId(3)));
    assert_eq!(problems(read("R6,2024-06-02,浜松市,見本太郎,other@example.jp,60,現地,,,\n")), ["2 専門家メール address_differs"]);
}

#[test]
fn the_same_visit_twice_in_a_file_is_refused_unless_numbered() {
    let row = "R6,2024-06-02,浜松市,見本太郎,,60,現地,,,";
    assert_eq!(problems(read(&format!("{row}\n{row}\n"))), ["3 日付 repeated_row"]);
    let ledger = read(&format!("{row}1\n{row}2\n"));
    assert_eq!((ledger.checked.rows.len(), ledger.checked.problems.len()), (2, 0));
}

#[test]
fn a_file_applied_before_is_refused_row_by_row() {
    let rows = "R6,2024-06-02,浜松市,見本太郎,,60,現地,,,\nR6,2024-06-03,浜松市,見本太郎,,60,現地,,,\nR6,2024-06-04,浜松市,見本太郎,,60,現地,,,\n";
    let keys = HashMap::from([(read(rows).checked.rows[0].1.key.clone(), false)]);
    let recorded = HashSet::from([(day(2024, 6, 4), ExpertId(1), OrganisationId(1))]);
    let mut again = read(rows);
    refuse_recorded(&mut again, &keys, &recorded);
    assert_eq!(again.checked.rows.len(), 1);
    assert_eq!(again.checked.preview.len(), 1);
    assert_eq!(problems(again), ["2 日付 already_imported", "4 日付 already_recorded"]);
}

#[test]
fn bodies_are_named_by_code_or_name_and_both_must_agree() {
    let head = "年度,日付,団体コード,団体名,専門家,分,形態\n";
    let bodies = |row: &str| read_as(head, row).checked.rows.first().map(|(_, visit)| visit.organisations.clone());
    assert_eq!(bodies("R6,2024-06-02,221309、222119,,見本太郎,60,現地\n"), Some(vec![OrganisationId(1), OrganisationId(2)]));
    assert_eq!(bodies("R6,2024-06-02,221309,浜松,見本太郎,60,現地\n"), Some(vec![OrganisationId(1)]), "spelling is forgiven");
    assert_eq!(problems(read_as(head, "R6,2024-06-02,221309,磐田市,見本太郎,60,現地\n")), ["2 団体名 code_and_name_differ"]);
    assert_eq!(problems(read_as(head, "R6,2024-06-02,221300,,見本太郎,60,現地\n")), ["2 団体コード lg_code_check_digit"]);
    assert_eq!(problems(read_as(head, "R6,2024-06-02,,,見本太郎,60,現地\n")), ["2 団体名 required"]);
    assert_eq!(problems(read_as("年度,日付,専門家,分,形態\n", "R6,2024-06-02,見本太郎,60,現地\n")), ["1 団体名 missing_column"]);
}
