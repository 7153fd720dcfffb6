//! Kinds of cost and those who may bear one.

crate::text_enum! {
    /// What kind of cost an amount is. Each kind may have its own payers.
    pub enum Component {
        /// Salary of a person who is placed for longer.
        Salary = "salary", "給料";
        /// Allowances on top of a salary.
        Allowance = "allowance", "職員手当等";
        /// The employer's part of social insurance.
        SocialInsurance = "social_insurance", "共済費";
        /// Retirement allowance; by art. 252-17 it stays with the sending body unless agreed otherwise.
        RetirementAllowance = "retirement_allowance", "退職手当";
        /// The expert's fee.
        Honorarium = "honorarium", "謝金";
        /// Fares: rail, road, air, ship.
        Travel = "travel", "旅費（交通費）";
        /// Lodging.
        Lodging = "lodging", "宿泊費";
        /// Allowance for each night away (national travel law as revised on 2025-04-01).
        OvernightAllowance = "overnight_allowance", "宿泊手当";
        /// Allowance for each day away, where an ordinance still has one.
        DayAllowance = "day_allowance", "日当";
        /// Fare and lodging bought as one package.
        TravelPackage = "travel_package", "包括宿泊費";
        /// What a vendor is paid for a service.
        VendorFee = "vendor_fee", "委託料";
        /// The venue.
        Venue = "venue", "会場費";
        /// Printed matter and equipment.
        Materials = "materials", "資料・機材費";
        /// Finding and engaging people.
        Recruiting = "recruiting", "採用・募集費";
        /// Anything else.
        Other = "other", "その他";
    }
}

impl Component {
    /// Its name in English.
    pub fn label_en(self) -> &'static str {
        match self {
            Self::Salary => "Salary",
            Self::Allowance => "Allowances",
            Self::SocialInsurance => "Social insurance",
            Self::RetirementAllowance => "Retirement allowance",
            Self::Honorarium => "Honorarium",
            Self::Travel => "Fares",
            Self::Lodging => "Lodging",
            Self::OvernightAllowance => "Overnight allowance",
            Self::DayAllowance => "Day allowance",
            Self::TravelPackage => "Travel package",
            Self::VendorFee => "Contract fee",
            Self::Venue => "Venue",
            Self::Materials => "Materials and equipment",
            Self::Recruiting => "Recruiting",
            Self::Other => "Other",
        }
    }

    /// Whether it is a part of travel, whose payer is that of [`Component::Travel`] unless a rule of its own says otherwise.
    pub fn is_travel(self) -> bool {
        matches!(self, Self::Travel | Self::Lodging | Self::OvernightAllowance | Self::DayAllowance | Self::TravelPackage)
    }

    /// The item (節) of a local government's budget under which it is spent, as numbered since fiscal year 2020
    /// (地方自治法施行規則別記; before, the items from 7 賃金 on were numbered one higher).
    pub fn budget_item(self) -> BudgetItem {
        match self {
            Self::Salary => BudgetItem { number: 2, name: "給料" },
            Self::Allowance | Self::RetirementAllowance => BudgetItem { number: 3, name: "職員手当等" },
            Self::SocialInsurance => BudgetItem { number: 4, name: "共済費" },
            Self::Honorarium => BudgetItem { number: 7, name: "報償費" },
            Self::Travel | Self::Lodging | Self::OvernightAllowance | Self::DayAllowance | Self::TravelPackage => {
                BudgetItem { number: 8, name: "旅費" }
            }
            Self::Materials | Self::Other => BudgetItem { number: 10, name: "需用費" },
            Self::Recruiting => BudgetItem { number: 11, name: "役務費" },
            Self::VendorFee => BudgetItem { number: 12, name: "委託料" },
            Self::Venue => BudgetItem { number: 13, name: "使用料及び賃借料" },
        }
    }
}

/// An item (節) of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BudgetItem {
    /// Its number.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
}

/// The item under which a body pays a contribution (負担金) to another, or a subsidy.
pub const CONTRIBUTIONS: BudgetItem = BudgetItem { number: 18, name: "負担金、補助及び交付金" };

crate::text_enum! {
    /// Who bears a part of a cost.
    pub enum Payer {
        /// The owner of the pool: a prefecture, or the council that runs it.
        Prefecture = "prefecture", "都道府県";
        /// The bodies that receive the work; several divide their part by their agreement.
        Host = "host", "派遣先団体";
        /// The body that employs a person who is placed elsewhere.
        SendingBody = "sending_body", "派遣元団体";
        /// The company that employs the person.
        Company = "company", "企業";
        /// A ministry or another national body.
        NationalBody = "national_body", "国・全国団体";
        /// The body that applied, for what it alone pays.
        Requester = "requester", "申請団体";
    }
}
