//! Schemes of prefectures, and of single municipalities.

use super::{Activity, Kind, Preset, PublishedFigure, all_by, base, kinds, yen};
use crate::costs::{Component, FeeTable, FlatFee, PartUnitRounding, Payer, PayerRule, Portion};
use crate::error::Error;
use crate::pools::rules::{AllocationTaxRule, OutcomeCounter, PostingRules, ProgrammeRules, ServiceMenu};

pub(super) fn presets() -> Result<Vec<Preset>, Error> {
    Ok(vec![
        shizuoka()?,
        osaka_advisor()?,
        osaka_sharing()?,
        hiroshima()?,
        ehime(),
        miyake(),
        nagai(),
        aichi(),
        oita()?,
        fukushima()?,
    ])
}

fn shizuoka() -> Result<Preset, Error> {
    Ok(Preset {
        code: "shizuoka_ict_expert".to_owned(),
        name: "ICTエキスパート派遣（静岡県の公表内容）".to_owned(),
        expert_title: "ICTエキスパート".to_owned(),
        source: "静岡県の公表事例: 4時間以上は1回20,000円、4時間未満は1時間5,000円、県が報償費と旅費を負担。\
                 1時間に満たない端数の扱いは公表されていないため、ここでは切捨てとしています。要綱に合わせて設定してください。\
                 旅費は県職員旅費規程によるため、規程の内容を入力してください。"
            .to_owned(),
        figures: Vec::new(),
        rules: ProgrammeRules {
            applicant_kinds: kinds(&[Kind::BoardOfEducation, Kind::School, Kind::University, Kind::Npo]),
            fee_table: FeeTable::timed(
                60,
                yen(5_000)?,
                PartUnitRounding::FloorToUnit,
                Some(FlatFee { from_minutes: 240, amount: yen(20_000)? }),
            ),
            ..base()
        },
    })
}

fn osaka_advisor() -> Result<Preset, Error> {
    Ok(Preset {
        code: "osaka_dx_advisor".to_owned(),
        name: "DX推進アドバイザー（大阪府の公表内容）".to_owned(),
        expert_title: "DX推進アドバイザー".to_owned(),
        source: "大阪府の公表事例: 府がコンサルティング会社に委託し、府職員とともに市町村を支援。委託料は府が全額負担。\
                 運営費9,000千円（税抜）は選定費用約59千円と別に公表されています。"
            .to_owned(),
        figures: vec![
            PublishedFigure::exact("運営費（DX推進アドバイザー）", 9_000_000),
            PublishedFigure::exact("予算（DX推進アドバイザー）", 10_071_000),
        ],
        rules: ProgrammeRules { payers: all_by(Payer::Prefecture, &[Component::VendorFee, Component::Recruiting]), ..base() },
    })
}

fn osaka_sharing() -> Result<Preset, Error> {
    Ok(Preset {
        code: "osaka_menu_sharing".to_owned(),
        name: "大阪版デジタル人材シェアリング（大阪府の公表内容）".to_owned(),
        expert_title: "支援事業者".to_owned(),
        source: "大阪府の公表事例: 府が事業者を選定し、各市町村が支援メニューごとに契約、府が2分の1を補助。\
                 1メニュー約1,091千円、23件で約25,088千円、選定費用約59千円（いずれも税抜、約の付く数値は概数のまま扱います）。"
            .to_owned(),
        figures: vec![
            PublishedFigure::about("支援メニュー1件", 1_091_000),
            PublishedFigure::about("運営費（支援メニュー23件）", 25_088_000),
            PublishedFigure::about("運営費の合計（アドバイザー9,000千円を含む）", 34_088_000),
            PublishedFigure::about("事業者の選定費用", 59_000),
        ],
        rules: ProgrammeRules {
            payers: [
                vec![PayerRule::ratio(Component::VendorFee, Payer::Prefecture, 1, 2, Payer::Host)],
                all_by(Payer::Prefecture, &[Component::Recruiting]),
                all_by(Payer::Host, &[Component::Venue, Component::Materials]),
            ]
            .concat(),
            menus: vec![ServiceMenu {
                code: "support".to_owned(),
                name: "支援メニュー".to_owned(),
                unit_price_yen: Some(yen(1_091_000)?),
                approximate: true,
                tax_excluded: true,
                vendor_organisation_id: None,
            }],
            ..base()
        },
    })
}

