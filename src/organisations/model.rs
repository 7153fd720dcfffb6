//! Kinds of organisations.

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
}
