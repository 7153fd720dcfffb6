//! Kinds of organisations, states of accounts, and which role a person can have where.

use crate::auth::policy::Role;
use crate::error::Locale;

crate::text_enum! {
    /// What an organisation is.
    pub enum OrganisationKind {
        /// 都道府県.
        Prefecture = "prefecture", "都道府県";
        /// 市 (designated cities included).
        City = "city", "市";
        /// 特別区.
        SpecialWard = "special_ward", "特別区";
        /// 町.
        Town = "town", "町";
        /// 村.
        Village = "village", "村";
        /// 教育委員会.
        BoardOfEducation = "board_of_education", "教育委員会";
        /// Secondary school and the like.
        School = "school", "学校";
        /// University.
        University = "university", "大学";
        /// NPO.
        Npo = "npo", "NPO";
        /// 一部事務組合.
        PartialAssociation = "partial_association", "一部事務組合";
        /// 広域連合.
        WideAreaUnion = "wide_area_union", "広域連合";
        /// Council of a prefecture and municipalities (協議会・推進会議).
        Council = "council", "協議会";
        /// Company.
        Company = "company", "企業";
        /// National body.
        NationalBody = "national_body", "国の機関";
    }
}

impl OrganisationKind {
    /// Whether it is a basic municipality (市町村・特別区), the kinds that are counted for coverage.
    pub fn is_municipality(self) -> bool {
        matches!(self, Self::City | Self::SpecialWard | Self::Town | Self::Village)
    }

    /// Whether it has a code of its own (全国地方公共団体コード).
    pub fn has_code(self) -> bool {
        self == Self::Prefecture || self.is_municipality()
    }

    /// Whether people can have a role in such an organisation. Only a body that can own pools has coordinators;
    /// `api_client` is no role of people.
    pub fn admits(self, role: Role) -> bool {
        match role {
            Role::PrefecturalCoordinator => matches!(self, Self::Prefecture | Self::Council),
            Role::ApiClient => false,
            Role::SystemAdmin | Role::MunicipalStaff | Role::MunicipalApprover | Role::Expert | Role::Auditor => true,
        }
    }
}

crate::text_enum! {
    /// How far a person's account is.
    pub enum UserStatus {
        /// Invited; no password yet.
        Invited = "invited", "招待中";
        /// Can sign in.
        Active = "active", "有効";
        /// Cannot sign in until it is enabled again.
        Disabled = "disabled", "停止中";
    }
}

impl UserStatus {
    /// The verbs that the state allows.
    pub fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Invited => &["resend-invitation", "disable"],
            Self::Active => &["disable"],
            Self::Disabled => &["enable"],
        }
    }
}

crate::text_enum! {
    /// The language of the mails a person gets.
    pub enum Language {
        /// Japanese.
        Ja = "ja", "日本語";
        /// English.
        En = "en", "英語";
    }
}

impl From<Language> for Locale {
    fn from(language: Language) -> Self {
        match language {
            Language::Ja => Self::Ja,
            Language::En => Self::En,
        }
    }
}

/// What a role is called in a language.
pub fn role_label(role: Role, language: Language) -> &'static str {
    match (language, role) {
        (Language::Ja, role) => role.label_ja(),
        (Language::En, Role::SystemAdmin) => "System administrator",
        (Language::En, Role::PrefecturalCoordinator) => "Prefectural coordinator",
        (Language::En, Role::MunicipalStaff) => "Municipal staff",
        (Language::En, Role::MunicipalApprover) => "Municipal approver",
        (Language::En, Role::Expert) => "Expert",
        (Language::En, Role::Auditor) => "Auditor",
        (Language::En, Role::ApiClient) => "API client",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_owners_of_pools_have_coordinators() {
        for kind in OrganisationKind::ALL {
            let owner = matches!(kind, OrganisationKind::Prefecture | OrganisationKind::Council);
            assert_eq!(kind.admits(Role::PrefecturalCoordinator), owner, "{kind}");
            assert!(kind.admits(Role::Auditor), "{kind}");
            assert!(!kind.admits(Role::ApiClient), "{kind}");
        }
    }

    #[test]
    fn a_disabled_account_can_only_be_enabled() {
        assert_eq!(UserStatus::Disabled.allowed(), ["enable"]);
        for status in [UserStatus::Invited, UserStatus::Active] {
            assert!(status.allowed().contains(&"disable") && !status.allowed().contains(&"enable"));
        }
    }
}