fn hiroshima() -> Result<Preset, Error> {
    let by_host = |component| PayerRule { first_paid_by: Some(Payer::Prefecture), ..PayerRule::all(component, Payer::Host) };
    Ok(Preset {
        code: "hiroshima_posting".to_owned(),
        name: "共通人材の配属（広島県の公表内容）".to_owned(),
        expert_title: "共通人材".to_owned(),
        source: "広島県の公表内容: 県が採用し、地方自治法第252条の17により市町へ派遣。1市町に1人から、順次2人へ。\
                 給与は県が支払い市町が負担金を納付。退職手当は派遣元の負担（協定で変更可）。採用経費は1回約50万円、\
                 初任給調整手当は月額5万円。市町ごとの負担金の額は公表されていません。"
            .to_owned(),
        figures: vec![
            PublishedFigure { tax_excluded: false, ..PublishedFigure::about("採用経費（1回）", 500_000) },
            PublishedFigure { tax_excluded: false, ..PublishedFigure::exact("初任給調整手当（月額）", 50_000) },
        ],
        rules: ProgrammeRules {
            activity_kinds: vec![Activity::Consultation, Activity::Visit],
            payers: [
                vec![by_host(Component::Salary), by_host(Component::Allowance), by_host(Component::SocialInsurance)],
                all_by(Payer::SendingBody, &[Component::RetirementAllowance]),
                all_by(Payer::Host, &[Component::Travel]),
                all_by(Payer::Prefecture, &[Component::Recruiting]),
            ]
            .concat(),
            postings: Some(PostingRules { places_per_host: 2, longest_months: None, days_a_month: None }),
            ..base()
        },
    })
}

fn ehime() -> Preset {
    Preset {
        code: "ehime_council_pool".to_owned(),
        name: "高度デジタル人材シェアリング（愛媛県の公表内容）".to_owned(),
        expert_title: "専門官".to_owned(),
        source:
            "愛媛県・市町DX推進会議の公表内容: 会議が共同で人材を確保。運営費は非公表のため、金額は所有者以外に表示されません。"
                .to_owned(),
        figures: Vec::new(),
        rules: ProgrammeRules {
            activity_kinds: vec![
                Activity::Consultation,
                Activity::Visit,
                Activity::Training,
                Activity::ModelProject,
                Activity::Community,
            ],
            fee_table: FeeTable::Undisclosed {},
            amounts_undisclosed: true,
            ..base()
        },
    }
}

fn miyake() -> Preset {
    let counter = |code: &str, label: &str| OutcomeCounter { code: code.to_owned(), label: label.to_owned() };
    Preset {
        code: "side_job_advisors".to_owned(),
        name: "複業アドバイザー（三宅町の公表内容）".to_owned(),
        expert_title: "複業アドバイザー".to_owned(),
        source: "三宅町の公表内容: 4か月を1期とし、会議7回で課題84件・解決アイデア173件を整理。無報酬とすることができる。"
            .to_owned(),
        figures: Vec::new(),
        rules: ProgrammeRules {
            outcome_counters: vec![
                counter("meetings", "会議"),
                counter("issues", "抽出した課題"),
                counter("ideas", "解決アイデア"),
            ],
            ..base()
        },
    }
}

