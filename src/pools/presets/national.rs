//! Schemes of ministries and national bodies.

use super::{Activity, Kind, Preset, PublishedFigure, all_by, base, kinds, yen};
use crate::costs::{Component, FeeTable, Payer, PayerRule};
use crate::error::Error;
use crate::pools::rules::{AllocationTaxRule, Limit, PostingRules, ProgrammeRules};
use crate::pools::surveys::SurveyRule;

pub(super) fn presets() -> Result<Vec<Preset>, Error> {
    Ok(vec![ict_advisor(), regional_creation(), revitalizer()?, regional_power()?, management()])
}

fn ict_advisor() -> Preset {
    Preset {
        code: "mic_regional_advisor".to_owned(),
        name: "地域情報化アドバイザー派遣（総務省の公表内容）".to_owned(),
        expert_title: "地域情報化アドバイザー".to_owned(),
        source: "総務省の公表内容: 旅費・謝金は国が負担。現地は1件3日まで、オンラインのみは合計10時間まで、\
                 同一年度に同じ取組・同じアドバイザーは1回、終了後1週間以内に報告、翌年度に調査。\
                 謝金の単価は公表されていないため、金額を入力してください。"
            .to_owned(),
        figures: Vec::new(),
        rules: ProgrammeRules {
            applicant_kinds: kinds(&[
                Kind::Prefecture,
                Kind::PartialAssociation,
                Kind::WideAreaUnion,
                Kind::Council,
                Kind::University,
                Kind::Npo,
            ]),
            limits: vec![
                Limit::OnsiteDays { max: 3 },
                Limit::OnlineMinutes { max: 600 },
                Limit::SameThemeAndExpert { max_per_year: 1 },
            ],
            fee_table: FeeTable::Undisclosed {},
            // 翌年度に調査: which day is not published, so the first of the year after.
            survey: Some(SurveyRule { month: 4, day: 1, due_days: None, instructions: String::new() }),
            payers: [
                all_by(Payer::NationalBody, &[Component::Honorarium, Component::Travel]),
                all_by(Payer::Host, &[Component::Venue, Component::Materials]),
            ]
            .concat(),
            ..base()
        },
    }
}

fn regional_creation() -> Preset {
    Preset {
        code: "regional_creation_staff".to_owned(),
        name: "地方創生人材支援制度・デジタル専門人材（国の公表内容）".to_owned(),
        expert_title: "デジタル専門人材".to_owned(),
        source:
            "国の公表内容: 期間は6か月～2年。給与の負担と勤務の形は企業と市町村の協定で定めるため、負担区分を入力してください\
                 （ここでは企業が給与、市町村が旅費を負担する例）。"
                .to_owned(),
        figures: Vec::new(),
        rules: ProgrammeRules {
            activity_kinds: vec![Activity::Consultation, Activity::Visit],
            payers: [
                all_by(Payer::Company, &[Component::Salary, Component::Allowance, Component::SocialInsurance]),
                all_by(Payer::Host, &[Component::Travel]),
            ]
            .concat(),
            postings: Some(PostingRules { places_per_host: 10, longest_months: Some(24), days_a_month: None }),
            ..base()
        },
    }
}

