//! Published schemes as rule documents to start from. The only place where a scheme's name stands; every figure is one
//! that its source publishes, and what is not published is left for the operator to enter.

use serde::Serialize;
use utoipa::ToSchema;

use super::rules::{Limit, OutcomeCounter, PostingRules, ProgrammeRules};
use crate::costs::{Component, FeeTable, FlatFee, PartUnitRounding, PayerParts, PayerRatio, RemainderRule, Yen};
use crate::error::Error;
use crate::organisations::model::OrganisationKind as Kind;
use crate::requests::model::ActivityKind as Activity;

/// A scheme to start from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Preset {
    /// Stable code.
    #[schema(max_length = 40, example = "shizuoka_ict_expert")]
    pub code: String,
    /// Name in Japanese.
    #[schema(max_length = 200)]
    pub name: String,
    /// What experts are called in it.
    #[schema(max_length = 100)]
    pub expert_title: String,
    /// Where the figures come from, and what the operator still has to enter.
    #[schema(max_length = 2000)]
    pub source: String,
    /// The rules.
    pub rules: ProgrammeRules,
}

const MUNICIPAL: [Kind; 4] = [Kind::City, Kind::SpecialWard, Kind::Town, Kind::Village];

fn kinds(more: &[Kind]) -> Vec<Kind> {
    MUNICIPAL.iter().chain(more).copied().collect()
}

fn prefecture_pays(components: &[Component]) -> Vec<PayerRatio> {
    components
        .iter()
        .map(|component| PayerRatio { component: *component, parts: PayerParts { prefecture: 1, municipality: 0 } })
        .collect()
}

fn host_pays(components: &[Component]) -> Vec<PayerRatio> {
    components
        .iter()
        .map(|component| PayerRatio { component: *component, parts: PayerParts { prefecture: 0, municipality: 1 } })
        .collect()
}

fn base() -> ProgrammeRules {
    ProgrammeRules {
        applicant_kinds: kinds(&[]),
        activity_kinds: vec![Activity::Consultation, Activity::Visit, Activity::Training],
        windows: Vec::new(),
        limits: Vec::new(),
        fee_table: FeeTable::None {},
        payer_ratios: prefecture_pays(&[Component::Honorarium, Component::Travel])
            .into_iter()
            .chain(host_pays(&[Component::Venue, Component::Materials]))
            .collect(),
        remainder: RemainderRule::Prefecture,
        report_due_days: 7,
        outcome_counters: Vec::new(),
        budget_yen: None,
        travel_buffer_minutes: 60,
        offer_valid_hours: 168,
        decider_differs_from_proposer: false,
        amounts_undisclosed: false,
        postings: None,
    }
}

/// All presets.
pub fn all() -> Result<Vec<Preset>, Error> {
    let yen = |amount: i64| Yen::new(amount).map_err(Error::internal);
    Ok(vec![
        Preset {
            code: "shizuoka_ict_expert".to_owned(),
            name: "ICTエキスパート派遣（静岡県の公表内容）".to_owned(),
            expert_title: "ICTエキスパート".to_owned(),
            source: "静岡県の公表事例: 4時間以上は1回20,000円、4時間未満は1時間5,000円、県が報償費と旅費を負担。\
                     1時間に満たない端数の扱いは公表されていないため、ここでは切捨てとしています。要綱に合わせて設定してください。"
                .to_owned(),
            rules: ProgrammeRules {
                applicant_kinds: kinds(&[Kind::BoardOfEducation, Kind::School, Kind::University, Kind::Npo]),
                fee_table: FeeTable::Timed {
                    unit_minutes: 60,
                    rate: yen(5_000)?,
                    part_unit: PartUnitRounding::FloorToUnit,
                    flat_from: Some(FlatFee { from_minutes: 240, amount: yen(20_000)? }),
                },
                ..base()
            },
        },
        Preset {
            code: "mic_regional_advisor".to_owned(),
            name: "地域情報化アドバイザー派遣（総務省の公表内容）".to_owned(),
            expert_title: "地域情報化アドバイザー".to_owned(),
            source: "総務省の公表内容: 現地は1件3日まで、オンラインのみは合計10時間まで、同一年度に同じ取組・同じアドバイザーは1回、\
                     終了後1週間以内に報告、翌年度に調査。謝金の単価は公表されていないため、金額を入力してください。"
                .to_owned(),
            rules: ProgrammeRules {
                applicant_kinds: kinds(&[
                    Kind::Prefecture, Kind::PartialAssociation, Kind::WideAreaUnion, Kind::Council, Kind::University, Kind::Npo,
                ]),
                limits: vec![
                    Limit::OnsiteDays { max: 3 },
                    Limit::OnlineMinutes { max: 600 },
                    Limit::SameThemeAndExpert { max_per_year: 1 },
                ],
                fee_table: FeeTable::Undisclosed {},
                ..base()
            },
        },
        Preset {
            code: "ehime_council_pool".to_owned(),
            name: "高度デジタル人材シェアリング（愛媛県の公表内容）".to_owned(),
            expert_title: "専門官".to_owned(),
            source: "愛媛県・市町DX推進会議の公表内容: 会議が共同で人材を確保。運営費は非公表のため、金額は所有者以外に表示されません。".to_owned(),
            rules: ProgrammeRules {
                activity_kinds: vec![
                    Activity::Consultation, Activity::Visit, Activity::Training, Activity::ModelProject, Activity::Community,
                ],
                fee_table: FeeTable::Undisclosed {},
                amounts_undisclosed: true,
                ..base()
            },
        },
        Preset {
            code: "hiroshima_posting".to_owned(),
            name: "共通人材の配属（広島県の公表内容）".to_owned(),
            expert_title: "共通人材".to_owned(),
            source: "広島県の公表内容: 県が採用し、地方自治法第252条の17により市町へ派遣。1市町に1人から、順次2人へ。給与は県が支払い市町が負担金を納付。".to_owned(),
            rules: ProgrammeRules {
                activity_kinds: vec![Activity::Consultation, Activity::Visit],
                postings: Some(PostingRules { places_per_host: 2, longest_months: None }),
                ..base()
            },
        },
        Preset {
            code: "side_job_advisors".to_owned(),
            name: "複業アドバイザー（三宅町の公表内容）".to_owned(),
            expert_title: "複業アドバイザー".to_owned(),
            source: "三宅町の公表内容: 4か月を1期とし、会議7回で課題84件・解決アイデア173件を整理。無報酬とすることができる。".to_owned(),
            rules: ProgrammeRules {
                outcome_counters: vec![
                    OutcomeCounter { code: "meetings".to_owned(), label: "会議".to_owned() },
                    OutcomeCounter { code: "issues".to_owned(), label: "抽出した課題".to_owned() },
                    OutcomeCounter { code: "ideas".to_owned(), label: "解決アイデア".to_owned() },
                ],
                ..base()
            },
        },
    ])
}