fn nagai() -> Preset {
    Preset {
        code: "nagai_company_placement".to_owned(),
        name: "企業からの専門人材（長井市の公表内容）".to_owned(),
        expert_title: "デジタル推進室長".to_owned(),
        source: "長井市の公表内容（地方創生人材支援制度）: 給与は企業、旅費は市が負担。非常勤で月4日を目安、任期は原則2年で延長は協定の変更による。\
                 事業費101,076千円（うち交付金50,538千円）、運用費120,336千円（うち交付金60,168千円）、いずれも税抜で交付率は2分の1。\
                 交付金は覚書きであり、負担区分には含めません。"
            .to_owned(),
        figures: vec![
            PublishedFigure::exact("事業費の内訳1", 74_390_000),
            PublishedFigure::exact("事業費の内訳2", 17_960_000),
            PublishedFigure::exact("事業費の内訳3", 8_726_000),
            PublishedFigure::exact("事業費", 101_076_000),
            PublishedFigure::exact("事業費への交付金", 50_538_000),
            PublishedFigure::exact("運用費の内訳1", 80_405_000),
            PublishedFigure::exact("運用費の内訳2", 39_931_000),
            PublishedFigure::exact("運用費", 120_336_000),
            PublishedFigure::exact("運用費への交付金", 60_168_000),
        ],
        rules: ProgrammeRules {
            activity_kinds: vec![Activity::Consultation, Activity::Visit],
            payers: [
                all_by(
                    Payer::Company,
                    &[Component::Salary, Component::Allowance, Component::SocialInsurance, Component::RetirementAllowance],
                ),
                all_by(Payer::Host, &[Component::Travel]),
            ]
            .concat(),
            postings: Some(PostingRules { places_per_host: 1, longest_months: Some(24), days_a_month: Some(4) }),
            ..base()
        },
    }
}

fn aichi() -> Preset {
    Preset {
        code: "aichi_joint_training".to_owned(),
        name: "DX特別研修（愛知県の公表内容）".to_owned(),
        expert_title: "講師".to_owned(),
        source: "愛知県の公表内容: 県と市町村が合同で受講（全8回）。研修の費用は県が負担し、市町村は会場までの旅費のみを負担。\
                 初期費用10,354千円。"
            .to_owned(),
        figures: vec![PublishedFigure { tax_excluded: false, ..PublishedFigure::exact("初期費用", 10_354_000) }],
        rules: ProgrammeRules {
            applicant_kinds: kinds(&[Kind::Prefecture]),
            activity_kinds: vec![Activity::Training],
            payers: [
                all_by(Payer::Prefecture, &[Component::VendorFee, Component::Honorarium, Component::Venue, Component::Materials]),
                all_by(Payer::Requester, &[Component::Travel]),
            ]
            .concat(),
            ..base()
        },
    }
}

fn oita() -> Result<Preset, Error> {
    let half = Portion::Ratio { payer: Payer::Prefecture, numerator: 1, denominator: 2, cap: Some(yen(400_000)?) };
    Ok(Preset {
        code: "oita_vendor_subsidy".to_owned(),
        name: "市町村DX推進支援（大分県の公表内容）".to_owned(),
        expert_title: "支援事業者".to_owned(),
        source: "大分県の公表内容: 県が事業者を選定し、市町村が契約。県が2分の1（上限400,000円）を補助。\
                 委託料から補助を除いた額の70%は特別交付税の見込み。"
            .to_owned(),
        figures: Vec::new(),
        rules: ProgrammeRules {
            payers: [
                vec![PayerRule { portions: vec![half], ..PayerRule::all(Component::VendorFee, Payer::Host) }],
                all_by(Payer::Host, &[Component::Venue, Component::Materials]),
            ]
            .concat(),
            menus: vec![ServiceMenu {
                code: "support".to_owned(),
                name: "支援業務".to_owned(),
                unit_price_yen: None,
                approximate: false,
                tax_excluded: false,
                vendor_organisation_id: None,
            }],
            allocation_tax: vec![AllocationTaxRule {
                label: "委託料から県補助を除いた額".to_owned(),
                components: vec![Component::VendorFee],
                payer: Payer::Host,
                numerator: 7,
                denominator: 10,
                cap_yen: None,
                source: "大分県 市町村DX推進補助金（公表内容）".to_owned(),
            }],
            ..base()
        },
    })
}

fn fukushima() -> Result<Preset, Error> {
    Ok(Preset {
        code: "fukushima_area_advisor".to_owned(),
        name: "地域活性化アドバイザー派遣（福島県の公表内容）".to_owned(),
        expert_title: "地域活性化アドバイザー".to_owned(),
        source: "福島県の公表内容: 謝金は1回50,000円以内、旅費は県の規程による。オンラインは謝金のみ。申請は30日前まで、\
                 3月に行うものは1月31日まで。県がアドバイザーに直接支払う。謝金の額は回ごとに入力してください。"
            .to_owned(),
        figures: Vec::new(),
        rules: ProgrammeRules { fee_table: FeeTable::Agreed { cap: Some(yen(50_000)?) }, ..base() },
    })
}