fn revitalizer() -> Result<Preset, Error> {
    let by_host = |component| PayerRule { first_paid_by: Some(Payer::Company), ..PayerRule::all(component, Payer::Host) };
    let memo = |label: &str, component, numerator, denominator, cap: i64| -> Result<AllocationTaxRule, Error> {
        Ok(AllocationTaxRule {
            label: label.to_owned(),
            components: vec![component],
            payer: Payer::Host,
            numerator,
            denominator,
            cap_yen: Some(yen(cap)?),
            source: "総務省 地域活性化起業人制度（企業派遣型）の公表内容".to_owned(),
        })
    };
    Ok(Preset {
        code: "regional_revitalizer".to_owned(),
        name: "地域活性化起業人・企業派遣型（総務省の公表内容）".to_owned(),
        expert_title: "地域活性化起業人".to_owned(),
        source: "総務省の公表内容: 期間は6か月～3年、月の半分以上を受入団体で勤務。企業が給与を支払い、市町村が負担金を企業に支払う。\
                 特別交付税の対象は1人年5,600千円まで、事業費は年1,000千円の2分の1、受入準備は1団体1,000千円の2分の1（いずれも見込み）。\
                 複数人の上限は人数に応じて設定してください。"
            .to_owned(),
        figures: vec![
            PublishedFigure { tax_excluded: false, ..PublishedFigure::exact("受入れの上限（1人・年）", 5_600_000) },
            PublishedFigure { tax_excluded: false, ..PublishedFigure::exact("事業費の上限（年）", 1_000_000) },
            PublishedFigure { tax_excluded: false, ..PublishedFigure::exact("受入準備の上限（1団体）", 1_000_000) },
        ],
        rules: ProgrammeRules {
            activity_kinds: vec![Activity::Consultation, Activity::Visit, Activity::ModelProject],
            payers: [
                vec![by_host(Component::Salary), by_host(Component::Allowance), by_host(Component::SocialInsurance)],
                all_by(Payer::Host, &[Component::Travel, Component::Materials, Component::Recruiting]),
            ]
            .concat(),
            allocation_tax: vec![
                memo("受入れに要する負担金", Component::Salary, 1, 1, 5_600_000)?,
                memo("起業人の発案した事業", Component::Materials, 1, 2, 1_000_000)?,
                memo("受入れの準備", Component::Recruiting, 1, 2, 1_000_000)?,
            ],
            postings: Some(PostingRules { places_per_host: 100, longest_months: Some(36), days_a_month: None }),
            ..base()
        },
    })
}

fn regional_power() -> Result<Preset, Error> {
    Ok(Preset {
        code: "regional_power_advisor".to_owned(),
        name: "地域力創造アドバイザー（総務省の公表内容）".to_owned(),
        expert_title: "地域力創造アドバイザー".to_owned(),
        source: "総務省の公表内容: 年度内に延べ10日以上または5回以上（日帰りは6時間以上を1回とする）、最長3年、1市町村1回。\
                 特別交付税の対象は民間の専門家で年5,600千円、先進自治体の職員で年2,400千円まで（見込み）。謝金は市町村が定める。"
            .to_owned(),
        figures: vec![
            PublishedFigure { tax_excluded: false, ..PublishedFigure::exact("上限（民間の専門家・年）", 5_600_000) },
            PublishedFigure {
                tax_excluded: false, ..PublishedFigure::exact("上限（先進自治体の職員・年）", 2_400_000)
            },
        ],
        rules: ProgrammeRules {
            fee_table: FeeTable::Agreed { cap: None },
            payers: all_by(Payer::Host, &[Component::Honorarium, Component::Travel, Component::Venue, Component::Materials]),
            allocation_tax: vec![AllocationTaxRule {
                label: "民間の専門家の招へい".to_owned(),
                components: vec![
                    Component::Honorarium,
                    Component::Travel,
                    Component::Lodging,
                    Component::OvernightAllowance,
                    Component::Materials,
                ],
                payer: Payer::Host,
                numerator: 1,
                denominator: 1,
                cap_yen: Some(yen(5_600_000)?),
                source: "総務省 地域力創造アドバイザー制度の公表内容（年度・財政力により異なる）".to_owned(),
            }],
            ..base()
        },
    })
}

fn management() -> Preset {
    Preset {
        code: "management_finance_advisor".to_owned(),
        name: "経営・財務マネジメント強化事業（総務省・地方公共団体金融機構の公表内容）".to_owned(),
        expert_title: "アドバイザー".to_owned(),
        source: "公表内容: 謝金と旅費は地方公共団体金融機構が全額負担。回数の上限と謝金の単価は公表されていないため、入力してください。".to_owned(),
        figures: Vec::new(),
        rules: ProgrammeRules {
            applicant_kinds: kinds(&[Kind::Prefecture, Kind::PartialAssociation, Kind::WideAreaUnion]),
            fee_table: FeeTable::Undisclosed {},
            payers: [
                all_by(Payer::NationalBody, &[Component::Honorarium, Component::Travel]),
                all_by(Payer::Host, &[Component::Venue, Component::Materials]),
            ]
            .concat(),
            ..base()
        },
    }
}
